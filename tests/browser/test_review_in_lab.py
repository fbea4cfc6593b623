"""The frame review in a real JupyterLab: what a reviewer does, and what becomes of it in the kernel."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Notebook
from tests.browser.lab_review import Review

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from labelkit.synthetic import Match
    from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

OPEN = """import labelkit
from labelkit.errors import LabelkitError
ws = labelkit.open("{name}.duckdb", workspace="club-a", user="ana")
ws.media.add("{frames}", name="match-1", camera_type="broadcast")
run = ws.prelabels.import_("yolo", "{labels}", media="match-1", capability="player_detection",
                           classes=["ball", "goalkeeper", "player", "referee"], model="synthetic", model_version="1")"""
SHOW = 'review = labelkit.widgets.FrameReview(ws, "match-1", "player_detection", run=run.id)\nreview'

GHOSTS = """() => {
  const stage = document.querySelector(".lk-stage");
  const holder = stage.querySelector(".lk-hosted");
  const canvas = holder.querySelector("canvas");
  if (!canvas || getComputedStyle(holder).visibility !== "visible") return 0;
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let drawn = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i] > 0) drawn += 1;
  return drawn;
}"""


COUNT = """() => {
  window.sent = [];
  jupyterapp.shell.currentWidget.sessionContext.session.kernel.anyMessage.connect((_, { msg, direction }) => {
    const data = msg.content.data;
    if (direction === "send" && msg.header.msg_type.startsWith("comm")) sent.push(data?.content?.command ?? data?.method);
  });
}"""


@pytest.fixture(scope="module")
def notebook(lab: Lab, tab: BrowserContext, match: Match) -> Iterator[Notebook]:
    name = lab.write("review.ipynb", [opening("review", match), SHOW, "1 + 1"])
    opened = lab.open(tab, name)
    opened.run()
    yield opened
    assert opened.problems == []
    opened.close()


@pytest.fixture
def review(notebook: Notebook) -> Review:
    return Review(notebook).wait()


def opening(name: str, match: Match, frames: Path | None = None) -> str:
    clip = match.clips[0]
    return OPEN.format(name=name, frames=frames or clip.folder, labels=match.folder / "pre" / clip.name)


def test_a_dragged_box_a_flag_and_an_accept_reach_the_kernel_and_the_store(review: Review, keep_picture: Callable[..., Path]) -> None:
    # given
    before = review.notebook.python("len(review.frame.annotations)")
    review.page.wait_for_timeout(500)
    review.page.evaluate(COUNT)
    # when
    review.drag((60, 300), (110, 400))
    review.saved()
    review.page.wait_for_timeout(300)
    # then
    assert review.page.evaluate("window.sent") == ["op"]
    # when
    review.press("3", "Shift+1")
    review.saved()
    # then
    added = review.notebook.python("[(a.label, round(a.geometry.x), round(a.geometry.width)) for a in review.value.frames[0].annotations]")
    assert len(added) == before + 1
    assert added[-1][0] == "referee"
    assert added[-1][1:] == pytest.approx([60, 50], abs=2)
    assert review.notebook.python("[str(f) for f in review.value.frames[0].flags]") == ["bad_frame"]
    keep_picture(review.page, "review-light")
    # when
    review.press("a")
    # then
    assert review.index == 1
    review.saved()
    assert review.notebook.python("review.value.frames[0].state") == "accepted"


def test_undo_goes_back_frame_and_all(review: Review) -> None:
    # given
    review.focus()
    count = "len(review.live.frame(1).annotations)"
    before = review.notebook.python(count)
    review.press("]", "Delete", ".", ".")
    assert review.notebook.python(count) == before - 1
    # when
    review.press("Control+z")
    # then
    expect(review.page.get_by_role("textbox", name="Go to frame")).to_have_value("2")
    assert review.notebook.python(count) == before


def test_no_key_changes_a_cell(review: Review) -> None:
    # given
    cells = review.notebook.cells()
    # when
    review.focus()
    review.press("d", "d", "x", "a", "b", "z", "m", "y", "r", "0", "0", "Shift+m", "Shift+Enter", "j", "k", "c", "v", "Escape")
    button = review.page.get_by_role("button", name="Next untouched")
    button.focus()
    review.press("d", "d", "x", "a", "b")
    # then
    assert review.notebook.cells() == cells
    assert review.page.get_by_role("application").count() == 1
    # when
    review.page.get_by_role("application").focus()
    review.press("Tab")
    # then
    expect(review.page.get_by_role("textbox", name="Go to frame")).to_be_focused()


def test_python_paints_what_the_review_changed_for_the_frame_that_is_shown(review: Review) -> None:
    # given
    review.notebook.python("review.live.go(4) or 1")
    field = review.page.get_by_role("textbox", name="Go to frame")
    field.fill("5")
    field.press("Enter")
    review.page.wait_for_timeout(400)
    # then
    assert review.page.evaluate(GHOSTS) == 0
    # when
    review.focus()
    review.press("]", "Delete")
    # then
    review.page.wait_for_function(f"() => ({GHOSTS})() > 20")
    # when
    review.press(".")
    # then
    assert review.page.evaluate(GHOSTS) == 0


def test_frames_drags_and_saves_go_on_while_a_cell_runs(review: Review) -> None:
    # given
    review.focus()
    review.page.wait_for_timeout(500)
    start = review.index
    review.page.evaluate(
        "() => { const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;"
        "window.cell = kernel.requestExecute({ code: 'import time; time.sleep(4)' }); window.cellDone = false;"
        "window.cell.done.then(() => (window.cellDone = true)); }"
    )
    # when
    review.press(".", "v")
    review.drag((60, 300), (110, 400))
    # then
    assert review.index == start + 1
    expect(review.page.locator(".lk-stage.lk-loading")).to_have_count(0)
    expect(review.page.locator(".lk-side .lk-badge")).to_have_text("edited")
    assert review.page.evaluate("window.cellDone") is False
    # when
    review.page.wait_for_function("() => window.cellDone")
    review.saved()
    # then
    assert review.notebook.python(f"str(review.value.frames[{start + 1}].state)") == "edited"


def test_publish_asks_for_an_override_and_then_makes_a_revision_that_can_be_approved(review: Review) -> None:
    # given
    page = review.page
    # when
    page.get_by_role("button", name="Publish", exact=True).click()
    # then
    expect(page.get_by_text("WARNINGS_REQUIRE_OVERRIDE", exact=True)).to_be_visible()
    expect(page.get_by_role("list", name="Findings").get_by_role("listitem").first).to_be_visible()
    # when
    page.get_by_role("checkbox", name="Override the warnings").check()
    page.get_by_role("button", name="Publish all the same").click()
    # then
    expect(page.get_by_text("REASON_REQUIRED")).to_be_visible()
    # when
    page.get_by_label("Reason for the override").fill("looked at by hand")
    page.get_by_role("button", name="Publish all the same").click()
    # then
    expect(page.get_by_text("PUBLISH_SUCCESS", exact=True)).to_be_visible()
    assert review.notebook.python("[r.number for r in ws.review.history('match-1', 'player_detection')]") == [1]
    # when
    page.get_by_role("tab", name="Revisions").click()
    page.get_by_role("button", name="Approve for dataset: revision 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve for dataset").click()
    # then
    expect(page.get_by_role("button", name="Revoke: revision 1")).to_be_visible()
    assert review.notebook.python("str(ws.review.history('match-1', 'player_detection')[0].eligibility)") == "APPROVED"


def test_a_second_tab_shows_the_same_review_and_edits_reach_both(review: Review, lab: Lab, tab: BrowserContext) -> None:
    # given
    review.notebook.save()
    other = Review(lab.open(tab, "review.ipynb")).wait()
    # when
    field = other.page.get_by_role("textbox", name="Go to frame")
    field.fill("10")
    field.press("Enter")
    other.wait()
    other.press("Shift+4")
    other.saved()
    # then
    flags = ["false_negative_suspected"]
    assert review.notebook.until("[str(f) for f in review.value.frames[9].flags]", flags) == flags
    # when
    mine = review.page.get_by_role("textbox", name="Go to frame")
    mine.fill("10")
    mine.press("Enter")
    # then
    flag = review.page.get_by_role("button", name="False negative suspected")
    expect(flag).to_have_attribute("aria-pressed", "true")
    assert other.notebook.problems == []
    other.page.close()


def test_a_reload_of_the_page_goes_on_in_the_same_place_with_the_same_undo(review: Review) -> None:
    # given
    field = review.page.get_by_role("textbox", name="Go to frame")
    field.fill("4")
    field.press("Enter")
    review.press("]", "Delete")
    review.saved()
    left = review.notebook.python("len(review.live.frame(3).annotations)")
    review.notebook.save()
    # when
    review.notebook.load()
    review.wait()
    # then
    assert review.index == 3
    assert review.objects == left
    # when
    review.focus()
    review.press("Control+z")
    # then
    expect(review.page.get_by_role("button", name="Redo")).to_be_enabled()
    assert review.notebook.python("len(review.live.frame(3).annotations)") == left + 1


def test_a_cell_run_again_shows_one_review_with_few_models(review: Review) -> None:
    # given
    place = review.index
    count = (
        "len([w for w in __import__('ipywidgets').Widget.widgets.values()]) if hasattr(__import__('ipywidgets').Widget, 'widgets') else "
    )
    count += "len(__import__('ipywidgets.widgets.widget', fromlist=['_instances'])._instances)"
    models = review.notebook.python(count)
    # when
    for _ in range(3):
        review.page.evaluate("() => { const nb = jupyterapp.shell.currentWidget.content; nb.activeCellIndex = 1; }")
        review.page.evaluate("() => jupyterapp.commands.execute('notebook:run-cell')")
    review.wait()
    # then
    expect(review.page.get_by_role("application")).to_have_count(1)
    assert review.index == place
    assert review.notebook.python(count) == models


def test_it_looks_right_in_the_dark(review: Review, keep_picture: Callable[..., Path]) -> None:
    # when
    review.notebook.dark()
    review.page.wait_for_timeout(700)
    keep_picture(review.page, "review-dark")
    ground = review.page.evaluate("() => getComputedStyle(document.querySelector('.lk-root')).backgroundColor")
    text = review.page.evaluate("() => getComputedStyle(document.querySelector('.lk-root')).color")
    review.notebook.dark(on=False)
    # then
    assert brightness(ground) < 0.2
    assert brightness(text) > 0.7


def brightness(colour: str) -> float:
    numbers = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(numbers) / 3 / 255


def test_a_restarted_kernel_leaves_the_last_picture_read_only_with_a_sentence(review: Review) -> None:
    # when
    review.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    # then
    banner = review.page.get_by_role("alert").filter(has_text="read-only")
    expect(banner).to_be_visible(timeout=15_000)
    objects = review.objects
    # when
    review.drag((60, 300), (110, 400))
    # then
    assert review.objects == objects
    assert "model not found" not in review.page.locator(".jp-Notebook").inner_text().lower()


def test_a_broken_picture_says_why_and_the_frames_around_it_work(lab: Lab, tab: BrowserContext, short: Match, tmp_path: Path) -> None:
    # given
    frames = shutil.copytree(short.clips[0].folder, tmp_path / "frames")
    sorted(frames.glob("*.jpg"))[1].write_bytes(b"\xff\xd8\xff no picture")
    name = lab.write("broken.ipynb", [opening("broken", short, frames), SHOW])
    notebook = lab.open(tab, name)
    notebook.run()
    review = Review(notebook).wait()
    # when
    review.focus()
    review.press(".")
    # then
    expect(review.page.get_by_text("This frame has no picture")).to_be_visible()
    # when
    review.press("Shift+1", ".")
    review.saved()
    # then
    expect(review.page.get_by_text("This frame has no picture")).to_be_hidden()
    assert notebook.python("[str(f) for f in review.value.frames[1].flags]") == ["bad_frame"]
    assert notebook.problems == []
    notebook.close()


def test_in_voila_the_same_review_works(lab: Lab, tab: BrowserContext, short: Match) -> None:
    # given
    name = lab.write("voila.ipynb", [opening("voila", short), SHOW])
    page = tab.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    # when
    page.goto(f"{lab.url}/voila/render/{name}?token={lab.token}")
    review = Review(Notebook(page, lab, name)).wait()
    count = review.objects
    review.drag((60, 300), (110, 400))
    review.saved()
    # then
    assert review.objects == count + 1
    # when
    review.press(".")
    # then
    assert review.index == 1
    expect(page.locator(".lk-stage.lk-loading")).to_have_count(0)
    assert problems == []
    page.close()
