"""The review queue in a browser: list, filter, open a review, back, next; the whole work in Voila, without a line of code."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import labelkit
from labelkit import recipes
from labelkit.core.media import Media, MediaKind
from labelkit.store.ids import new_id
from labelkit.widgets import ReviewQueue
from tests.browser import reviews
from tests.browser.lab import Notebook
from tests.browser.lab_review import Review
from tests.browser.showing import EVIL, in_page
from tests.services.worlds import add_media, add_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from labelkit import Workspace
    from labelkit.synthetic import Match
    from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

SCOPES = 500
ROWS_AT_MOST = 40


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_scopes_are_listed_filtered_opened_left_and_the_next_one_is_a_key_away(
    page: Page, short: Match, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., object], theme: str
) -> None:
    # given
    ws = reviews.workspace(short)
    ws.media.add(short.clips[0].folder, name=f"other {EVIL}")
    for media in ("match-1", f"other {EVIL}"):
        ws.review.open(media, reviews.PLAYERS)
    with in_page(page, ReviewQueue(ws), monkeypatch, theme) as bridge:
        widget = bridge.widget
        # a plain page has no manager of widgets: it learns that a review is open, and shows none
        widget.observe(lambda change: bridge.sent.append({"trait": "review", "value": change["new"] and "IPY_MODEL_1"}), names="review")
        # then
        expect(bridge.root).to_contain_text("match-1")
        opening = page.get_by_role("button", name="Continue")
        expect(opening).to_have_count(2)
        keep_picture(page, f"queue-{theme}")
        assert bridge.faults() == []
        # when
        page.get_by_role("searchbox", name="Filter the queue").fill("match-1")
        # then
        expect(opening).to_have_count(1)
        # when
        opening.click()
        # then
        bridge.until(lambda: widget.selected == ("match-1", reviews.PLAYERS))
        # when
        widget.review.live.go(0)
        page.get_by_role("button", name="Back to the queue").click()
        # then
        expect(bridge.root).to_contain_text("1 of 3")
        expect(opening).to_have_count(1)
        assert widget.selected is None
        # when
        page.get_by_role("searchbox", name="Filter the queue").fill("")
        page.get_by_role("button", name="Next to review").focus()
        page.keyboard.press("n")
        # then
        bridge.until(lambda: widget.selected is not None)
        widget.review.close()


def many(scopes: int) -> Workspace:
    """Return a workspace with that many clips of four frames, each with a model's labels."""
    ws = labelkit.open(":memory:", workspace="club-a", user="ana")
    first = add_media(ws, "clip 0001")
    run = add_run(ws, {}, first)
    with ws._database.transaction() as tx:
        (pack,) = tx.rows("SELECT * FROM prelabel_packs WHERE run_id = $run", run=run)
        packs = []
        for number in range(2, scopes + 1):
            name = f"clip {number:04}"
            made = Media(
                new_id("med"),
                ws.id,
                name,
                MediaKind.IMAGES,
                "/nowhere",
                f"match {number // 10}",
                "tactical",
                4,
                first.frames_object,
                tx.now,
                "ana",
            )
            tx.media.add(made)
            packs.append({**pack, "id": new_id("pre"), "media_id": made.id})
        tx.insert("prelabel_packs", packs)
    return ws


def test_five_hundred_scopes_are_as_quick_as_five(page: Page, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., object]) -> None:
    # given
    with in_page(page, ReviewQueue(many(SCOPES)), monkeypatch) as bridge:
        rows = page.get_by_role("table", name="Scopes").locator("[data-index]")
        expect(bridge.root).to_contain_text("clip 0001")
        # then only what is in sight is in the page
        assert 10 < rows.count() < ROWS_AT_MOST
        keep_picture(page, "queue-500")
        # when
        page.get_by_role("button", name="Review clip 0001, player_detection").focus()
        page.keyboard.press("End")
        # then
        expect(page.get_by_role("button", name="Review clip 0500, player_detection")).to_be_focused()
        assert rows.count() < ROWS_AT_MOST
        # when
        field = page.get_by_role("searchbox", name="Filter the queue")
        field.fill("match 7")
        # then
        expect(page.get_by_text("10 of 500 scopes")).to_be_visible()
        assert rows.count() == 10
        # when everything is listed again, drawing it takes no longer than a moment
        spent = page.evaluate(
            "async (field) => { const start = performance.now(); field.value = ''; field.dispatchEvent(new Event('input'));"
            " await new Promise(requestAnimationFrame); return performance.now() - start; }",
            field.element_handle(),
        )
        assert spent < 500
        # when it is read anew
        start = time.perf_counter()
        state = bridge.widget.state()
        # then
        assert len(state["scopes"]) == SCOPES
        assert time.perf_counter() - start < 3


