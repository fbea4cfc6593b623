"""Lineage as text, and how two writers' frames come together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation, FrameContent, FrameFlag, FrameState
from labelkit.core.review.drafts import Lineage, LineageKind, rebase
from tests.core.review.labels import frames


@pytest.mark.parametrize(
    ("text", "lineage", "compact"),
    [
        pytest.param("pack:pre_01j5abcdef", Lineage(LineageKind.PACK, "pre_01j5abcdef"), "pack:…abcdef", id="from a prelabel pack"),
        pytest.param("manual", Lineage(LineageKind.MANUAL), "manual", id="by hand"),
        pytest.param("legacy_unknown", Lineage(LineageKind.LEGACY_UNKNOWN), "legacy_unknown", id="not known"),
    ],
)
def test_lineage_reads_the_same_everywhere(text, lineage, compact):
    assert (Lineage.parse(text), str(lineage), lineage.compact) == (lineage, text, compact)


@pytest.mark.parametrize("text", [None, "", "something else"])
def test_a_row_without_lineage_is_of_unknown_origin(text):
    assert Lineage.parse(text) == Lineage(LineageKind.LEGACY_UNKNOWN)


def frame(*names: str, flags: tuple[FrameFlag, ...] = (), state: FrameState = FrameState.EDITED, index: int = 0) -> FrameContent:
    return FrameContent(index, tuple(Annotation(name, "player", Box(0, 0, 9, 9)) for name in names), flags, state)


BASE = frame("a", "b", state=FrameState.UNTOUCHED)
MINE = frame("a")
THEIRS = frame("b")


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        pytest.param(MINE, None, "mine", id="only I touched it"),
        pytest.param(MINE, THEIRS, "both", id="both made it different"),
        pytest.param(MINE, replace(MINE, state=FrameState.ACCEPTED), "mine", id="both made it equal"),
        pytest.param(MINE, replace(BASE, state=FrameState.SEEN), "mine", id="they only looked"),
        pytest.param(MINE, replace(BASE, state=FrameState.ACCEPTED), "mine", id="they only accepted"),
        pytest.param(replace(BASE, state=FrameState.SEEN), THEIRS, "theirs", id="I only looked"),
        pytest.param(replace(BASE, state=FrameState.ACCEPTED), THEIRS, "theirs", id="I accepted what they changed"),
        pytest.param(replace(BASE, state=FrameState.SEEN), replace(BASE, state=FrameState.ACCEPTED), "mine", id="neither changed a label"),
        pytest.param(replace(BASE, flags=(FrameFlag.BAD_FRAME,)), THEIRS, "both", id="I flagged it, they edited it"),
        pytest.param(replace(BASE, flags=(FrameFlag.BAD_FRAME,)), None, "mine", id="I flagged it"),
    ],
)
def test_one_frame_goes_through_stays_theirs_or_is_asked_about(mine, theirs, expected):
    # when
    found = rebase({0: BASE}, {0: mine}, {} if theirs is None else {0: theirs})

    # then
    assert [replace(one, state=mine.state) for one in found.mine] == ([mine] if expected == "mine" else [])
    assert found.both == (((mine, theirs),) if expected == "both" else ())


U, S, E, A = FrameState.UNTOUCHED, FrameState.SEEN, FrameState.EDITED, FrameState.ACCEPTED


@pytest.mark.parametrize(
    ("labels", "base", "mine", "theirs", "expected"),
    [
        pytest.param("kept", U, S, A, A, id="I looked, they accepted"),
        pytest.param("kept", U, A, S, A, id="I accepted, they looked"),
        pytest.param("kept", A, S, A, S, id="I took my acceptance back"),
        pytest.param("kept", A, A, S, S, id="they took theirs back"),
        pytest.param("kept", S, E, A, A, id="I edited and undid it, they accepted"),
        pytest.param("changed", A, A, E, A, id="I accepted what both changed alike"),
        pytest.param("changed", A, E, A, A, id="they accepted what both changed alike"),
    ],
)
def test_where_both_sides_have_the_same_labels_the_farther_state_is_kept(labels, base, mine, theirs, expected):
    # given
    before, after = frame("a", state=base), frame("a") if labels == "kept" else frame("b")

    # when
    found = rebase({0: before}, {0: replace(after, state=mine)}, {0: replace(after, state=theirs)})

    # then
    assert (found.mine, found.both) == ((replace(after, state=expected),), ())


FRAMES = st.dictionaries(st.integers(0, 4), frames(most=2), max_size=5).map(lambda d: {i: replace(f, index=i) for i, f in d.items()})


@given(FRAMES, FRAMES, FRAMES)
def test_every_frame_of_mine_is_saved_or_asked_about_or_was_only_looked_at(base, mine, theirs):
    # when
    found = rebase(base, mine, theirs)

    # then nothing is in two places, in order, and what is in none changed no label
    saved, asked = [frame.index for frame in found.mine], [frame.index for frame, _ in found.both]
    assert saved == sorted(saved)
    assert asked == sorted(asked)
    assert not set(saved) & set(asked)
    for index in mine.keys() - set(saved) - set(asked):
        assert (mine[index].annotations, mine[index].flags) == (base[index].annotations, base[index].flags)
    # and what they changed is never among what is saved over it
    for index in set(saved) & theirs.keys():
        other = theirs[index]
        alike = [(known.annotations, known.flags) for known in (base.get(index), mine[index]) if known is not None]
        assert (other.annotations, other.flags) in alike
