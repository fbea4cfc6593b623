"""DiffViewer: what differs between two versions, or two revisions of labels: in numbers, row by row, before and after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

import traitlets

from labelkit.core.review import keys as keyboard
from labelkit.errors import LabelkitError, NotFound
from labelkit.widgets import diff_page
from labelkit.widgets.base import CommandWidget, command, report
from labelkit.widgets.diff_revisions import RevisionRows
from labelkit.widgets.diff_rows import FILTERS, VersionRows

if TYPE_CHECKING:
    from labelkit.core.review.revisions import Diff as RevisionDiff
    from labelkit.core.review.revisions import Revision
    from labelkit.services.datasets import Dataset
    from labelkit.services.versions import CommitOutcome, Diff, Version
    from labelkit.widgets.base import Json
    from labelkit.widgets.diff_rows import Filters, Found, Rows
    from labelkit.workspace import Workspace

    Side: TypeAlias = str | Version | CommitOutcome | Dataset | Revision

PAGE = 100
PAGE_AT_MOST = 500
ROWS_HEIGHT_PX = 320
PICTURE_HEIGHT_PX = 320
_REVISION = re.compile(r"rev_[0-9a-hjkmnp-tv-z]{26}")


class DiffViewer(CommandWidget):
    """What differs from version `a` to version `b`: summary, rows by filter, and one row before and after, labels on their frame.

    A version is any ref of `ws.versions` (a name, `name@tag`, the id of a commit or of a built dataset, or what these calls return), or
    both are revisions of labels. They are compared when first looked at. `.value` is the difference and raises what `ws.versions.diff` or
    `ws.review.diff` raises, such as `NOT_FOUND` and `KEY_CHANGED`; the view then says so. `.selected` is the key of the row that is
    shown, `.filters` what rows are filtered by. `height` is the pictures', in px of the screen.
    """

    _browser = "diff_viewer"
    _styles = ("shared/lists.css", "sample_viewer.css", "diff_viewer.css")

    height = traitlets.Int().tag(sync=True)

    def __init__(self, ws: Workspace, a: Side, b: Side, *, height: int = PICTURE_HEIGHT_PX) -> None:
        self._ws = ws
        self._refs = tuple(side if isinstance(side, str) else side.id for side in (a, b))
        self._compared: Rows | None = None
        self._at: int | None = None
        self._key: Any = None
        self.filters: Filters = {}
        super().__init__(key=(ws.path, ws.id, self._refs), height=height)
        revisions = all(map(_REVISION.fullmatch, self._refs))
        self.python = f"ws.{'review' if revisions else 'versions'}.diff({self._refs[0]!r}, {self._refs[1]!r})"

    # --- in Python

    @property
    def value(self) -> Diff | RevisionDiff:
        """Return the difference. Raises what comparing the two raises."""
        return self._rows.value

    @property
    def selected(self) -> Any:  # noqa: ANN401 - a text or a whole number, as the key is
        """Return the key of the row that is shown, a frame's index for revisions; None where none is."""
        return self._key

    # --- from the browser

    @command("ready")
    def ready(self) -> Json:
        """Return keys, summary, filters with their choices, the first rows, and the row that is shown; or why there is nothing."""
        with self._lock:
            try:
                rows = self._rows
            except LabelkitError as refused:
                return {"refused": report(refused), "sides": list(self._refs)}
            keys = keyboard.as_json(keyboard.DIFFERENCE)
            return {"refused": None, "keys": keys, "summary": rows.summary, "choices": rows.choices, **self._list()}

    @command("reload")
    def reload(self) -> Json:
        """Compare anew, as after a branch moved or a file came back, for every view."""
        self._compared, self._at, self._key, self.filters = None, None, None, {}
        self.tell("state", self.ready())
        return {}

    @command("filter")
    def filter(self, filters: dict[str, str | None]) -> Json:
        """Show the rows that have everything that is asked for, from the first; every view gets them."""
        for name in filters:
            if name not in self._rows.choices and name not in FILTERS:
                raise NotFound.among("filter", name, [*FILTERS, *self._rows.choices], "viewer.filters")
        wanted: Filters = {name: value for name, value in filters.items() if value}
        self._rows.page(wanted, 0, 0)  # refuses what does not exist
        self.filters = wanted
        self.python = self._rows.narrowed(wanted)
        self.tell("list", self._list())
        return {}

    @command("page")
    def page(self, offset: int, filters: dict[str, str | None], limit: int = PAGE) -> Json:
        """Return rows of a filter after the first `offset`."""
        items, total = self._rows.page(filters, offset, min(limit, PAGE_AT_MOST))
        return {"items": items, "offset": offset, "total": total}

    @command("show")
    def show(self, at: int, clicked: bool = True) -> Json:  # noqa: FBT001, FBT002 - the command's arguments
        """Show a row before and after, in every view; one that was not `clicked` is not what is copied as Python."""
        found = self._rows.detail(at)
        self._at, self._key = at, found.key
        if clicked:
            self.python = self._rows.one(at)
        self._tell_row(found)
        return {}

    @command("shown")
    def shown(self) -> Json:
        """Send the row that is shown to every view again, for one that is new."""
        if self._at is not None:
            self._tell_row(self._rows.detail(self._at))
        return {"at": self._at}

    # --- without a browser

    def describe(self) -> str:
        """Return both sides and the counts in one line, or why they cannot be compared."""
        try:
            return diff_page.describe(self._rows.summary)
        except LabelkitError as refused:
            return f"Difference {self._refs[0]} → {self._refs[1]}: {refused.code}"

    def to_html(self, limit: int = 12, width: int = diff_page.PICTURE_PX) -> str:
        """Return a page that needs no kernel: the summary and the first `limit` rows of the filter, pictures at most `width` px wide."""
        try:
            rows = self._rows
            items, total = rows.page(self.filters, 0, limit)
        except LabelkitError as refused:
            return diff_page.refused(self.describe(), refused)
        found = [rows.detail(_place(item)) for item in items]
        return diff_page.page(self.describe(), rows.summary, found, total - len(found), width)

    # --- inside

    @property
    def _rows(self) -> Rows:
        with self._lock:
            if self._compared is None:
                revisions = all(map(_REVISION.fullmatch, self._refs))
                self._compared = (RevisionRows if revisions else VersionRows)(self._ws, *self._refs)
            return self._compared

    def _list(self) -> dict[str, object]:
        items, total = self._rows.page(self.filters, 0, PAGE)
        place = None if self._at is None else self._rows.position(self._at, self.filters)
        every = total if not self.filters else self._rows.page({}, 0, 0)[1]
        return {"filters": self.filters, "items": items, "total": total, "every": every, "selected": self._at, "place": place}

    def _tell_row(self, found: Found) -> None:
        frame = found.frame
        buffers = [] if frame is None or frame.data is None else [frame.data]
        self.tell("row", {**found.shown, "place": self._rows.position(_place(found.shown), self.filters)}, buffers)


def _place(row: Json) -> int:
    at = row["at"]
    return at if isinstance(at, int) else int(str(at))
