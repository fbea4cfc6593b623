"""What differs between two versions, as the viewer shows it: summary, rows by filter and page, one row in detail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from labelkit.core.review.annotations import Annotation
from labelkit.errors import InvalidValue, LabelkitError
from labelkit.widgets import diff_labels, diff_values
from labelkit.widgets.diff_frames import Frame, picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labelkit.core.review.revisions import Diff as RevisionDiff
    from labelkit.services.versions import Diff, Version
    from labelkit.widgets.base import Json
    from labelkit.workspace import Workspace

Filters = dict[str, str | None]
LABELS = "annotations"
DIGEST = "digest"  # of the labels: it differs where they do
GLIMPSES = 3  # changed fields of which a row shows the values
GLIMPSE_SIGNS = 28
FIELDS_SHOWN = 12
FILTERS = ("change", "field", "label", "text")
CHANGES = ("added", "removed", "modified")


@dataclass(frozen=True, slots=True)
class Found:
    """A row in detail: its key, what the browser shows, and the frame where its labels can be drawn."""

    key: Any
    shown: Json
    frame: Frame | None


class Rows(Protocol):
    """Two versions of anything, compared."""

    call: str
    choices: dict[str, list[str]]

    @property
    def value(self) -> Diff | RevisionDiff:
        """Return the difference itself."""

    @property
    def summary(self) -> Json:
        """Return both sides, the counts, and what changed most."""

    def narrowed(self, filters: Filters) -> str:
        """Return the call in Python that gives the rows of a filter."""

    def one(self, at: int) -> str:
        """Return the call in Python that gives one row."""

    def page(self, filters: Filters, offset: int, limit: int) -> tuple[list[Json], int]:
        """Return some rows of a filter, and how many it has."""

    def position(self, at: int, filters: Filters) -> int | None:
        """Return where a row stands among those of a filter."""

    def detail(self, at: int) -> Found:
        """Return a row in detail."""


class VersionRows:
    """Two versions of keyed rows. Raises what `ws.versions.diff` raises."""

    def __init__(self, ws: Workspace, a: str, b: str) -> None:
        self._ws = ws
        self.value: Diff = ws.versions.diff(a, b)
        self.call = f"ws.versions.diff({a!r}, {b!r})"
        self._sides = _side(ws, a, self.value.a), _side(ws, b, self.value.b)
        paging = self.value.paging
        self.choices = {
            "change": [change for change in CHANGES if getattr(self.value.count, change)],
            "field": list(self._fields()),
            "label": paging.classes["value"].to_list(),
            **{name: counts["value"].to_list() for name, counts in paging.groups.items()},
        }

    @property
    def summary(self) -> Json:
        """Return both sides, the counts, what changed most, and how a version number should grow."""
        diff, facts = self.value, self.value.summary
        fields = sorted(self._fields().items(), key=lambda one: -one[1])
        groups = {"class": diff.paging.classes, **diff.paging.groups}
        return {
            "kind": "versions",
            "sides": list(self._sides),
            "unit": "row",
            "counts": [facts[change] for change in CHANGES],
            "fields": [list(one) for one in fields[:FIELDS_SHOWN]],
            "more_fields": max(0, len(fields) - FIELDS_SHOWN),
            "groups": [
                [name, [list(row) for row in counts.rows()]] for name, counts in groups.items() if counts.height > (name != "class")
            ],
            "columns": [f"{what} {name}" for what in ("added", "removed") for name in facts[f"columns_{what}"]]
            + [f"{name} is {new}, was {old}" for name, (old, new) in facts["columns_retyped"].items()],
            "step": [diff.step.level, diff.step.reason],
            "same": not diff,
        }

    def _fields(self) -> dict[str, int]:
        fields: dict[str, int] = self.value.summary["fields"]
        return fields

    def narrowed(self, filters: Filters) -> str:
        """Return the call in Python that gives the rows of a filter."""
        given = [f"{name}={value!r}" for name, value in self._asked(filters).items() if value]
        return f"{self.call}.page({', '.join(given)})" if given else self.call

    def one(self, at: int) -> str:
        """Return the call in Python that gives one row."""
        return f"{self.call}.paging.row({at})"

    def page(self, filters: Filters, offset: int, limit: int) -> tuple[list[Json], int]:
        """Return some rows of a filter, and how many it has."""
        found = self.value.page(**self._asked(filters), offset=offset, limit=limit)
        return [_row(row) for row in found.rows.iter_rows(named=True)], found.total

    def position(self, at: int, filters: Filters) -> int | None:
        """Return where a row stands among those of a filter."""
        return self.value.paging.position(at, **self._asked(filters))

    def detail(self, at: int) -> Found:
        """Return a row field by field, and its frame where labels on one changed. Raises `NOT_FOUND`."""
        row = self.value.paging.row(at)
        frame = self._frame(row["before"], row["after"])
        hidden = {LABELS} if frame is not None else set()
        before, after = (
            None if side is None else {n: v for n, v in side.items() if n not in hidden} for side in (row["before"], row["after"])
        )
        shown = {**_row(row), "fields": diff_values.fields(before, after), "frame": None if frame is None else frame.as_json()}
        return Found(row["key"], shown, frame)

    def _asked(self, filters: Filters) -> dict[str, Any]:
        where = {name: value for name, value in filters.items() if name not in FILTERS and value}
        return {**{name: filters.get(name) or None for name in FILTERS}, "where": where or None}

    def _frame(self, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Frame | None:
        row = after or before or {}
        old, new = labels_of(before), labels_of(after)
        if old is None or new is None or "media" not in row or "frame_index" not in row:
            return None
        media, index = str(row["media"]), int(row["frame_index"])
        data, mime, problem = picture(self._ws, media, index, row.get("sha256"), row.get("workspace"))
        size = int(row.get("width") or 0), int(row.get("height") or 0)
        return Frame(media, index, *size, diff_labels.paired(old, new), data, mime, problem)


def labels_of(row: Mapping[str, Any] | None) -> list[Annotation] | None:
    """Return the labels of a row; none for a row that is not there; None where its `annotations` are no labels."""
    if row is None:
        return []
    if not isinstance(row.get(LABELS), list):
        return None
    try:
        return [Annotation.from_json(one) for one in row[LABELS]]
    except (KeyError, TypeError, ValueError, LabelkitError):
        return None


def _row(row: Mapping[str, Any]) -> Json:
    """Return a row as the list shows it: its change, its key, a glimpse of what changed, and what became of its labels."""
    before, after = row["before"], row["after"]
    old, new = labels_of(before), labels_of(after)
    labels = None
    if old is not None and new is not None and LABELS in (after or before or {}):
        changes = [pair.change for pair in diff_labels.paired(old, new)]
        labels = [changes.count(change) for change in CHANGES]
    named = [name for name in row["fields"] if labels is None or name not in (LABELS, DIGEST)]
    shown = [[name, _glimpse(before.get(name)), _glimpse(after.get(name))] for name in named[:GLIMPSES]]
    return {
        "at": row["at"],
        "key": str(row["key"]),
        "change": row["change"],
        "labels": labels,
        "glimpses": [[name, was, now] if was is not None and now is not None else [name, None, None] for name, was, now in shown],
        "more": max(0, len(named) - GLIMPSES),
    }


def _glimpse(value: object) -> str | None:
    """Return a value that can be read at a glance as text, None for others."""
    if value is None:
        return "null"
    if isinstance(value, (str, int, float, bool)):
        text = f"{value:,.6g}" if isinstance(value, float) else str(value)
        return text if len(text) <= GLIMPSE_SIGNS and "\n" not in text and text[:1] not in ("{", "[") else None
    return None


def _side(ws: Workspace, ref: str, title: str) -> Json:
    """Return what people call a version, and who made it, when and why."""
    try:
        made: Version = ws.versions.get(ref)
    except InvalidValue:  # a dataset version is no commit
        built = ws.datasets.get(ref)
        return {"title": f"{built.name} v{built.version}", "about": f"{built.sample_count:,} samples of {built.capability}", "id": ref}
    name = re.sub(r"@[0-9a-f]{12}$", "", title)  # the id stands beside it
    about = f"{made.committed_at:%Y-%m-%d %H:%M} UTC, {made.author}{f': {made.message}' if made.message else ''}"
    return {"title": name, "about": about, "id": made.id}
