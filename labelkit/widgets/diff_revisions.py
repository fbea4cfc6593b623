"""What differs between two revisions, as the viewer shows it: one row a frame, with the labels that belong together."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from labelkit.widgets import diff_values
from labelkit.widgets.diff_frames import Frame, picture
from labelkit.widgets.diff_labels import Pair
from labelkit.widgets.diff_rows import CHANGES, FILTERS, LABELS, Filters, Found, labels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from labelkit.core.review.revisions import Revision
    from labelkit.services.review.frame_paging import FrameChange
    from labelkit.widgets.base import Json
    from labelkit.workspace import Workspace


class RevisionRows:
    """Two revisions of one media and capability. Raises what `ws.review.diff` raises."""

    def __init__(self, ws: Workspace, a: str, b: str) -> None:
        self._ws = ws
        self.call = f"ws.review.diff({a!r}, {b!r})"
        self._revisions = ws.review.revision(a), ws.review.revision(b)
        self.value = ws.review.diff(a, b)
        self._paging = self.value.paging
        scope = ws.review.pack(self._revisions[1].pack_id).scope
        self._media = ws.media.get(scope.media)
        self._capability = scope.capability
        self._last: tuple[Filters, Sequence[int]] | None = None
        summary = self.value.summary
        self.choices = {
            "change": [change for change in CHANGES if getattr(summary, change)],
            "field": list(self._paging.fields),
            "label": sorted(summary.by_class),
        }

    @property
    def summary(self) -> Json:
        """Return both sides, the counts of labels, and what changed most."""
        counts = self.value.summary
        fields = sorted(self._paging.fields.items(), key=lambda one: -one[1])
        how = "" if counts.matched_by == "id" else f"Labels were matched by {counts.matched_by}{counts.threshold}."
        return {
            "kind": "revisions",
            "sides": [self._side(one) for one in self._revisions],
            "unit": "label",
            "counts": [getattr(counts, change) for change in CHANGES],
            "fields": [list(one) for one in fields],
            "more_fields": 0,
            "groups": [["class", [[name, *three] for name, three in sorted(counts.by_class.items())]]] if counts.by_class else [],
            "columns": [f"{counts.frames_changed:,} of {counts.frames:,} frames differ", *([how] if how else [])],
            "step": None,
            "same": not len(self._paging),
        }

    def _side(self, revision: Revision) -> Json:
        made = f"{revision.created_at:%Y-%m-%d %H:%M} UTC, {revision.provenance.actor}"
        reason = f": {revision.provenance.reason}" if revision.provenance.reason else ""
        return {"title": f"{self._media.name} revision {revision.number}", "about": made + reason, "id": revision.id}

    def narrowed(self, filters: Filters) -> str:
        """Return the call in Python that gives the rows of a filter."""
        change = filters.get("change")
        return f"{self.call}.{change}" if change else self.call

    def one(self, at: int) -> str:
        """Return the call in Python that gives what changed on one frame."""
        return f"{self.call}.on({self._paging.frame(at).index})"

    def page(self, filters: Filters, offset: int, limit: int) -> tuple[list[Json], int]:
        """Return some frames of a filter, and how many it has."""
        found = self._found(filters)
        shown = found[offset : offset + limit]
        return [_row(at, one) for at, one in zip(shown, self._paging.frames(shown), strict=True)], len(found)

    def position(self, at: int, filters: Filters) -> int | None:
        """Return where a frame stands among those of a filter."""
        found = self._found(filters)
        return found.index(at) if at in found else None

    def detail(self, at: int) -> Found:
        """Return a frame with all its labels, those that changed as the difference has them. Raises `NOT_FOUND`."""
        change = self._paging.frame(at)
        labels = self._paging.labels(change.index)
        before, after = (content.row(change.index, named=True) for content in self._contents)
        gone = {one.before.id for one in labels if one.before} | {one.after.id for one in labels if one.after}
        alike = [one for one in labels_of(after) or [] if one.id not in gone]
        pairs = [*(Pair(one.before, one.after) for one in labels), *(Pair(one, one) for one in alike)]
        facts = self._ws.media.frame(self._media, change.index)
        data, mime, problem = picture(self._ws, self._media.name, change.index, None)
        frame = Frame(self._media.name, change.index, facts.width, facts.height, pairs, data, mime, problem)
        flags = diff_values.column("flags", before["flags"], after["flags"])
        shown = {**_row(at, change), "fields": [flags] if change.flags else [], "frame": frame.as_json()}
        return Found(change.index, shown, frame)

    @cached_property
    def _contents(self) -> list[pl.DataFrame]:
        return [self._ws.review.content(one).select("flags", LABELS) for one in self._revisions]

    def _found(self, filters: Filters) -> Sequence[int]:
        if not any(filters.values()):
            return range(len(self._paging))
        if self._last is None or self._last[0] != filters:
            asked = {name: filters.get(name) or None for name in FILTERS}
            self._last = dict(filters), self._paging.matching(**asked).to_list()
        return self._last[1]


def _row(at: int, one: FrameChange) -> Json:
    added, removed, modified = one.counts
    only = "modified" if modified or one.flags or bool(added) == bool(removed) else "added" if added else "removed"
    flags = [["flags", *(", ".join(side) or "none" for side in one.flags)]] if one.flags else []
    return {"at": at, "key": f"frame {one.index + 1:,}", "change": only, "labels": list(one.counts), "glimpses": flags, "more": 0}
