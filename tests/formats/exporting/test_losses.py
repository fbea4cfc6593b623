"""What a format would lose is counted before anything is written."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from labelkit import formats
from labelkit.errors import InvalidValue
from labelkit.formats.exporting.losses import losses, losses_frame
from labelkit.formats.exports import EVERYTHING, ROW_FACETS, SAMPLE_FACETS, Facet, Format
from tests.formats import helpers, row_zoo

BOX = {
    "id": "1",
    "label": "player",
    "x": 1.0,
    "y": 1.0,
    "width": 9.0,
    "height": 9.0,
    "score": 0.5,
    "source": "model",
    "attributes": '{"a":1}',
}
PLAIN = {"label": "ball", "x": 1.0, "y": 1.0, "width": 9.0, "height": 9.0, "attributes": "{}"}
POINT = {"id": "2", "label": "ball", "x": 5.0, "y": 5.0, "size": 3.0}
SAMPLES = helpers.samples(("train", [BOX, PLAIN, POINT]), ("val", []), ("train", [PLAIN]))
ROWS = pl.DataFrame(
    {
        "key": ["a", "b", "c"],
        "whole": pl.Series([1, 2**53 + 1, None], dtype=pl.Int64),
        "double": [0.5, 0.1, float("nan")],
        "price": pl.Series(["1.10", None, "2.00"]).cast(pl.Decimal(5, 2)),
        "day": [dt.date(2026, 3, 1), None, None],
        "tags": [["a"], None, []],
    }
)
NOWHERE = Format("nowhere", lambda *_: None, carries=frozenset(), takes=frozenset({"samples", "rows"}))


def found(kind, rows, capability=None, **facts):
    return {loss.facet: loss.count for loss in losses(kind, rows.lazy(), helpers.about(rows, capability, **facts))}


def test_everything_that_samples_hold_is_counted_where_a_format_has_no_place_for_it():
    assert found(NOWHERE, SAMPLES, helpers.BOXES) == {
        Facet.SAMPLE_KEYS: 3,
        Facet.ANNOTATION_IDS: 2,
        Facet.SCORES: 1,
        Facet.SOURCES: 1,
        Facet.ATTRIBUTES: 1,
        Facet.FLAGS: 1,
        Facet.POINTS: 1,
        Facet.POINT_SIZES: 1,
        Facet.GROUPS: 3,
        Facet.TIMESTAMPS: 3,
        Facet.FRAME_DIGESTS: 3,
        Facet.EMPTY_SAMPLES: 1,
        Facet.EXACT_COORDINATES: 4,
        Facet.SPLITS: 3,
    }
    assert set(SAMPLE_FACETS) == set(found(NOWHERE, SAMPLES, helpers.BOXES))


def test_everything_that_rows_hold_is_counted_too():
    counted = found(NOWHERE, ROWS)
    assert counted == {Facet.KEYS: 3, Facet.TYPES: 2, Facet.NESTED: 1, Facet.NULLS: 5, Facet.EXACT_NUMBERS: 5}
    assert set(counted) == ROW_FACETS


@pytest.mark.parametrize("facet", sorted(EVERYTHING))
def test_what_a_format_carries_is_no_loss(facet):
    kind = Format("one", NOWHERE.write, frozenset({facet}), NOWHERE.takes)
    for rows, capability in ((SAMPLES, helpers.BOXES), (ROWS, None)):
        assert found(kind, rows, capability).items() == {
            (name, count) for name, count in found(NOWHERE, rows, capability).items() if name != facet
        }


def test_what_the_data_do_not_hold_is_no_loss():
    bare = helpers.samples(("train", [{"label": "ball", "x": 1.0, "y": 1.0, "width": 9.0, "height": 9.0}]))
    assert {Facet.SCORES, Facet.FLAGS, Facet.POINTS, Facet.EMPTY_SAMPLES}.isdisjoint(found(NOWHERE, bare, helpers.BOXES))
    assert found(NOWHERE, ROWS.select("key").clear()) == {}
    assert found(NOWHERE, SAMPLES, helpers.BOXES, splits=[]).get(Facet.SPLITS) is None


def test_a_loss_is_a_row_with_a_sentence():
    # when
    frame = losses_frame(losses(formats.writer("csv"), ROWS.lazy(), helpers.about(ROWS, None)))

    # then
    assert frame.select("facet", "count").rows() == [("types", 2), ("nested", 1)]
    assert [sentence.split(":")[0] for sentence in frame["sentence"]] == [
        "2 column(s) have types that the format has not",
        "1 column(s) hold lists or structs",
    ]
    assert losses_frame([]).columns == ["facet", "count", "sentence"]


@pytest.mark.parametrize("name", ["jsonl", "parquet"])
def test_jsonl_and_parquet_lose_nothing(name):
    assert found(formats.writer(name), row_zoo.ODDITIES) == {}
    assert found(formats.writer(name), SAMPLES, helpers.BOXES) == {}


def test_rows_that_a_format_does_not_take_are_refused():
    with pytest.raises(InvalidValue, match="coco takes samples of a dataset"):
        found(formats.writer("coco"), ROWS)
