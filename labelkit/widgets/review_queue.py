"""ReviewQueue: what there is to review, how far it is, who is at it; one click opens the review below."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import traitlets
from ipywidgets import Widget, widget_serialization

from labelkit.core.review.drafts import Lineage
from labelkit.errors import LabelkitError
from labelkit.widgets import news, static
from labelkit.widgets.base import CommandWidget, command
from labelkit.widgets.frame_review import STAGE_HEIGHT_PX, FrameReview
from labelkit.widgets.rows import when
from labelkit.workspace import open as open_workspace

if TYPE_CHECKING:
    import polars as pl

    from labelkit.widgets.base import Json
    from labelkit.workspace import Workspace

MEMORY = ":memory:"


class ReviewQueue(CommandWidget):
    """The review series of a workspace and its prelabel runs, with filters, progress and presence.

    Opening a scope shows its `FrameReview` in the same place; `.review` is that widget, `.value` the series as a data frame, `.selected`
    the open scope as (media, capability). `capability` shows one capability only; `keys` and `height` are the review's.
    """

    _browser = "review_queue"
    _styles = ("shared/lists.css", "review_queue.css")

    review = traitlets.Instance(Widget, allow_none=True).tag(sync=True, **widget_serialization)

    def __init__(self, ws: Workspace, *, capability: str | None = None, keys: str = "labelkit", height: int = STAGE_HEIGHT_PX) -> None:
        self._ws = ws
        self._capability = None if capability is None else ws.capabilities.get(capability).name
        self._keys = keys
        self._height = height
        super().__init__(key=(ws.path, ws.id, self._capability))
        news.listen(self, ws, self.reload)

    # --- in Python

    @classmethod
    def at(cls, store: str, *, workspace: str = "default", capability: str | None = None) -> ReviewQueue | static.Notice:
        """Return the queue of a workspace of the store at a path, or a notice of what to do where there is none: no store is made."""
        where = Path(store).expanduser()
        if store != MEMORY and not where.is_file():
            return static.Notice(
                "There is no store here yet",
                f"The file {where.absolute()} does not exist, so there is nothing to review.",
                "Ask whoever prepares the clips where the store is, and write its path into the first cell of this notebook (store = …).",
                "To try it out, run `labelkit demo` in a terminal; it makes a store with drawn clips and says where it is.",
            )
        try:
            return cls(open_workspace(store, workspace=workspace, create=False), capability=capability)
        except LabelkitError as refused:
            return static.Notice(f"{refused.title} ({refused.code})", refused.detail, refused.hint)

    @property
    def value(self) -> pl.DataFrame:
        """Return one row a scope: progress, presence, latest revision, eligibility."""
        return self._ws.review.series(capability=self._capability)

    @property
    def selected(self) -> tuple[str, str] | None:
        """Return media and capability of the review that is open, None where none is."""
        return None if self.review is None else (self.review.media.name, self.review.capability.name)

    def show_scope(self, media: str, capability: str, run: str | None = None) -> FrameReview:
        """Open the review of a scope in place of the list."""
        opened = FrameReview(self._ws, media, capability, run=run, keys=self._keys, height=self._height)
        before, self.review = self.review, opened
        if before is not None and before is not opened:
            before.close()
        return opened

    def state(self) -> Json:
        """Return what a view shows: scopes, runs, and the scope that would be next."""
        runs = self._ws.prelabels.runs(capability=self._capability)
        return {
            "workspace": self._ws.name,
            "user": self._ws.user,
            "scopes": [_scope_row(row) for row in self.value.iter_rows(named=True)],
            "runs": [_run_row(row) for row in runs.iter_rows(named=True)],
            "open": self.selected,
            "next": self._ws.review.next_scope(capability=self._capability),
        }

    # --- from the browser

    @command("ready")
    def ready(self) -> Json:
        """Return everything that a view shows."""
        return self.state()

    @command("reload")
    def reload(self) -> Json:
        """Read everything anew, for every view."""
        self.tell("state", self.state())
        return {}

    @command("open")
    def open_scope(self, media: str, capability: str, run: str | None = None) -> Json:
        """Open a scope's review; what its draft is seeded from is told by the run where there is no draft yet."""
        asked = f", run={run!r}" if run else ""
        self.python = f"labelkit.widgets.FrameReview(ws, {media!r}, {capability!r}{asked})"
        self.show_scope(media, capability, run)
        return {"open": self.selected}

    @command("next")
    def open_next(self) -> Json:
        """Save what is pending and open the scope to work on next; where there is none, what is open stays."""
        if self.review is not None:
            self.review.live.save()
        scope = self._ws.review.next_scope(capability=self._capability, after=self.selected)
        if scope is None:
            return {"open": None}
        return self.open_scope(*scope)

    @command("leave")
    def leave(self) -> Json:
        """Save what is pending, close the review and show the list again."""
        before = self.review
        if before is not None:
            before.live.save()
            self.review = None
            before.close()
        self.reload()
        return {}

    # --- without a browser

    def describe(self) -> str:
        """Return how many scopes there are and how far they are."""
        rows = self.value
        done = rows.filter(rows["seen"] >= rows["frame_count"]).height
        return f"Review queue of {self._ws.name}: {rows.height} scopes, {done} looked at to the end"

    def to_html(self) -> str:
        """Return the series as a plain table."""
        head = ("Media", "Capability", "Seen", "Edited", "Accepted", "Flagged", "Revision", "Eligibility", "Open by")
        rows = [
            (
                row["media"],
                row["capability"],
                f"{row['seen']} of {row['frame_count']}",
                row["edited"],
                row["accepted"],
                row["flagged"],
                row["revision"],
                row["eligibility"],
                row["present"] or None,
            )
            for row in self.value.iter_rows(named=True)
        ]
        return static.card(self.describe(), static.table(head, rows, "Nothing to review yet: import prelabels first."))


def _scope_row(row: dict[str, object]) -> Json:
    names = ("media", "capability", "group_key", "camera_type", "run_id", "draft_id", "lineage", "present", "revision", "eligibility")
    counts = ("frame_count", "seen", "edited", "accepted", "flagged", "run_count")
    return {**{name: row[name] for name in (*names, *counts)}, "updated_by": row["updated_by"]}


def _run_row(row: dict[str, object]) -> Json:
    report = json.loads(str(row["report"]))
    lineage = Lineage.parse(str(row["lineage"]))
    names = ("run_id", "media", "capability", "model", "model_version", "status", "annotation_count", "frame_count", "created_by")
    return {
        **{name: row[name] for name in names},
        "lineage": str(lineage),
        "refused": sum(report.get("refused", {}).values()),
        "created_at": when(row["created_at"]),  # type: ignore[arg-type]
    }
