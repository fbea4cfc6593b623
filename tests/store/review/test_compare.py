"""The difference of two contents as sets, held to plain loops over frames."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.geometry import Box, Point
from labelkit.core.matching import match as match_geometry
from labelkit.core.review.annotations import Annotation, FrameContent, FrameFlag, FrameState
from labelkit.core.review.revisions import Change
from labelkit.store.review.compare import compare
from labelkit.store.review.content import Content, rows_of
from tests.core.review.labels import ATTRIBUTES, FLAGS

A = Annotation("a", "player", Box.at(10, 10, 20, 20), 0.5)
B = Annotation("b", "player", Box.at(60, 10, 20, 20), 0.5)
DOT = Annotation("p", "ball", Point.at(50, 50, 6))


def content(*frames: tuple[Annotation, ...], flags: tuple[FrameFlag, ...] = (), state: FrameState = FrameState.SEEN) -> Content:
    return Content(rows_of([FrameContent(index, annotations, flags, state) for index, annotations in enumerate(frames)]))


def renamed(annotation: Annotation) -> Annotation:
    return replace(annotation, id="other-" + annotation.id)


def moved(annotation: Annotation, by: float) -> Annotation:
    return replace(annotation, geometry=annotation.geometry.moved(by, 0))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param((A, B), (A, B), "+0 -0 ~0", id="nothing"),
        pytest.param((A,), (A, B), "+1 -0 ~0", id="one more"),
        pytest.param((A, B), (B,), "+0 -1 ~0", id="one less"),
        pytest.param((A, B), (moved(A, 0.0001), B), "+0 -0 ~1", id="moved by the least there is"),
        pytest.param((A, B), (moved(A, 500), B), "+0 -0 ~1", id="moved far away"),
        pytest.param((A,), (replace(A, label="referee"),), "+0 -0 ~1", id="another class"),
        pytest.param((A,), (replace(A, attributes='{"a":1}'),), "+0 -0 ~1", id="attributes"),
        pytest.param((A,), (replace(A, score=0.1, source="imported"),), "+0 -0 ~0", id="score and source are no content"),
        pytest.param((DOT,), (replace(DOT, geometry=Point.at(50, 50)),), "+0 -0 ~1", id="a point without its size"),
        pytest.param((A, B), (B, A), "+0 -0 ~0", id="drawn in another order"),
        pytest.param((), (), "+0 -0 ~0", id="empty frames"),
    ],
)
def test_contents_that_share_ids_are_compared_by_id(before, after, expected):
    # the second frame keeps an id in common where the first does not
    found = compare(content(before, (B,)), content(after, (B,))).summary()
    assert (str(found), found.matched_by, found.threshold) == (expected, "id", "")


@pytest.mark.parametrize(
    ("before", "after", "expected", "threshold"),
    [
        pytest.param((A,), (moved(A, 0.9),), "+0 -0 ~0", " at IoU >= 0.3", id="two tools rounded differently"),
        pytest.param((A,), (moved(A, 1.1),), "+0 -0 ~1", " at IoU >= 0.3", id="moved"),
        pytest.param((A,), (moved(A, 15),), "+1 -1 ~0", " at IoU >= 0.3", id="moved too far to be the same"),
        pytest.param((A,), (replace(A, label="referee"),), "+0 -0 ~1", " at IoU >= 0.3", id="another class"),
        pytest.param((A, B), (B,), "+0 -1 ~0", " at IoU >= 0.3", id="one less"),
        pytest.param((DOT,), (moved(DOT, 19),), "+0 -0 ~1", " within 20 px", id="a point moved"),
        pytest.param((DOT,), (moved(DOT, 21),), "+1 -1 ~0", " within 20 px", id="a point too far away"),
    ],
)
def test_contents_without_shared_ids_are_compared_by_geometry_and_say_so(before, after, expected, threshold):
    found = compare(content(before), content(tuple(map(renamed, after)))).summary()
    assert (str(found), found.matched_by, found.threshold) == (expected, "geometry", threshold)


def test_ids_shared_on_frames_that_did_not_change_count_too():
    # given a revision in which everything on the only changed frame was drawn anew
    before, after = content((A,), (B,)), content((renamed(moved(A, 3)),), (B,))

    # when
    found = compare(before, after).summary()

    # then it was removed and added, not moved
    assert (str(found), found.matched_by) == ("+1 -1 ~0", "id")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"threshold": 0.5}, "+1 -1 ~0", id="a higher threshold"),
        pytest.param({"threshold": 0.1}, "+0 -0 ~1", id="a lower threshold"),
        pytest.param({"match": "id"}, "+1 -1 ~0", id="by id all the same"),
        pytest.param({"tolerance_px": 10}, "+0 -0 ~0", id="a tolerance"),
    ],
)
def test_the_way_of_matching_can_be_chosen(options, expected):
    assert str(compare(content((A,)), content((renamed(moved(A, 8)),)), **options).summary()) == expected


def test_by_geometry_may_be_asked_for_where_ids_are_shared():
    found = compare(content((A,)), content((moved(A, 500),)), match="geometry", threshold=0.3).summary()
    assert (str(found), found.matched_by, found.threshold) == ("+1 -1 ~0", "geometry", " at IoU >= 0.3")


def test_a_threshold_of_nothing_is_a_threshold():
    found = compare(content((DOT,)), content((renamed(moved(DOT, 5)),)), threshold=0).summary()
    assert (str(found), found.threshold) == ("+1 -1 ~0", " within 0 px")


def test_a_summary_counts_by_kind_field_class_and_frame():
    # given two frames: a class changed, a box moved, one gone, one come, and a flag
    before = content((A, B), (A, B), (A,))
    after = content((replace(A, label="referee"), moved(B, 3)), (A, replace(B, id="c", label="ball")), (A,), flags=(FrameFlag.BAD_FRAME,))

    # when
    found = compare(before, after).summary()

    # then
    assert (found.added, found.removed, found.modified, found.class_changed, found.geometry_changed) == (1, 1, 2, 1, 1)
    assert found.by_class == {"ball": (1, 0, 0), "player": (0, 1, 1), "referee": (0, 0, 1)}
    assert (found.flags_changed, found.frames_changed, found.frames) == (3, 3, 3)


def test_a_diff_has_the_labels_of_both_sides():
    # given
    before, after = content((A, B)), content((moved(A, 3), replace(B, id="c")), flags=(FrameFlag.BAD_FRAME,))

    # when
    found = compare(before, after).diff()

    # then
    assert found.modified == (Change(0, A, moved(A, 3)),)
    assert found.removed == (Change(0, B, None),)
    assert found.added == (Change(0, None, replace(B, id="c")),)
    assert found.added + found.removed == (*found.added, *found.removed)
    assert found.flags == ((0, (), (FrameFlag.BAD_FRAME,)),)
    assert found.summary == compare(before, after).summary()


def test_labels_that_are_equal_but_for_their_ids_are_no_difference():
    assert compare(content((A, B)), content((renamed(A), renamed(B)))).rows.is_empty()


def test_a_state_is_no_difference():
    found = compare(content((A,), state=FrameState.UNTOUCHED), content((A,), state=FrameState.ACCEPTED))
    assert found.rows.is_empty()
    assert str(found.summary()) == "+0 -0 ~0"


LABEL = st.sampled_from(["player", "ball"])
AT = st.integers(0, 60).map(float)
BOXES = st.builds(Box.at, AT, AT, st.floats(5, 40), st.floats(5, 40))
SETS = st.dictionaries(
    st.sampled_from("abcde"), st.tuples(LABEL, BOXES | st.builds(Point.at, AT, AT, st.none() | st.floats(1, 9)), ATTRIBUTES), max_size=4
).map(lambda rows: tuple(Annotation(name, label, shape, attributes=extra) for name, (label, shape, extra) in rows.items()))
FRAMES = st.lists(st.tuples(SETS, FLAGS), min_size=2, max_size=2)


def made(frames: list[tuple[tuple[Annotation, ...], tuple[FrameFlag, ...]]]) -> Content:
    return Content(rows_of([FrameContent(index, annotations, flags) for index, (annotations, flags) in enumerate(frames)]))


def key(change: Change) -> tuple[object, ...]:
    return change.frame, "" if change.before is None else change.before.id, "" if change.after is None else change.after.id


@settings(max_examples=75, deadline=None)
@given(FRAMES, FRAMES)
def test_by_id_it_finds_what_two_dictionaries_find(before, after):
    # given; the same labels under other ids are no difference
    expected = []
    for index, ((old, a), (new, b)) in enumerate(zip(before, after, strict=True)):
        if FrameContent(0, old, a).digest() == FrameContent(0, new, b).digest():
            continue
        olds, news = {a.id: a for a in old}, {a.id: a for a in new}
        changes = [Change(index, olds.get(name), news.get(name)) for name in olds | news]
        expected += [change for change in changes if change.kind != "modified" or change.fields]

    # when
    found = compare(made(before), made(after), match="id").diff()

    # then
    assert sorted((*found.added, *found.removed, *found.modified), key=key) == sorted(expected, key=key)
    assert found.flags == tuple((i, b[1], a[1]) for i, (b, a) in enumerate(zip(before, after, strict=True)) if b[1] != a[1])
    assert found.summary.class_changed == sum("class" in change.fields for change in expected)
    assert found.summary.geometry_changed == sum("geometry" in change.fields for change in expected)


@settings(max_examples=75, deadline=None)
@given(FRAMES, FRAMES)
def test_by_geometry_it_pairs_as_core_pairs_two_small_sets(before, after):
    # given
    expected = []
    for index, ((old, _), (new, _)) in enumerate(zip(before, after, strict=True)):
        pairs = match_geometry([a.geometry for a in old], [a.geometry for a in new])
        expected += [Change(index, old[p.left], new[p.right]) for p in pairs]
        expected += [Change(index, a, None) for n, a in enumerate(old) if n not in {p.left for p in pairs}]
        expected += [Change(index, None, a) for n, a in enumerate(new) if n not in {p.right for p in pairs}]
    expected = [change for change in expected if change.kind != "modified" or change.fields]

    # when
    found = compare(made(before), made(after), match="geometry", tolerance_px=0).diff()

    # then
    frames_alike = {
        i for i, (b, a) in enumerate(zip(before, after, strict=True)) if made([b]).rows["digest"][0] == made([a]).rows["digest"][0]
    }
    assert sorted((*found.added, *found.removed, *found.modified), key=key) == sorted(
        [change for change in expected if change.frame not in frames_alike], key=key
    )


@settings(max_examples=25, deadline=None)
@given(FRAMES, FRAMES)
def test_the_other_way_round_added_and_removed_change_places(before, after):
    there, back = compare(made(before), made(after), match="id").summary(), compare(made(after), made(before), match="id").summary()
    assert (there.added, there.removed, there.modified) == (back.removed, back.added, back.modified)
    assert there.frames_changed == back.frames_changed
