"""The review's tables inside one unit of work: runs, drafts, packs, revisions, series."""

from __future__ import annotations

from labelkit.store.review.drafts import DraftRows
from labelkit.store.review.packs import PackRows
from labelkit.store.review.series import SeriesRows


class ReviewRows(DraftRows, PackRows, SeriesRows):
    """Reads and writes everything a review keeps."""
