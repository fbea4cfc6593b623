"""Where labels came from reads the same in the runs list, the queue, the review, the history and Python: short, whole on hover, copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit.core.review.drafts import Lineage
from labelkit.widgets import FrameReview, ReviewQueue, RevisionHistory
from tests.browser import reviews
from tests.browser.showing import in_page
from tests.widgets.scenes import PLAYERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from labelkit import Workspace
    from labelkit.synthetic import Match
    from tests.browser.bridge import Bridge

pytestmark = pytest.mark.browser


@pytest.fixture
def ws(short: Match) -> Iterator[Workspace]:
    """A workspace whose match-1 has a model's labels."""
    made = reviews.players(short)
    made.close()
    yield made.ws
    made.ws.close()


def published(ws: Workspace, origin: str) -> str:
    """Publish a draft of match-1 with that origin and return its lineage."""
    draft = ws.review.open("match-1", PLAYERS)
    if origin != "pack":
        with ws._database.transaction() as tx:
            tx.execute("UPDATE drafts SET lineage = $lineage", lineage=None if origin == "legacy_unknown" else origin)
    ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="looked at by hand")
    return str(ws.review.open("match-1", PLAYERS).lineage)


def reads(place: Locator, lineage: str) -> Locator:
    """Expect the short form where the eye is and the whole on hover; return what copies it."""
    one = place.get_by_title(lineage).first
    expect(one).to_have_text(Lineage.parse(lineage).compact)
    expect(one).to_have_role("button")
    return one


@pytest.mark.parametrize("origin", ["pack", "manual", "legacy_unknown"])
def test_one_lineage_in_every_view(ws: Workspace, page: Page, monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    # given
    lineage = published(ws, origin)
    proposed = ws.prelabels.runs()["lineage"][0]
    # then
    assert lineage == (proposed if origin == "pack" else origin)
    assert ws.review.series()["lineage"].to_list() == [lineage]
    assert str(ws.review.history("match-1", PLAYERS)[0].lineage) == lineage
    # when
    with in_page(page, ReviewQueue(ws), monkeypatch) as shown:
        # then
        reads(shown.page.get_by_role("table", name="Scopes").get_by_role("row").nth(1), lineage)
        page.get_by_role("button", name="Prelabel runs").click()
        reads(shown.page.get_by_role("table", name="Prelabel runs").get_by_role("row").nth(1), proposed)
        copies(shown, proposed)
    # when
    for widget in (RevisionHistory(ws, "match-1", PLAYERS), FrameReview(ws, "match-1", PLAYERS)):
        again = page.context.new_page()
        with in_page(again, widget, monkeypatch) as shown:
            # then
            reads(shown.root, lineage)
        again.close()


def copies(shown: Bridge, lineage: str) -> None:
    """Expect that a click copies the whole, and says so where it was clicked."""
    one = shown.root.get_by_title(lineage).last
    one.click()
    expect(one).to_have_text("copied")
    expect(one).to_have_text(Lineage.parse(lineage).compact)
    field = shown.page.get_by_role("searchbox")
    field.focus()
    shown.page.keyboard.press("Control+v")
    expect(field).to_have_value(lineage)
