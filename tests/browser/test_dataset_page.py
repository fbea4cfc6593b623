"""The page of a dataset in a browser, from a file, without a kernel, a server or a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit import BuildRequest, ReviewOp
from labelkit.widgets import DatasetExplorer, assets
from tests.browser.showing import EVIL, in_page
from tests.widgets.scenes import built

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset

pytestmark = pytest.mark.browser


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Workspace, Dataset]]:
    ws, dataset = built(tmp_path)
    with ws:
        yield ws, dataset


@pytest.fixture
def opened(page: Page) -> Iterator[Callable[[Path], Page]]:
    """Opens a file; nothing may be fetched, nothing may go wrong, and no name may do harm."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("request", lambda request: None if request.url.startswith(("file:", "data:", "blob:")) else problems.append(request.url))

    def show(file: Path) -> Page:
        page.goto(f"file://{file}")
        return page

    yield show
    assert page.evaluate("window.harmed") is None
    assert problems == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_samples_are_filtered_and_stepped_through_by_mouse_and_keyboard(
    opened: Callable[[Path], Page],
    page: Page,
    scene: tuple[Workspace, Dataset],
    tmp_path: Path,
    keep_picture: Callable[..., Path],
    theme: str,
) -> None:
    # given
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    opened(scene[1].to_page(tmp_path / "players.html"))
    # then
    expect(page.get_by_role("status")).to_have_text("1 of 9: club-a/clip-1/000000")
    assert page.locator("figure img").evaluate("(image) => image.naturalWidth") == 320
    assert page.locator("figure svg rect").count() == 2 * len(scene[1].sample("club-a/clip-1/000000").annotations)
    splits = page.get_by_role("region", name="Splits").locator("th, td")
    sides = splits.evaluate_all("(cells) => cells.map((cell) => [cell.cellIndex > 0, getComputedStyle(cell).textAlign])")
    assert {tuple(side) for side in sides} == {(False, "left"), (True, "right")}
    keep_picture(page, f"dataset-page-{theme}")
    # when
    page.get_by_role("combobox", name="Group").select_option("clip-2")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="Samples").click()
    page.keyboard.press("ArrowRight")
    # then
    expect(page.get_by_role("status")).to_have_text("3 of 3: club-a/clip-2/000002")
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    # when
    page.get_by_role("combobox", name="Split").select_option(
        next(one for one in scene[1].split_counts if one != scene[1].sample("club-a/clip-2/000002").split)
    )
    # then
    expect(page.get_by_text("No sample has all of this.")).to_be_visible()
    # when
    page.add_script_tag(content=(assets.folder() / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8"))
    faults = page.evaluate("() => axe.run().then((result) => result.violations.map((rule) => rule.id + rule.nodes[0].html))")
    # then
    assert faults == []


def test_lineage_is_the_same_in_the_value_the_widget_and_the_page(
    opened: Callable[[Path], Page], page: Page, scene: tuple[Workspace, Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    ws, dataset = scene
    value = dataset.facts.lineage_rows
    explorer = DatasetExplorer(ws)
    explorer.show_dataset(dataset.id)
    # when
    with in_page(page, explorer, monkeypatch):
        rows = page.get_by_role("table", name="Lineage").locator("[data-index]")
        expect(rows).to_have_count(len(value))
        widget = [
            [(cell.locator("[title]").get_attribute("title") or "").split(" (click")[0] for cell in row.get_by_role("cell").all()]
            for row in rows.all()
        ]
    opened(dataset.to_page(tmp_path / "players.html", samples=1))
    cells = page.get_by_role("region", name="Lineage").locator("tbody tr")
    static = [row.get_by_role("cell").all_inner_texts() for row in cells.all()]
    # then
    assert static == [list(row) for row in value]
    assert widget == [[decision, why, media, group, pack, *more] for pack, decision, why, media, group, *more in value]
    named = {row[0] for row in value}
    assert set(dataset.lineage.to_polars()["pack_id"]) == named == {verdict.pack_id for verdict in dataset.lineage.included}


def test_names_that_are_html_or_end_the_script_stay_names(
    opened: Callable[[Path], Page], page: Page, scene: tuple[Workspace, Dataset], tmp_path: Path
) -> None:
    # given
    ws, evil = scene[0], f"</script>{EVIL}<!--"
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "0.jpg").write_bytes(ws.media.frame_bytes("clip-1", 0)[0])
    ws.media.add(tmp_path / "frames", name=evil, group_key=evil, camera_type=evil)
    ws.capabilities.add("evil", geometry="box", classes=[evil])
    draft = ws.review.open(evil, "evil")
    draft = ws.review.apply(draft.id, base_version=draft.version, ops=[ReviewOp.add_box(0, evil, 10, 10, 20, 20)])
    outcome = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="bad names")
    ws.review.set_eligibility(outcome.revision.id, "APPROVED", expected_version=1)
    request = BuildRequest(capability="evil", label_pack_ids=[outcome.pack.id], name=evil, description=evil, ratios={evil: 1.0})
    # when
    opened(ws.datasets.build(request).dataset.to_page(tmp_path / "evil.html"))
    # then
    expect(page.get_by_role("heading", level=1)).to_contain_text(evil)
    expect(page.get_by_role("region", name="Samples").get_by_role("cell", name=evil)).to_be_visible()
    expect(page.get_by_role("combobox", name="Group").locator("option").nth(1)).to_have_text(evil)