@pytest.fixture
def place(lab: Lab) -> Path:
    """A folder below the server's root with the notebook in it, as somebody would put it there."""
    folder = lab.root / new_id("dir")
    folder.mkdir()
    shutil.copy(recipes.find("review_queue"), folder)
    return folder


def test_in_voila_the_whole_work_is_done_without_a_line_of_code(
    lab: Lab, tab: BrowserContext, place: Path, short: Match, keep_picture: Callable[..., object]
) -> None:
    # given a store with two clips that a model has labelled
    with labelkit.open(place / "labels.duckdb") as ws:
        for media in ("first half", "second half"):
            ws.media.add(short.clips[0].folder, name=media)
            labels = short.folder / "pre" / short.clips[0].name
            ws.prelabels.import_("yolo", labels, media=media, capability=reviews.PLAYERS, classes=list(short.classes), model="net")
    page = tab.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    # when
    page.goto(f"{lab.url}/voila/render/{place.name}/review_queue.ipynb?token={lab.token}")
    queue = page.get_by_role("region", name="Review queue")
    queue.get_by_role("button", name="Review first half, player_detection").wait_for()
    keep_picture(page, "queue-voila")
    # then no code is in sight
    assert "import" not in page.locator("body").inner_text()
    # when
    queue.get_by_role("searchbox", name="Filter the queue").fill("second")
    # then
    expect(queue.get_by_role("button", name="Review first half, player_detection")).to_have_count(0)
    # when a clip is opened with a click, a box drawn, every frame accepted, and the result published
    queue.get_by_role("button", name="Review second half, player_detection").click()
    review = Review(Notebook(page, lab, "review_queue.ipynb")).wait()
    count = review.objects
    review.drag((60, 300), (110, 400))
    for _ in range(3):
        review.press("a")
        review.saved()
    review.press("Control+Enter")
    # then
    expect(page.locator(".lk-outcome")).to_contain_text("PUBLISH_SUCCESS")
    keep_picture(page, "queue-voila-review")
    # when
    queue.get_by_role("button", name="Next scope").click()
    # then
    expect(page.get_by_role("heading", name="first half")).to_be_visible()
    review.wait()
    # when
    queue.get_by_role("button", name="Back to the queue").click()
    # then
    expect(queue.get_by_role("button", name="Continue second half, player_detection")).to_be_visible()
    assert problems == []
    page.close()
    with labelkit.open(place / "labels.duckdb") as ws:
        (revision,) = ws.review.history("second half", reviews.PLAYERS)
        draft = ws.review.open("second half", reviews.PLAYERS)
        assert [str(frame.state) for frame in draft.frames] == ["accepted"] * 3
        assert len(draft.frames[0].annotations) == count + 1
        assert revision.annotation_count == sum(len(frame.annotations) for frame in draft.frames)


def test_in_voila_a_notebook_without_a_store_says_what_to_do(lab: Lab, tab: BrowserContext, place: Path) -> None:
    # when
    page = tab.new_page()
    page.goto(f"{lab.url}/voila/render/{place.name}/review_queue.ipynb?token={lab.token}")
    # then
    expect(page.get_by_text("There is no store here yet")).to_be_visible()
    expect(page.get_by_text("Ask whoever prepares the clips where the store is")).to_be_visible()
    assert "Traceback" not in page.content()
    assert not (place / "labels.duckdb").exists()
    page.close()


def test_an_empty_store_says_what_to_do(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    labelkit.open(tmp_path / "labels.duckdb").close()
    with in_page(page, ReviewQueue.at(str(tmp_path / "labels.duckdb")), monkeypatch):
        # then
        expect(page.get_by_text("Nothing to review yet.")).to_be_visible()
        expect(page.get_by_role("button", name="Next to review")).to_be_disabled()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(
            {"capability": "ball"}, ("Not found (NOT_FOUND)", "There are: ball_detection, player_detection."), id="an unknown capability"
        ),
        pytest.param(
            {"workspace": "club/a"}, ("Invalid value (INVALID_VALUE)", "Use a name without a slash."), id="no name of a workspace"
        ),
    ],
)
def test_what_is_wrong_with_the_parameters_is_said_in_words(tmp_path: Path, options: dict[str, str], words: tuple[str, ...]) -> None:
    # given
    labelkit.open(tmp_path / "labels.duckdb").close()
    # when
    shown = ReviewQueue.at(str(tmp_path / "labels.duckdb"), **options)
    # then
    for part in words:
        assert part in repr(shown)
