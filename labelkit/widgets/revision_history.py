"""RevisionHistory: a scope's revisions, newest first, with what changed by class and frame, provenance and eligibility."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from labelkit.errors import NotFound
from labelkit.widgets import static
from labelkit.widgets.base import command
from labelkit.widgets.rows import history_html
from labelkit.widgets.scope import ScopeWidget

if TYPE_CHECKING:
    from labelkit.core.media import Media
    from labelkit.core.review.revisions import Diff, Revision
    from labelkit.widgets.base import Json
    from labelkit.workspace import Workspace

LISTED_CHANGES = 20_000  # beyond this a list by frame takes seconds and nobody reads it


class RevisionHistory(ScopeWidget):
    """The published revisions of a scope; a row opens to its details. `.value` is the history, `.selected` the open revision."""

    _browser = "revision_history"

    def __init__(self, ws: Workspace, media: str | Media, capability: str) -> None:
        self._open: str | None = None
        super().__init__(ws, media, capability)

    @property
    def value(self) -> list[Revision]:
        """Return the scope's revisions as they are now, newest first."""
        return self.revisions

    @property
    def selected(self) -> Revision | None:
        """Return the revision whose details are open."""
        return None if self._open is None else self._ws.review.revision(self._open)

    @command("ready")
    def ready(self) -> Json:
        """Return the present rows and the details that are open."""
        return {**self.state(), "open": self.details(self._open)}

    @command("select")
    def select(self, revision: str | None = None) -> Json | None:
        """Open the details of a revision and return them; None closes them."""
        details = self.details(revision)
        self._open = revision
        if revision is not None:
            self.python = f"ws.review.revision({revision!r})"
        return details

    def details(self, revision_id: str | None) -> Json | None:
        """Return what an open row shows: counts by class and by frame against the revision before, and where the content is."""
        if revision_id is None:
            return None
        known = self.revisions
        revision = next((one for one in known if one.id == revision_id), None)
        if revision is None:
            raise NotFound.among("revision", revision_id, [one.id for one in known], "ws.review.history(media, capability)")
        before = next((one for one in known if (one.pack_id, one.number) == (revision.pack_id, revision.number - 1)), None)
        summary, made = revision.diff, revision.provenance
        frames, note = self._frames(before, revision)
        return {
            "id": revision.id,
            "by_class": [[name, *counts] for name, counts in summary.by_class.items()],
            "class_changed": summary.class_changed,
            "geometry_changed": summary.geometry_changed,
            "matched_by": f"{summary.matched_by} {summary.threshold}".strip(),
            "content_object": revision.content_object,
            "validation": made.validation,
            "default_sizes": made.default_sizes,
            "frames": frames,
            "note": note,
        }

    def _frames(self, before: Revision | None, revision: Revision) -> tuple[list[Json] | None, str]:
        if before is None:
            return None, "This is the first revision of its pack: everything in it is new."
        summary = revision.diff
        changes = summary.added + summary.removed + summary.modified
        if changes > LISTED_CHANGES:
            return None, f"{changes:,} changes are too many to list here: ws.review.diff({before.id!r}, {revision.id!r}) has them."
        return frame_rows(self._ws.review.diff(before, revision)), ""

    def describe(self) -> str:
        """Return the scope, how many revisions it has, and the newest."""
        known = self.revisions
        newest = f"; the newest is {known[0].number}, {known[0].eligibility.lower()}" if known else ""
        return f"Revision history of {self.scope_text}: {len(known)} revision{'' if len(known) == 1 else 's'}{newest}"

    def to_html(self) -> str:
        """Return the history as a plain table, escaped, times in UTC."""
        return static.card(f"Revision history · {self.scope_text}", history_html(self.revision_rows()))


def frame_rows(diff: Diff) -> list[Json]:
    """Return one row for each frame that differs: how many labels were added, removed and modified, and its flags now."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: {"added": 0, "removed": 0, "modified": 0})
    for change in (*diff.added, *diff.removed, *diff.modified):
        counts[change.frame][change.kind] += 1
    flags = {frame: ", ".join(after) or "none" for frame, _, after in diff.flags}
    return [{"frame": frame, **counts[frame], "flags": flags.get(frame, "")} for frame in sorted(counts.keys() | flags.keys())]
