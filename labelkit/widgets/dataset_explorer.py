"""DatasetExplorer: what was built, page by page, everything that is known of one version, and its samples in the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets
from ipywidgets import Widget, widget_serialization

from labelkit.core.datasets.builds import BuildStatus
from labelkit.errors import NotFound
from labelkit.widgets import dataset_rows, news, static
from labelkit.widgets.base import CommandWidget, command
from labelkit.widgets.sample_viewer import PICTURE_HEIGHT_PX, SampleViewer

if TYPE_CHECKING:
    import polars as pl

    from labelkit.services.datasets import Dataset
    from labelkit.widgets.base import Json
    from labelkit.workspace import Workspace

PAGE = 100
PAGES_AT_ONCE = 20  # what a reloaded page gets back at once
FILTERS = ("capability", "scope", "status")
SHOWN_ROWS = 20


class DatasetExplorer(CommandWidget):
    """The dataset versions of a workspace and the builds that made them, filtered, newest first; one of them in detail.

    `.value` is the list as a data frame, as far as it was read; `.selected` the dataset that is shown in detail, None where none is;
    `.samples` its `SampleViewer` while that is open. `scope` is a workspace, a media of it (`workspace/media`), or a media's name. Raises
    `NOT_FOUND` for a capability or status that does not exist.
    """

    _browser = "dataset_explorer"
    _styles = ("shared/lists.css", "shared/quality.css", "dataset_explorer.css")

    samples = traitlets.Instance(Widget, allow_none=True).tag(sync=True, **widget_serialization)

    def __init__(
        self,
        ws: Workspace,
        capability: str | None = None,
        *,
        scope: str | None = None,
        status: str | None = None,
        height: int = PICTURE_HEIGHT_PX,
    ) -> None:
        self._ws = ws
        self._height = height
        self._selected: str | None = None
        self._reached = 1
        self.filters: dict[str, str | None] = {}
        self._set_filters({"capability": capability, "scope": scope, "status": status})
        super().__init__(key=(ws.path, ws.id, capability))
        self._note_list()
        news.listen(self, ws, self.reload)

    # --- in Python

    @property
    def value(self) -> pl.DataFrame:
        """Return the builds that the filters leave, newest first, as far as the list was read."""
        return self._read()[0]

    @property
    def selected(self) -> Dataset | None:
        """Return the dataset that is shown in detail, as it is now; None where none is."""
        return None if self._selected is None else self._ws.datasets.get(self._selected)

    def show_dataset(self, dataset: str) -> Dataset:
        """Show a version (id, or a name for its newest one) in detail, in every view. Raises `NOT_FOUND`."""
        found = self._ws.datasets.get(dataset)
        self._selected = found.id
        self.python = f"ws.datasets.get({found.id!r})"
        self.tell("detail", dataset_rows.detail(found))
        return found

    def show_samples(self) -> SampleViewer | None:
        """Show the samples of the selected dataset in place of list and detail; None where none is selected."""
        if self._selected is None:
            return None
        before, opened = self.samples, SampleViewer(self._ws, self._selected, height=self._height)
        self.python = f"labelkit.widgets.SampleViewer(ws, {self._selected!r})"
        self.samples = opened
        if before is not None and before is not opened:
            before.close()
        return opened

    # --- from the browser

    @command("ready")
    def ready(self) -> Json:
        """Return filters with their choices, the list as far as it was read, and the selected dataset in detail."""
        selected = self.selected
        return {
            "workspace": self._ws.name,
            "choices": {
                "capability": [one.name for one in self._ws.capabilities.list()],
                "status": [str(one) for one in BuildStatus],
                "scope": [self._ws.name, *(f"{self._ws.name}/{name}" for name in self._ws.media.list()["name"][:500])],
            },
            **self._list(),
            "detail": None if selected is None else dataset_rows.detail(selected),
        }

    @command("reload")
    def reload(self) -> Json:
        """Read everything anew, for every view."""
        self.tell("state", self.ready())
        return {}

    @command("filter")
    def filter(self, filters: dict[str, str | None]) -> Json:
        """Show what has everything that is asked for, from the newest; every view gets the new list."""
        self._set_filters({**self.filters, **filters})
        self._note_list()
        self.tell("list", self._list())
        return {}

    @command("page")
    def page(self, cursor: str) -> Json:
        """Return the page after `cursor`."""
        found = self._ws.datasets.list(**self.filters, cursor=cursor, limit=PAGE + 1)
        self._reached += 1
        return _page(found)

    @command("select")
    def select(self, dataset: str) -> Json:
        """Show a version in detail, in every view."""
        return {"selected": self.show_dataset(dataset).id}

    @command("samples")
    def open_samples(self, dataset: str) -> Json:
        """Show the samples of a version in place of the list."""
        self._selected = self._ws.datasets.get(dataset).id
        self.show_samples()
        return {"open": True}

    @command("leave")
    def leave(self) -> Json:
        """Close the samples and show the list again."""
        before, self.samples = self.samples, None
        if before is not None:
            before.close()
        self.reload()
        return {}

    # --- without a browser

    def describe(self) -> str:
        """Return whose datasets these are, what is filtered by, and how many builds are listed so far."""
        by = ", ".join(f"{name} {value}" for name, value in self.filters.items() if value is not None)
        rows, cursor = self._read()
        words = "build" if rows.height == 1 else "builds"
        return f"Datasets of {self._ws.name}{f' ({by})' if by else ''}: {rows.height:,}{'' if cursor is None else ' and more'} {words}"

    def to_html(self) -> str:
        """Return the newest builds as a plain table, and below it what is known of the selected dataset."""
        rows = self.value.head(SHOWN_ROWS)
        selected = self.selected
        more = [] if selected is None else [dataset_rows.detail_html(selected)]
        return static.card(self.describe(), dataset_rows.list_html(list(rows.iter_rows(named=True))), *more)

    def close(self) -> None:
        """Take the widget out of the page, and the samples that it shows."""
        if self.samples is not None:
            self.samples.close()
        super().close()

    # --- inside

    def _set_filters(self, filters: dict[str, str | None]) -> None:
        for name in filters:
            if name not in FILTERS:
                raise NotFound.among("filter", name, FILTERS, "explorer.filters")
        if filters.get("capability"):
            self._ws.capabilities.get(str(filters["capability"]))
        given = {name: filters.get(name) or None for name in FILTERS}
        self._ws.datasets.list(**given, limit=1)  # refuses a status that does not exist
        self.filters, self._reached = given, 1

    def _note_list(self) -> None:
        given = ", ".join(f"{name}={value!r}" for name, value in self.filters.items() if value is not None)
        self.python = f"ws.datasets.list({given})"

    def _read(self) -> tuple[pl.DataFrame, str | None]:
        """Return the list as far as it was read, and the cursor of what follows."""
        most = min(self._reached, PAGES_AT_ONCE) * PAGE
        found = self._ws.datasets.list(**self.filters, limit=most + 1)
        return found.head(most), found["id"][most - 1] if found.height > most else None

    def _list(self) -> dict[str, object]:
        rows, cursor = self._read()
        items = [dataset_rows.list_row(row) for row in rows.iter_rows(named=True)]
        return {"filters": self.filters, "items": items, "next_cursor": cursor, "selected": self._selected}


def _page(found: pl.DataFrame) -> Json:
    rows = [dataset_rows.list_row(row) for row in found.head(PAGE).iter_rows(named=True)]
    return {"items": rows, "next_cursor": rows[-1]["id"] if found.height > PAGE else None}
