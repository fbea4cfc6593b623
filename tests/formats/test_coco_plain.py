"""Plain COCO boxes: what is taken by the short way means what it means as JSON, and everything else is left alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labelkit.formats.coco_plain import plain

RECORD = {"id": 7, "image_id": 12, "category_id": 3, "bbox": [1.5, -2, 3e-05, 40.0], "area": 6.25, "iscrowd": 0, "segmentation": []}
OTHER = {"id": 8, "image_id": 13, "category_id": 1, "bbox": [0, 0.25, 12.125, 1], "area": 0.5, "iscrowd": 0, "segmentation": []}
LAYOUTS = {"tight": (",", ":"), "as json.dump": (", ", ": ")}
BORDERS = (",", ", ", ",\n")


def text(*records: dict[str, object], separators: tuple[str, str] = (",", ":"), border: str = ",\n") -> bytes:
    return border.join(json.dumps(record, separators=separators) for record in records).encode()


def meant(data: bytes) -> list[tuple[object, ...]]:
    """What the records mean by the standard library."""
    records = json.loads(b"[" + data + b"]")
    return [(str(one["image_id"]), str(one["category_id"]), *map(float, one["bbox"]), one.get("score")) for one in records]


@pytest.mark.parametrize("border", BORDERS, ids=["no space", "a space", "lines"])
@pytest.mark.parametrize("separators", LAYOUTS.values(), ids=LAYOUTS)
def test_records_written_alike_are_taken_whatever_stands_between_them(separators, border):
    # given
    data = text(RECORD, OTHER, RECORD, separators=separators, border=border)

    # when
    found = plain(data)

    # then
    assert found is not None
    assert found.rows() == meant(data)


@pytest.mark.parametrize("score", [0.5, 1, 9.5e-05, 0], ids=repr)
def test_results_keep_their_scores(score):
    # given
    data = text(*({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": one} for one in (0.25, score)))

    # when / then
    assert plain(data).rows() == meant(data)


CHANGES = {
    "a zero before a number": (b"13", b"013"),
    "a plus": (b"13", b"+13"),
    "an image number with a point": (b"13", b"13.0"),
    "minus zero": (b"[0,", b"[-0,"),
    "nothing behind a point": (b"0.25", b"0."),
    "nothing before a point": (b"0.25", b".25"),
    "an exponent behind a point": (b"0.25", b"2.e5"),
    "a number without its name": (b'"area":0.5', b"0.5"),
    "an image without its name": (b'"image_id":13', b"13"),
    "a list without its end": (b"1]", b"1"),
    "an object without its beginning": (b'{"id":8', b"8"),
    "not a number": (b"0.25", b"NaN"),
    "beyond all numbers": (b"0.25", b"1e400"),
    "no number at all": (b"0.25", b""),
    "a digit in a key": (b'"area"', b'"ar1ea"'),
    "a digit before a key": (b'"area"', b'1"area"'),
    "a digit behind a list": (b"1],", b"]1,"),
    "another key": (b'"area"', b'"aria"'),
    "another order": (b'"image_id":13,"category_id":1', b'"category_id":13,"image_id":1'),
    "a number less": (b",12.125", b""),
    "a number more": (b"12.125", b"12.125,3"),
    "a text": (b"12.125", b'"12.125"'),
    "a mark": (b'"iscrowd":0', b'"iscrowd":1'),
    "an outline": (b'"segmentation":[]', b'"segmentation":[[1]]'),
    "no comma behind it": (b"[]},", b"[]}"),
    "two commas behind it": (b"[]},", b"[]},,"),
    "something behind it": (b"[]},", b"[]}x,"),
    "a carriage return": (b"[]},", b"[]},\r"),
    "bytes that are no text": (b'"area"', b'"ar\xffa"'),
    "an empty line": (b"[]},\n", b"[]},\n\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("place", [0, 1], ids=["first", "later"])
def test_one_record_written_otherwise_leaves_all_of_them_to_the_reader_of_json(change, place):
    # given
    records = [text(one) for one in (RECORD, RECORD, RECORD)]
    records[place] = text(OTHER)
    data = b",\n".join(records)
    old, new = change
    at = data.index(text(OTHER))
    assert plain(data) is not None

    # when
    changed = data[:at] + data[at:].replace(old, new, 1)

    # then
    assert changed != data
    assert plain(changed) is None


WHOLE = {
    "no category": {key: value for key, value in RECORD.items() if key != "category_id"},
    "no box": {key: value for key, value in RECORD.items() if key != "bbox"},
    "a box of three": RECORD | {"bbox": [1, 2, 3]},
    "a box with truth": RECORD | {"bbox": [1, 2, 3, True]},
    "an outline": RECORD | {"segmentation": [[1, 2, 3, 4, 5, 6]]},
    "a crowd": RECORD | {"iscrowd": 1},
    "attributes": RECORD | {"attributes": {"occluded": True}},
    "keypoints": RECORD | {"keypoints": [1, 2, 2]},
    "an id of ours": RECORD | {"labelkit_id": "ann_1"},
    "an image by name": RECORD | {"image_id": "000012"},
    "a score as text": RECORD | {"score": "0.5"},
    "a comma in a text": RECORD | {"note": "a, b"},
}


@pytest.mark.parametrize("record", WHOLE.values(), ids=WHOLE)
def test_records_with_more_than_a_box_are_left_to_the_reader_of_json(record):
    assert plain(text(record, record)) is None


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"{", b"1", b'{"a":1}', b'{"image_id":1,"image_id":1,"category_id":1,"bbox":[1,2,3,4]}']
)
def test_other_text_is_left_to_the_reader_of_json(data):
    assert plain(data) is None


NUMBERS = st.floats(-1e6, 1e6) | st.integers(-(2**53), 2**53) | st.floats(allow_nan=True, allow_infinity=True)
RECORDS = st.fixed_dictionaries(
    {
        "image_id": st.integers(-5, 2**70),
        "category_id": st.integers(0, 9),
        "bbox": st.lists(NUMBERS, min_size=3, max_size=5),
        "area": NUMBERS,
    }
)


@settings(deadline=None, max_examples=200)
@given(st.lists(RECORDS, min_size=1, max_size=4), st.sampled_from(BORDERS), st.integers(0, 400), st.sampled_from('0123456789.-+eE,]}\n "'))
@example([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 1}], ",", 0, "")
def test_whatever_is_taken_means_what_the_standard_library_reads(records, border, at, sign):
    # given one sign put in anywhere
    data = text(*records, border=border)
    data = data[:at] + sign.encode() + data[at:]

    # when
    found = plain(data)

    # then
    if found is not None:
        assert found.rows() == meant(data)
