"""Content as a set: frames to rows and back, saved frames over what was imported, counts, hashes."""

from __future__ import annotations

import itertools
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation, FrameContent, FrameFlag
from labelkit.store.review.content import CONTENT, Content, flags_text, frame_value, overlay_rows, rows_of
from tests.core.review.labels import frames

FRAME_COUNT = 4


@settings(max_examples=50)
@given(st.lists(frames(), unique_by=lambda frame: frame.index, max_size=4))
def test_frames_survive_as_rows(changed):
    # when
    made = rows_of(changed)

    # then
    assert made.schema == CONTENT
    assert [frame_value(row) for row in made.iter_rows(named=True)] == changed
    assert made["digest"].to_list() == [frame.digest() for frame in changed]


@settings(max_examples=50)
@given(st.lists(frames(st.integers(0, FRAME_COUNT - 1)), unique_by=lambda frame: frame.index, max_size=4))
def test_saved_frames_take_the_place_of_the_frames_below(changed):
    # given
    base = Content(rows_of([FrameContent(index, (Annotation(f"b{index}", "player", Box(1, 1, 2, 2)),)) for index in range(FRAME_COUNT)]))

    # when
    content = base.replaced(rows_of(changed))

    # then the changed ones are there, the others are as they were, all in order
    over = {frame.index: frame for frame in changed}
    assert [content.frame(index) for index in range(FRAME_COUNT)] == [over.get(index, base.frame(index)) for index in range(FRAME_COUNT)]
    assert len(content) == FRAME_COUNT
    assert content.rows.schema == CONTENT


@settings(max_examples=50)
@given(st.lists(frames(), unique_by=lambda frame: frame.index, max_size=4))
def test_a_drafts_saved_rows_become_the_frames_that_were_saved(saved):
    # given rows as the draft keeps them, in any order
    heads = [{"frame_index": f.index, "state": f.state.value, "flags": flags_text(f.flags), "digest": f.digest()} for f in saved]
    boxes = [{"frame_index": f.index, "position": n, **a.as_json()} for f in saved for n, a in enumerate(f.annotations)]
    columns = {"frame_index": pl.Int32(), "position": pl.Int32(), **_annotation_columns()}

    # when
    made = overlay_rows(
        pl.DataFrame(heads[::-1], schema={"frame_index": pl.Int32(), "state": pl.String(), "flags": pl.String(), "digest": pl.String()}),
        pl.DataFrame(boxes[::-1], schema=columns),
    )

    # then
    assert [frame_value(row) for row in made.iter_rows(named=True)] == sorted(saved, key=lambda frame: frame.index)
    assert made.schema == CONTENT


def _annotation_columns() -> dict[str, pl.DataType]:
    return {field.name: field.dtype for field in CONTENT["annotations"].inner.fields}


def test_a_content_counts_its_labels():
    # given
    player, ball = Annotation("a", "player", Box(1, 1, 2, 2)), Annotation("b", "ball", Box(1, 1, 2, 2))
    content = Content(
        rows_of([FrameContent(0, (player, ball)), FrameContent(1, (), (FrameFlag.BAD_FRAME,)), FrameContent(2, (replace(player, id="c"),))])
    )

    # then
    assert (content.annotation_count, content.labeled_frame_count) == (3, 2)
    assert content.class_counts().rows() == [("ball", 1, 1), ("player", 2, 2)]
    assert content.annotations().select("frame_index", "id", "label").rows() == [(0, "a", "player"), (0, "b", "ball"), (2, "c", "player")]


def test_empty_content_counts_nothing():
    content = Content.empty(3)
    assert (content.annotation_count, content.labeled_frame_count, content.class_counts().height) == (0, 0, 0)
    assert Content.empty(0).annotation_count == 0


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_the_hash_of_a_content_does_not_know_in_which_order_frames_were_saved(order):
    frames_of = [FrameContent(index, (Annotation(f"a{index}", "player", Box(index, 1, 2, 2)),)) for index in range(3)]
    content = Content.empty(3)
    for index in order:
        content = content.replaced(rows_of([frames_of[index]]))
    assert content.hash("player_detection") == "40622d673934e016c087aed6b13c9953e63360a15ef0058b5040b9fbb3162398"
