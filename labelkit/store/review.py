"""The review's tables inside one unit of work: runs, drafts, packs, revisions."""

from __future__ import annotations

from labelkit.store.drafts import DraftRows
from labelkit.store.packs import PackRows


class ReviewRows(DraftRows, PackRows):
    """Reads and writes everything a review keeps."""
