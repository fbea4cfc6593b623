"""What differs between two revisions, as the viewer shows it: one row a frame, with the labels that belong together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from labelkit.errors import NotFound
from labelkit.widgets import diff_values
from labelkit.widgets.diff_frames import Frame, picture
from labelkit.widgets.diff_labels import Pair
from labelkit.widgets.diff_rows import CHANGES, LABELS, Filters, Found, labels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from labelkit.core.review.revisions import Change, Diff, Revision
    from labelkit.widgets.base import Json
    from labelkit.workspace import Workspace

FIELDS = ("class", "geometry", "attributes", "flags")


@dataclass(frozen=True, slots=True)
class FrameChange:
    """What differs on one frame: its labels, and its flags before and after where these do."""

    index: int
    labels: tuple[Change, ...]
    flags: tuple[tuple[str, ...], tuple[str, ...]] | None

    @property
    def counts(self) -> list[int]:
        """Return how many labels were added, removed and modified."""
        kinds = [change.kind for change in self.labels]
        return [kinds.count(change) for change in CHANGES]

    def has(self, filters: Filters) -> bool:
        """Say whether a label of the frame, or the frame, has everything that is asked for."""
        change, name, label, text = (filters.get(wanted) or None for wanted in ("change", "field", "label", "text"))
        if name == "flags":
            return self.flags is not None and change in (None, "modified") and label is None and self._says(text)
        if (change, name, label) == (None, None, None):
            return self._says(text)
        return any(
            (change is None or one.kind == change)
            and (name is None or name in one.fields)
            and (label is None or label in [side.label for side in (one.before, one.after) if side])
            for one in self.labels
        ) and self._says(text)

    def _says(self, text: str | None) -> bool:
        if text is None:
            return True
        words = [str(self.index + 1), *(word for flags in self.flags or () for word in flags)]
        words += [
            word for one in self.labels for side in (one.before, one.after) if side for word in (side.id, side.label, side.attributes or "")
        ]
        return any(text.casefold() in word.casefold() for word in words)


class RevisionRows:
    """Two revisions of one media and capability. Raises what `ws.review.diff` raises."""

    def __init__(self, ws: Workspace, a: str, b: str) -> None:
        self._ws = ws
        self.call = f"ws.review.diff({a!r}, {b!r})"
        self._revisions = ws.review.revision(a), ws.review.revision(b)
        self.value: Diff = ws.review.diff(a, b)
        scope = ws.review.pack(self._revisions[1].pack_id).scope
        self._media = ws.media.get(scope.media)
        self._capability = scope.capability
        self._frames = _by_frame(self.value)
        self._last: tuple[Filters, list[int]] | None = None
        summary = self.value.summary
        self.choices = {
            "change": [change for change in CHANGES if getattr(summary, change)],
            "field": list(self._fields()),
            "label": sorted(summary.by_class),
        }

    @property
    def summary(self) -> Json:
        """Return both sides, the counts of labels, and what changed most."""
        counts = self.value.summary
        fields = sorted(self._fields().items(), key=lambda one: -one[1])
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
            "same": not self._frames,
        }

    def _fields(self) -> dict[str, int]:
        counts = self.value.summary
        attributes = sum("attributes" in change.fields for change in self.value.modified)
        numbers = zip(FIELDS, (counts.class_changed, counts.geometry_changed, attributes, counts.flags_changed), strict=True)
        return {name: number for name, number in numbers if number}

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
        return f"{self.call}.on({self._frame(at).index})"

    def page(self, filters: Filters, offset: int, limit: int) -> tuple[list[Json], int]:
        """Return some frames of a filter, and how many it has."""
        found = self._found(filters)
        return [self._row(at) for at in found[offset : offset + limit]], len(found)

    def position(self, at: int, filters: Filters) -> int | None:
        """Return where a frame stands among those of a filter."""
        found = self._found(filters)
        return found.index(at) if at in found else None

    def detail(self, at: int) -> Found:
        """Return a frame with all its labels, those that changed as the difference has them. Raises `NOT_FOUND`."""
        change = self._frame(at)
        before, after = (content.row(change.index, named=True) for content in self._contents)
        gone = {one.before.id for one in change.labels if one.before} | {one.after.id for one in change.labels if one.after}
        alike = [one for one in labels_of(after) or [] if one.id not in gone]
        pairs = [*(Pair(one.before, one.after) for one in change.labels), *(Pair(one, one) for one in alike)]
        facts = self._ws.media.frame(self._media, change.index)
        data, mime, problem = picture(self._ws, self._media.name, change.index, None)
        frame = Frame(self._media.name, change.index, facts.width, facts.height, pairs, data, mime, problem)
        flags = diff_values.column("flags", before["flags"], after["flags"])
        shown = {**self._row(at), "fields": [flags] if change.flags else [], "frame": frame.as_json()}
        return Found(change.index, shown, frame)

    @cached_property
    def _contents(self) -> list[pl.DataFrame]:
        return [self._ws.review.content(one).select("flags", LABELS) for one in self._revisions]

    def _frame(self, at: int) -> FrameChange:
        if not 0 <= at < len(self._frames):
            raise NotFound(kind="frame that differs", name=str(at), near=f"There are {len(self._frames):,}.", listing="viewer.value")
        return self._frames[at]

    def _found(self, filters: Filters) -> Sequence[int]:
        if not any(filters.values()):
            return range(len(self._frames))
        if self._last is None or self._last[0] != filters:
            self._last = dict(filters), [at for at, one in enumerate(self._frames) if one.has(filters)]
        return self._last[1]

    def _row(self, at: int) -> Json:
        one = self._frames[at]
        added, removed, modified = one.counts
        only = "modified" if modified or one.flags or bool(added) == bool(removed) else "added" if added else "removed"
        flags = [["flags", *(", ".join(side) or "none" for side in one.flags)]] if one.flags else []
        return {"at": at, "key": f"frame {one.index + 1:,}", "change": only, "labels": one.counts, "glimpses": flags, "more": 0}


def _by_frame(diff: Diff) -> list[FrameChange]:
    """Return what differs frame by frame, in their order."""
    labels: dict[int, list[Change]] = {}
    for change in (*diff.modified, *diff.added, *diff.removed):
        labels.setdefault(change.frame, []).append(change)
    flags = {frame: (before, after) for frame, before, after in diff.flags}
    return [FrameChange(index, tuple(labels.get(index, ())), flags.get(index)) for index in sorted(labels.keys() | flags.keys())]
