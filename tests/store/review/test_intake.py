"""Imported rows as content: digests made of sets are those of core, whatever the label."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import Annotation, FrameContent, FrameState, content_hash
from labelkit.store.database import Database
from labelkit.store.review import intake
from labelkit.store.review.content import CONTENT, Content
from labelkit.store.review.intake import import_rows
from tests.core.review.labels import ANNOTATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAME_COUNT = 4
IMPORTED = st.lists(st.tuples(st.integers(0, FRAME_COUNT - 1), ANNOTATIONS), max_size=8)


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    with Database.open(":memory:", user="ana") as opened:
        yield opened


def rows(labels: list[tuple[int, Annotation]]) -> pl.DataFrame:
    """What a reader hands over."""
    columns = ("label", "x", "y", "width", "height", "size", "score", "attributes")
    kinds = {"frame_index": pl.Int32(), **dict.fromkeys(columns, pl.Float64()), "label": pl.String(), "attributes": pl.String()}
    found = [{"frame_index": index, **{name: label.as_json()[name] for name in columns}} for index, label in labels]
    return pl.DataFrame(found, schema=kinds)


def imported(db: Database, *chunks: list[tuple[int, Annotation]], seed: str = "pre_1", frame_count: int = FRAME_COUNT) -> Content:
    digest = import_rows(db, [rows(chunk) for chunk in chunks], frame_count=frame_count, seed=seed, source="model")
    return Content(db.objects.read_frame(digest))


def expected(labels: list[tuple[int, Annotation]]) -> list[FrameContent]:
    return [FrameContent(index, tuple(label for at, label in labels if at == index)) for index in range(FRAME_COUNT)]


@settings(deadline=None, max_examples=60)
@given(IMPORTED)
def test_a_digest_made_of_sets_is_the_digest_of_core(db, labels):
    # when
    content = imported(db, labels)

    # then frame by frame, and as a whole
    frames = expected(labels)
    assert content.rows["digest"].to_list() == [frame.digest() for frame in frames]
    assert content.hash("player_detection") == content_hash("player_detection", [(f.index, f.digest()) for f in frames])
    # and what is read back is what was given, in file order a frame, untouched
    for frame in frames:
        found = content.frame(frame.index)
        assert [replace(a, id="") for a in found.annotations] == [replace(a, id="", source="model") for a in frame.annotations]
        assert (found.flags, found.state) == ((), FrameState.UNTOUCHED)


@settings(deadline=None, max_examples=25)
@given(IMPORTED, st.integers(0, 8), st.integers(1, 4), st.sampled_from([0, 200, 1 << 20]))
def test_chunks_come_together_as_if_they_were_one_whatever_is_in_memory_at_once(db, labels, cut, rows_at_once, bytes_in_memory):
    whole = imported(db, labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "ROWS_AT_ONCE", rows_at_once)
        patch.setattr(intake, "TEXT_AT_ONCE", 1)
        patch.setattr(intake, "BYTES_IN_MEMORY", bytes_in_memory)
        parts = imported(db, labels[:cut], labels[cut:])
    assert whole.rows.equals(parts.rows)


def test_an_id_that_comes_with_its_row_stays_where_it_is_well_formed_and_no_other_row_has_it(db, monkeypatch):
    # given
    monkeypatch.setattr(intake, "ROWS_AT_ONCE", 2)
    given = ["ann_1", "twice", "", "with space", None, "twice", "1.2:3-4_", "é", "x" * 129]
    labels = [(at % 2, Annotation("", "ball", Point(at, 1))) for at in range(len(given))]
    chunk = rows(labels).with_columns(id=pl.Series(given, dtype=pl.String))

    # when
    digest = import_rows(db, [chunk[:4], chunk[4:]], frame_count=FRAME_COUNT, seed="pre_1", source="model")
    found = Content(db.objects.read_frame(digest)).annotations().sort("x")

    # then all others are those that these rows have without any
    new = dict(imported(db, labels).annotations().select("x", "id").iter_rows())
    kept = {"ann_1", "1.2:3-4_"}
    assert found["id"].to_list() == [one if one in kept else new[float(at)] for at, one in enumerate(given)]


def test_ids_come_from_the_seed_and_the_order_so_that_equal_imports_have_equal_bytes(db):
    # given two players and a ball on two frames
    labels = [
        (2, Annotation("", "player", Box(1, 2, 3, 4))),
        (0, Annotation("", "ball", Point(1, 2))),
        (2, Annotation("", "player", Box(5, 5, 9, 9))),
    ]

    # when
    first, again, other = imported(db, labels), imported(db, labels), imported(db, labels, seed="pre_2")

    # then
    assert first.rows["annotations"].to_list() == again.rows["annotations"].to_list()
    assert [a.id for a in first.frame(2).annotations] == ["ann_daac8eeea5f562fc7b3f", "ann_57057ebb0e1ac2c5e84f"]
    assert first.hash("c") == other.hash("c")
    assert not {a["id"] for a in first.annotations().to_dicts()} & {a["id"] for a in other.annotations().to_dicts()}


@pytest.mark.parametrize("late", [False, True], ids=["in order", "a late row of an early frame"])
@pytest.mark.parametrize("named", [False, True], ids=["without ids", "ids from the second part on"])
def test_content_that_was_begun_is_made_anew_where_what_follows_changes_it(db, monkeypatch, late, named):
    # given three parts of two rows
    monkeypatch.setattr(intake, "ROWS_AT_ONCE", 2)
    places = [0, 0, 1, 2, 2, 0 if late else 3]
    labels = [(index, Annotation("", "ball", Point(at, 1))) for at, index in enumerate(places)]
    chunks = [rows(labels[start : start + 2]) for start in (0, 2, 4)]
    given = [
        chunk.with_columns(id=pl.Series([None, f"own_{at}"], dtype=pl.String)) if named and at else chunk for at, chunk in enumerate(chunks)
    ]

    # when
    digest = import_rows(db, given, frame_count=FRAME_COUNT, seed="pre_1", source="model")
    found = Content(db.objects.read_frame(digest)).annotations()

    # then every label stands in its frame, in file order, with an id of its own
    assert found.select("frame_index", "x").rows() == sorted((index, float(at)) for at, index in enumerate(places))
    assert found["id"].n_unique() == len(places)
    assert [one for one in found.sort("x")["id"] if one.startswith("own_")] == (["own_1", "own_2"] if named else [])


def test_nothing_imported_is_empty_content(db):
    assert imported(db).rows.equals(Content.empty(FRAME_COUNT).rows)
    assert imported(db, []).rows.schema == CONTENT == Content.empty(0).rows.schema


def test_a_media_without_frames_has_content_without_rows(db):
    assert imported(db, frame_count=0).rows.equals(Content.empty(0).rows)
    assert Content.empty(0).hash("c") == content_hash("c", [])
