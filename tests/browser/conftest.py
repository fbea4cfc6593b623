"""Chromium, a JupyterLab and a small match to review, for the tests in a browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import needs
from tests.browser import reviews
from tests.browser.lab import Lab
from tests.browser.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Locator, Page

    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview

SIZE = {"width": 1280, "height": 900}
PATIENCE_MS = 15_000  # how long a sight may take to come on a busy machine; what is there is seen at once
# One process draws all pages: to start one costs more than most tests.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-accelerated-2d-canvas",
    "--renderer-process-limit=1",
)
ARTIFACTS = "LABELKIT_ARTIFACTS"


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """The window of the plain pages, with one that stays open so that their process does. A plain page stores nothing in it."""
    context = browser.new_context(viewport=SIZE)
    context.new_page()
    yield context
    context.close()


@pytest.fixture
def page(window: BrowserContext) -> Iterator[Page]:
    """A page of its own, 1280 px wide; a problem in its script does not pass unseen (see the twin's `problems`)."""
    made = window.new_page()
    made.set_default_timeout(10_000)
    yield made
    window.clear_permissions()
    for one in window.pages[1:]:  # those that the test opened, too
        one.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running JupyterLab."""
    started = Lab(tmp_path_factory.mktemp("lab"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def tab(browser: Browser) -> Iterator[BrowserContext]:
    """A window of JupyterLab that tests share."""
    context = browser.new_context(viewport=SIZE)
    context.set_default_timeout(20_000)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture(scope="session")
def match(tmp_path_factory: pytest.TempPathFactory) -> Match:
    """A drawn match of one clip with twelve frames, and a model's labels in `pre`."""
    from labelkit import synthetic

    made = synthetic.match(tmp_path_factory.mktemp("match"), frames=12, clips=1)
    made.write_yolo(made.folder / "pre")
    return made


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Match:
    """A drawn match of three frames, with a model's labels in `pre`: quick to show."""
    from labelkit import synthetic

    made = synthetic.match(tmp_path_factory.mktemp("short"), frames=3, clips=1)
    made.write_yolo(made.folder / "pre")
    return made


@pytest.fixture(scope="session")
def keep_picture() -> Callable[[Page | Locator, str], Path]:
    """`keep_picture(page, "review-dark")` saves a screenshot where CI keeps what it shows."""
    folder = Path(os.environ.get(ARTIFACTS) or needs.ROOT / ".ci" / "artifacts")

    def keep(what: Page | Locator, name: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        what.screenshot(path=path)
        return path

    return keep


@pytest.fixture
def show(page: Page, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[FrameReview], Twin]]:
    shown: list[Twin] = []

    def start(review: FrameReview) -> Twin:
        shown.append(Twin.show(page, review, monkeypatch))
        return shown[-1]

    yield start
    for twin in shown:
        twin.review.close()
        assert twin.problems == []


@pytest.fixture
def twin(show: Callable[[FrameReview], Twin], short: Match) -> Twin:
    """Two boxes on the first frame: a from (100, 100) to (300, 300), and b inside it."""
    return show(reviews.boxes(short, (100, 100, 200, 200), (150, 150, 60, 60)))
