"""SampleViewer in a browser: the list, the picture, the words where there is none, and steps by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit import BuildRequest, ReviewOp
from labelkit.widgets import SampleViewer, sample_viewer
from tests.browser.showing import EVIL, in_lab, in_page
from tests.browser.twin import AT_ONCE
from tests.widgets.scenes import built, half_built

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, Page

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset
    from tests.browser.bridge import Bridge
    from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

DRAWN = """() => [...document.querySelectorAll(".lk-picture-canvas canvas")].some((canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return data.some((value, at) => at % 4 === 3 && value > 0);
})"""


SLOW = """() => {
  const real = window.toPython;
  window.toPython = (text) => new Promise((done) => setTimeout(() => real(text).then(done), 300));
}"""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Workspace, Dataset]]:
    ws, dataset = built(tmp_path)
    with ws:
        yield ws, dataset


@pytest.fixture
def shown(page: Page, scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bridge]:
    with in_page(page, SampleViewer(*scene), monkeypatch) as bridge:
        expect(page.get_by_role("img", name="Frame club-a/clip-1/000000")).to_be_visible()
        yield bridge


def key(number: int, media: str = "clip-1") -> str:
    return f"club-a/{media}/{number:06}"


def test_the_first_sample_is_shown_with_its_picture_facts_and_labels(shown: Bridge, scene: tuple[Workspace, Dataset]) -> None:
    # given
    page, sample = shown.page, scene[1].sample(key(0))
    # then
    expect(page.get_by_text("Sample 1 of 9")).to_be_visible()
    labels = page.get_by_role("table", name="Labels of the sample")
    expect(labels).to_have_attribute("aria-rowcount", str(len(sample.annotations) + 1))
    expect(page.get_by_role("definition").filter(has_text="320 x 180 px")).to_be_visible()
    painted, shown_px = page.locator(".lk-picture-still").evaluate("(image) => [image.naturalHeight, image.clientHeight]")
    assert painted in range(shown_px - 2, shown_px + 1)  # painted as large as it is shown, so that its letters are no larger
    assert shown.widget.selected == sample


def test_previous_and_next_stay_within_the_result(shown: Bridge) -> None:
    # given
    page = shown.page
    previous, after = page.get_by_role("button", name="Previous"), page.get_by_role("button", name="Next")
    expect(previous).to_have_attribute("aria-disabled", "true")
    # when
    page.get_by_label("Group").select_option("clip-2")
    expect(page.get_by_role("img", name=key(0, "clip-2"))).to_be_visible()
    after.click()
    after.click()
    # then
    expect(page.get_by_role("img", name=key(2, "clip-2"))).to_be_visible()
    expect(after).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_text("Sample 3 of 3")).to_be_visible()
    assert shown.widget.selected.key == key(2, "clip-2")
    # when
    previous.click()
    # then
    expect(page.get_by_role("listbox").get_by_role("option", selected=True)).to_have_attribute("title", key(1, "clip-2"))


def test_filters_leave_what_has_all_of_them_and_say_when_nothing_has(shown: Bridge, scene: tuple[Workspace, Dataset]) -> None:
    # given
    page = shown.page
    split = scene[1].sample(key(0)).split
    other = next(name for name in scene[1].split_counts if name != split)
    # when
    page.get_by_label("Group").select_option("clip-1")
    page.get_by_label("Split").select_option(other)
    # then
    expect(page.get_by_text("No sample has all of this.")).to_be_visible()
    expect(page.get_by_text("No sample to show.")).to_be_visible()
    # when
    page.get_by_label("Split").select_option(split)
    # then
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(3)
    expect(page.get_by_label("Group")).to_have_value("clip-1")


def test_arrow_keys_step_from_the_list_and_from_anywhere_but_a_field(shown: Bridge) -> None:
    # given
    page = shown.page
    page.get_by_role("listbox").focus()
    # when
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    # then
    expect(page.get_by_role("img", name=key(2))).to_be_visible()
    active = page.get_by_role("listbox").get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    # when
    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(",")
    # then
    expect(page.get_by_role("img", name=key(0))).to_be_visible()
    # when
    page.keyboard.press(".")
    # then
    expect(page.get_by_role("img", name=key(1))).to_be_visible()


def test_the_next_page_is_read_ahead_and_the_list_goes_on_by_itself(
    page: Page, scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr(sample_viewer, "PAGE", 4)
    with in_page(page, SampleViewer(*scene), monkeypatch) as bridge:
        expect(page.get_by_role("img", name=key(0))).to_be_visible()
        # then
        assert bridge.asks("page")[0] == {"cursor": scene[1].samples(limit=4).next_cursor}
        # when
        page.get_by_role("listbox").focus()
        page.keyboard.press("End")
        # then
        expect(page.get_by_text("Sample 9 of 9")).to_be_visible()
        assert len(bridge.asks("page")) == 2


def test_the_next_picture_is_read_ahead(shown: Bridge) -> None:
    shown.asks_become("prefetch", 1)
    assert shown.asks("prefetch") == [{"key": key(1)}]
    assert key(1) in shown.widget._looks


def test_steps_that_come_faster_than_pictures_show_only_the_last(shown: Bridge) -> None:
    # given
    page = shown.page
    before = len(shown.asks("show"))
    page.evaluate(SLOW)
    # when
    page.get_by_role("listbox").focus()
    page.evaluate(AT_ONCE, ["ArrowDown"] * 6)
    # then
    expect(page.get_by_role("img", name=key(0, "clip-3"))).to_be_visible()
    assert len(shown.asks("show")) - before == 2
    assert shown.widget.selected.key == key(0, "clip-3")


def test_a_page_that_is_loaded_again_is_in_the_same_place(shown: Bridge, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    page.get_by_label("Group").select_option("clip-2")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("img", name=key(1, "clip-2"))).to_be_visible()
    page.evaluate("() => window.end()")
    # when
    again = page.context.new_page()
    with in_page(again, shown.widget, monkeypatch):
        # then
        expect(again.get_by_role("img", name=key(1, "clip-2"))).to_be_visible()
        expect(again.get_by_label("Group")).to_have_value("clip-2")
    again.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_that_is_gone_is_words_with_a_reason_and_never_a_blank(
    page: Page, scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path], theme: str
) -> None:
    # given
    ws = scene[0]
    file = Path(ws.media.get("clip-1").root) / ws.media.frame("clip-1", 0).name
    kept = file.read_bytes()
    file.unlink()
    try:
        with in_page(page, SampleViewer(*scene), monkeypatch, theme) as bridge:
            # then
            expect(page.get_by_text("Sample asset unavailable", exact=True)).to_be_visible()
            expect(page.locator(".lk-picture").get_by_text("FRAME_MISSING")).to_be_visible()
            expect(page.get_by_role("table", name="Labels of the sample")).to_be_visible()
            assert bridge.faults() == []
            keep_picture(page, f"samples-missing-{theme}")
    finally:
        file.write_bytes(kept)


def test_a_dataset_whose_build_failed_says_so(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    ws, dataset = half_built(tmp_path)
    # when
    with ws, in_page(page, SampleViewer(ws, dataset), monkeypatch):
        # then
        expect(page.get_by_role("alert").filter(has_text="DATASET_NOT_READY")).to_be_visible()
        expect(page.get_by_text("There are no samples to show.")).to_be_visible()


def test_names_that_are_html_stay_names(
    page: Page, scene: tuple[Workspace, Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    ws = scene[0]
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "0.jpg").write_bytes(ws.media.frame_bytes("clip-1", 0)[0])
    ws.media.add(tmp_path / "frames", name=EVIL, group_key=EVIL, camera_type=EVIL)
    ws.capabilities.add("evil", geometry="box", classes=[EVIL])
    draft = ws.review.open(EVIL, "evil")
    draft = ws.review.apply(draft.id, base_version=draft.version, ops=[ReviewOp.add_box(0, EVIL, 10, 10, 20, 20)])
    outcome = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="bad names")
    ws.review.set_eligibility(outcome.revision.id, "APPROVED", expected_version=1)
    dataset = ws.datasets.build(BuildRequest(capability="evil", label_pack_ids=[outcome.pack.id], name=EVIL)).dataset
    widget = SampleViewer(ws, dataset)
    static = widget.to_html()
    # when
    with in_page(page, widget, monkeypatch):
        # then
        expect(page.get_by_text("This sample type is not supported yet", exact=True)).to_be_visible()
        expect(page.get_by_role("table", name="Labels of the sample")).to_contain_text(EVIL)
        expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text(EVIL)
    page.set_content(static)
    page.wait_for_timeout(50)
    assert page.evaluate("window.harmed") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(
    page: Page, scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path], theme: str
) -> None:
    with in_page(page, SampleViewer(*scene), monkeypatch, theme) as bridge:
        expect(page.get_by_role("img", name=key(0))).to_be_visible()
        assert bridge.faults() == []
        keep_picture(page, f"samples-{theme}")


def test_the_static_page_is_readable_and_its_links_lead_from_sample_to_sample(
    page: Page, scene: tuple[Workspace, Dataset], tmp_path: Path, keep_picture: Callable[..., Path]
) -> None:
    # given
    (tmp_path / "samples.html").write_text(SampleViewer(*scene).to_html(limit=9, width=320), encoding="utf-8")
    page.goto(f"file://{tmp_path / 'samples.html'}")
    # when
    page.get_by_role("link", name="Next").first.click()
    # then
    expect(page.get_by_text(key(1))).to_be_in_viewport()
    assert page.evaluate("() => [...document.images].every((image) => image.naturalWidth === 320)")
    keep_picture(page, "samples-static")


def test_in_jupyterlab_python_paints_the_sample_and_knows_which_it_is(
    lab: Lab, tab: BrowserContext, scene: tuple[Workspace, Dataset]
) -> None:
    with in_lab(lab, tab, scene[0], "SampleViewer(ws, 'players')") as notebook:
        # given
        page, root = notebook.page, notebook.widget("Samples")
        expect(root.get_by_role("img", name=key(0))).to_be_visible()
        page.wait_for_function(DRAWN)
        # when
        root.get_by_role("listbox").focus()
        for press in ("ArrowDown", "ArrowRight", "d", "d", "x", "a", "b"):
            page.keyboard.press(press)
        # then
        expect(root.get_by_role("img", name=key(2))).to_be_visible()
        assert notebook.python("widget.selected.key") == key(2)
        # when
        notebook.save()
        notebook.load()
        # then
        expect(notebook.widget("Samples").get_by_role("img", name=key(2))).to_be_visible()
        page.wait_for_function(DRAWN)
