"""The difference between two contents, looked through frame by frame: filters over columns, changes made when they are looked at."""

from __future__ import annotations

import pytest

from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation, FrameContent, FrameFlag, Source
from labelkit.errors import NotFound
from labelkit.services.review.frame_paging import FramePaging, content_diff
from labelkit.store.review.compare import compare
from labelkit.store.review.content import Content, rows_of


def label(name: str, cls: str = "player", x: float = 10.0, attributes: str | None = None) -> Annotation:
    return Annotation(name, cls, Box.at(x, 10, 20, 40), None, Source.HUMAN, attributes)


def content(*frames: tuple[list[Annotation], list[FrameFlag]]) -> Content:
    rows = [FrameContent(index, tuple(labels), tuple(flags)) for index, (labels, flags) in enumerate(frames)]
    return Content.empty(len(frames)).replaced(rows_of(rows))


@pytest.fixture
def changes():
    """On frame 0 a moves and b goes, on 1 nothing differs, on 2 c is a referee now and d is new, on 3 a flag comes, on 10 e is new."""
    nothing = ([], [])
    before = content(([label("a"), label("b")], []), ([label("z")], []), ([label("c")], []), nothing, *[nothing] * 6, ([label("f")], []))
    after = content(
        ([label("a", x=12.0)], []),
        ([label("z")], []),
        ([label("c", "referee"), label("d", "ball")], []),
        ([], [FrameFlag.BAD_FRAME]),
        *[nothing] * 6,
        ([label("e", "ball", attributes='{"track":"t-9"}'), label("f", attributes='{"track":"t-9"}')], []),
    )
    return compare(before, after)


def test_frames_come_in_order_with_their_counts_and_flags(changes) -> None:
    # given
    paging = FramePaging(changes)
    # when
    frames = paging.frames(range(len(paging)))
    # then
    assert [(one.index, one.counts) for one in frames] == [(0, (0, 1, 1)), (2, (1, 0, 1)), (3, (0, 0, 0)), (10, (1, 0, 1))]
    assert [one.flags for one in frames] == [None, None, ((), (FrameFlag.BAD_FRAME,)), None]
    assert paging.fields == {"class": 1, "geometry": 1, "attributes": 1, "flags": 1}
    with pytest.raises(NotFound, match="There are 4"):
        paging.frame(4)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, [0, 2, 3, 10], id="everything"),
        pytest.param({"change": "removed"}, [0], id="a change"),
        pytest.param({"field": "class"}, [2], id="a field"),
        pytest.param({"field": "attributes"}, [10], id="attributes of a label on both sides"),
        pytest.param({"label": "player"}, [0, 2, 10], id="a class that it has or had"),
        pytest.param({"change": "added", "label": "player"}, [], id="two facts of different labels"),
        pytest.param({"field": "flags"}, [3], id="flags"),
        pytest.param({"field": "flags", "change": "added"}, [], id="flags are modified"),
        pytest.param({"field": "flags", "label": "ball"}, [], id="flags have no class"),
        pytest.param({"text": "BAD_"}, [3], id="a flag in other letters"),
        pytest.param({"text": "t-9"}, [10], id="an attribute"),
        pytest.param({"text": "1"}, [0, 10], id="a number, counted from one"),
        pytest.param({"text": "a("}, [], id="signs of a pattern"),
        pytest.param({"label": "ball", "text": "referee"}, [2], id="a class and a text of another label on the frame"),
    ],
)
def test_a_filter_finds_the_frames_that_have_everything_that_is_asked_for(changes, asked: dict[str, str], expected: list[int]) -> None:
    paging = FramePaging(changes)
    assert [one.index for one in paging.frames(paging.matching(**asked))] == expected


def test_changes_are_a_sequence_like_any_other_and_those_of_a_frame_are_the_same(changes) -> None:
    # given
    diff = content_diff(changes)
    # then
    assert [change.after.id for change in diff.added] == ["d", "e"]
    assert (len(diff.modified), diff.modified[-1].after.id, diff.modified[0].fields) == (3, "f", ("geometry",))
    assert diff.modified[:2] == tuple(diff.modified)[:2]
    assert diff.modified == list(diff.modified)
    assert diff.removed != diff.added
    assert diff.on(2) == (diff.modified[1], diff.added[0])
    assert diff.on(1) == ()
    assert repr(diff.removed) == "<1 change>"
