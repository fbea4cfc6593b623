"""SampleViewer: look through the samples of a dataset, each frame with its labels, or with the reason why it cannot be shown."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import traitlets
from ipywidgets import Widget, widget_serialization

from labelkit.core.datasets.samples import SampleFinding, ViewState, view_of
from labelkit.core.review import keys as keyboard
from labelkit.core.review.shapes import View
from labelkit.errors import DatasetNotReady, FrameUnavailable, LabelkitError, NotFound
from labelkit.widgets import sample_page
from labelkit.widgets.base import CommandWidget, command
from labelkit.widgets.cache import TimedCache
from labelkit.widgets.painter import Painter, hold
from labelkit.widgets.sample_look import Look, broken, overlay
from labelkit.widgets.still import still

if TYPE_CHECKING:
    from labelkit.core.datasets.samples import Page, Sample
    from labelkit.core.review.annotations import Capability
    from labelkit.services.datasets import Dataset
    from labelkit.widgets.base import Json
    from labelkit.workspace import Workspace

now_s = time.monotonic  # the clock of the caches
TTL_S = 60.0
KEPT_PAGES = 100
KEPT_SAMPLES = 24
PAGE = 50
PICTURE_HEIGHT_PX = 440
PAGES_AT_ONCE = 40  # what a reloaded page gets back at once


class SampleViewer(CommandWidget):
    """The samples of a dataset version, filtered, one at a time, with labels painted on the frame. Read-only.

    `dataset` is a version's id, a name for its newest version, or the dataset. `.selected` is the sample that is shown, `.value` the page
    that it is on, `.filters` what is filtered by and `.choices` by what one can filter. `height` is the picture's, in px of the screen.
    """

    _browser = "sample_viewer"
    _styles = ("shared/lists.css", "sample_viewer.css")

    canvas = traitlets.Instance(Widget).tag(sync=True, **widget_serialization)
    height = traitlets.Int().tag(sync=True)

    def __init__(
        self,
        ws: Workspace,
        dataset: str | Dataset,
        *,
        split: str | None = None,
        label: str | None = None,
        camera_type: str | None = None,
        group: str | None = None,
        finding: str | None = None,
        height: int = PICTURE_HEIGHT_PX,
    ) -> None:
        self._ws = ws
        self.dataset = ws.datasets.get(dataset if isinstance(dataset, str) else dataset.id)
        self.choices = self._read_choices()
        self.filters: dict[str, str | None] = {}
        self._pages: TimedCache[tuple[object, ...], Page[Sample]] = TimedCache(TTL_S, KEPT_PAGES, _now_s)
        self._looks: TimedCache[str, Look] = TimedCache(TTL_S, KEPT_SAMPLES, _now_s)
        self._key: str | None = None
        self._page_of_key: str | None = None
        self._reached = 1
        self._set_filters({"split": split, "label": label, "camera_type": camera_type, "group": group, "finding": finding})
        self._painter = Painter(640, height, layers=2)
        super().__init__(key=(ws.path, self.dataset.id), canvas=self._painter.canvas, height=height)

    # --- in Python

    @property
    def selected(self) -> Sample | None:
        """Return the sample that is shown; None before one is, and where there is none."""
        return None if self._key is None else self.look(self._key).sample

    @property
    def value(self) -> Page[Sample]:
        """Return the page of samples that the shown one is on. Raises `DATASET_NOT_READY`."""
        return self._page(self._page_of_key)

    def look(self, key: str) -> Look:
        """Return what there is to see of a sample, read at most a minute ago. Raises `NOT_FOUND`."""
        return self._looks.get(key, lambda: self._look(self.dataset.sample(key)))

    # --- from the browser

    @command("ready")
    def ready(self) -> Json:
        """Return dataset, keys, filters with their choices, the list as far as it was read, and which sample is shown."""
        return {
            "title": self.dataset.title,
            "name": self.dataset.name,
            "version": self.dataset.version,
            "capability": self.dataset.capability,
            "choices": self.choices,
            "keys": keyboard.as_json(keyboard.SAMPLES),
            **self._list(),
        }

    @command("filter")
    def filter(self, filters: dict[str, str | None]) -> Json:
        """Show the samples that have everything that is asked for, from the first; every view gets the new list."""
        before = self.filters
        self._set_filters(filters)
        try:
            listed = self._list()
        except LabelkitError:
            self.filters = before
            raise
        given = ", ".join(f"{name}={value!r}" for name, value in self.filters.items() if value is not None)
        self.python = f"ws.datasets.get({self.dataset.id!r}).samples({given})"
        self.tell("list", listed)
        return {}

    @command("page")
    def page(self, cursor: str) -> Json:
        """Return the page after `cursor`."""
        found = self._page(cursor)
        self._reached += 1
        return {"items": [item_row(sample) for sample in found.items], "next_cursor": found.next_cursor}

    @command("show")
    def show(self, key: str, width: int, height: int, ratio: float, hosted: bool, page: str | None = None) -> Json:  # noqa: FBT001 - the command's arguments
        """Paint a sample into the canvas (or, where the page hosts none, send it as a picture) and tell every view what it is."""
        seen = self.look(key) if hosted else self._fetched(self.look(key))
        self._key, self._page_of_key = key, page
        self.python = f"ws.datasets.get({self.dataset.id!r}).sample({key!r})"
        drawn = self._paint(seen, width, height, ratio) if hosted else self._send_still(seen, width, height, ratio)
        self.tell("shown", {**sample_page.detail_row(drawn, self.dataset.capability), **self._renewal(drawn)})
        return {}

    @command("renew")
    def renew(self, key: str, refused: bool = False) -> Json:  # noqa: FBT001, FBT002 - the command's arguments
        """Return an address of the sample's picture that is good for a while longer; a new one in any case after one was `refused`."""
        sample = self.look(key).sample
        asset = self.dataset.assets.renewed(sample) if refused else self.dataset.assets.url(sample)
        return {"key": key, "url": None if asset is None else asset.url, **self._renewal(replace(self.look(key), asset=asset))}

    @command("prefetch")
    def prefetch(self, key: str) -> Json:
        """Read a sample and its picture, so that the next step finds them."""
        self.look(key)
        return {}

    # --- without a browser

    def describe(self) -> str:
        """Return the dataset, how many samples it has, and what is filtered by."""
        by = ", ".join(f"{name} {value}" for name, value in self.filters.items() if value is not None)
        count = "no samples yet" if self.dataset.sample_count is None else f"{self.dataset.sample_count:,} samples"
        return f"Samples of {self.dataset.title} ({self.dataset.capability}): {count}{f', filtered by {by}' if by else ''}"

    def to_html(self, limit: int = 4, width: int = 400) -> str:
        """Return a page that needs no kernel: up to `limit` samples of the filter, pictures at most `width` px wide, Previous and Next."""
        try:
            found = self.dataset.samples(**self.filters, limit=limit)
        except DatasetNotReady as refused:
            return sample_page.page(self.describe(), [], width, refused.detail)
        more = f"The first {len(found)} are shown." if found.next_cursor else ""
        return sample_page.page(self.describe(), [self._fetched(self._look(s)) for s in found.items], width, more)

    def close(self) -> None:
        """Take the widget and its canvas out of the page; what was refused in the making has none."""
        if self.comm is not None:
            self._painter.close()
        super().close()

    # --- inside

    def _set_filters(self, filters: dict[str, str | None]) -> None:
        for name, value in filters.items():
            if name not in self.choices:
                raise NotFound.among("filter", name, self.choices, "viewer.choices")
            if value is not None and self.choices[name] and value not in self.choices[name]:
                raise NotFound.among(name.replace("_", " "), value, self.choices[name], f"viewer.choices[{name!r}]")
        self.filters = {name: filters.get(name) for name in self.choices}
        self._key, self._page_of_key, self._reached = None, None, 1

    def _read_choices(self) -> dict[str, list[str]]:
        packs = [verdict.pack for verdict in self.dataset.lineage.included]
        return {
            "split": list(self.dataset.split_counts),
            "label": sorted(self.dataset.class_counts),
            "camera_type": sorted({pack.camera_type for pack in packs}),
            "group": sorted({pack.group_key for pack in packs}),
            "finding": [str(code) for code in SampleFinding],
        }

    def _page(self, cursor: str | None) -> Page[Sample]:
        wanted = (*self.filters.values(), cursor)
        return self._pages.get(wanted, lambda: self.dataset.samples(**self.filters, cursor=cursor, limit=PAGE))

    def _list(self) -> dict[str, object]:
        items: list[Json] = []
        cursor: str | None = None
        for _ in range(min(self._reached, PAGES_AT_ONCE)):
            found = self._page(cursor)
            items += [item_row(sample) for sample in found.items]
            cursor = found.next_cursor
            if cursor is None:
                break
        only = {name for name, value in self.filters.items() if value is not None}
        total = (
            self.dataset.sample_count if not only else self.dataset.split_counts[str(self.filters["split"])] if only == {"split"} else None
        )
        return {"filters": self.filters, "items": items, "next_cursor": cursor, "total": total, "selected": self._key}

    def _look(self, sample: Sample) -> Look:
        picture, asset_problem = self._picture(sample)
        own = sample.workspace == self._ws.name  # a copy of a picture is for nobody who may not read the picture
        asset = self.dataset.assets.url(sample) if asset_problem and own else None
        if asset_problem and own and asset is None:
            picture, asset_problem = self._materialized(sample, asset_problem)
        try:
            capability: Capability | None = self._ws.capabilities.get(self.dataset.capability)
        except NotFound:
            capability = None
        shapes, overlay_problem = overlay(sample, capability)
        problem = None if asset is not None else asset_problem
        state = view_of(self.dataset.capability, asset_problem=problem, overlay_problem=overlay_problem)
        return Look(sample, picture, shapes if state.state is ViewState.READY else (), state, capability, asset)

    def _picture(self, sample: Sample) -> tuple[bytes | None, str | None]:
        """Return the original picture, or the code of why there is none."""
        if sample.workspace != self._ws.name:
            return None, "SAMPLE_OF_ANOTHER_WORKSPACE"
        try:
            if self._ws.media.frame(sample.media, sample.frame_index).sha256 != sample.sha256:
                return None, "SAMPLE_ASSET_CHANGED"
            return self._ws.media.frame_bytes(sample.media, sample.frame_index)[0], None
        except FrameUnavailable as refused:
            return None, str(refused.facts["problem"])
        except LabelkitError as refused:
            return None, refused.code

    def _materialized(self, sample: Sample, problem: str) -> tuple[bytes | None, str | None]:
        """Return the materialized picture in place of an original that has a problem; where there is none, that problem."""
        try:
            data = self.dataset.assets.bytes(sample)
        except LabelkitError as refused:
            return None, str(refused.facts.get("problem", problem))
        return (None, problem) if data is None else (data, None)

    def _fetched(self, seen: Look) -> Look:
        """Return a look with the bytes of its picture, where it had an address only, for what is drawn in Python."""
        if seen.asset is None:
            return seen
        picture, problem = self._materialized(seen.sample, "SAMPLE_ASSET_GONE")
        state = view_of(self.dataset.capability, asset_problem=problem) if problem else seen.state
        return replace(seen, picture=picture, asset=None, state=state, shapes=seen.shapes if picture else ())

    def _renewal(self, seen: Look) -> Json:
        """Return in how many seconds the browser must ask for another address of the picture; nothing where it needs none."""
        if seen.asset is None:
            return {"renew_in_s": None}
        return {"renew_in_s": self.dataset.assets.renew_in_s(seen.asset)}

    def _paint(self, seen: Look, width: int, height: int, ratio: float) -> Look:
        painter = self._painter
        painter.resize(width, height, ratio)
        view = View.fit(seen.sample.width, seen.sample.height, width, height)
        try:
            with hold():
                painter.clear(0)
                painter.clear(1)
                if seen.picture is not None:
                    painter.picture(0, seen.picture, view)
                    painter.shapes(1, seen.shapes, view, ratio)
        except (OSError, SyntaxError, ValueError) as error:  # what PIL says of bytes that are no picture
            with hold():
                painter.clear(0)
                painter.clear(1)
            self.errors.append(error)
            return broken(seen, self.dataset.capability)
        return seen

    def _send_still(self, seen: Look, width: int, height: int, ratio: float) -> Look:
        if seen.picture is None:
            return seen
        try:
            size = seen.sample.width, seen.sample.height
            picture = still(seen.picture, seen.shapes, size, width, height, ratio=ratio, enlarge=True)
        except (OSError, SyntaxError, ValueError) as error:
            self.errors.append(error)
            return broken(seen, self.dataset.capability)
        self.tell("still", {"key": seen.sample.key}, [picture])
        return seen


def _now_s() -> float:
    return now_s()


def item_row(sample: Sample) -> Json:
    """Return a sample as the list shows it."""
    return {
        "key": sample.key,
        "split": sample.split,
        "group": sample.group,
        "media": sample.media,
        "frame": sample.frame_index,
        "labels": len(sample.annotations),
    }
