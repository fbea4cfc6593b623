"""The Python half of the review queue: what there is to review, opening it, and going back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from labelkit.widgets import ReviewQueue
from tests.widgets.messages import Wire
from tests.widgets.reviewing import PLAYERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelkit import Workspace


@pytest.fixture
def queue(review_ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    widget = ReviewQueue(review_ws, capability=PLAYERS)
    yield Wire.to(widget, monkeypatch)
    if widget.review is not None:
        widget.review.close()
    widget.close()


def test_scopes_and_runs_are_listed_with_the_one_that_is_next(queue: Wire) -> None:
    # when
    state = queue.ask("ready")["result"]
    # then
    assert [(row["media"], row["capability"], row["frame_count"], row["seen"]) for row in state["scopes"]] == [("match-1", PLAYERS, 4, 0)]
    (run,) = state["runs"]
    assert (run["media"], run["model"], run["refused"]) == ("match-1", "m", 0)
    assert run["lineage"].startswith("pack:")
    assert tuple(state["next"]) == ("match-1", PLAYERS)
    assert state["open"] is None


def test_a_scope_opens_from_its_run_and_the_list_knows_how_far_it_is_afterwards(queue: Wire) -> None:
    # given
    run = queue.ask("ready")["result"]["runs"][0]
    # when
    queue.ask("open", media="match-1", capability=PLAYERS, run=run["run_id"])
    review = queue.widget.review
    # then
    assert queue.widget.selected == ("match-1", PLAYERS)
    assert review.lineage == run["lineage"]
    # when
    review.live.go(1)
    queue.ask("leave")
    # then
    assert queue.widget.selected is None
    assert review.comm is None
    (row,) = queue.events("state")[-1]["scopes"]
    assert (row["seen"], row["draft_id"]) == (1, review.live.draft_id)


def test_an_unknown_scope_is_refused_and_nothing_opens(queue: Wire) -> None:
    # when
    answer = queue.ask("open", media="match-9", capability=PLAYERS)
    # then
    assert (answer["ok"], answer["error"]["code"]) == (False, "NOT_FOUND")
    assert queue.widget.selected is None


def test_without_a_kernel_the_list_remains(queue: Wire) -> None:
    # when
    page = queue.widget.to_html()
    # then
    assert "0 of 4" in page
    assert queue.widget.describe() == "Review queue of club-a: 1 scopes, 0 looked at to the end"
