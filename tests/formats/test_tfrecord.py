"""TFRecord out and in: what the package `tfrecord` reads, what comes back, and how damage is named."""

from __future__ import annotations

import struct
from contextlib import suppress

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import InvalidValue, LabelsNotFound, LabelsUnreadable
from labelkit.formats import tfrecord
from labelkit.formats.keyed.shard_files import Limits
from labelkit.formats.tfrecord import frames as tfrecord_frames
from labelkit.formats.tfrecord import write as tfrecord_write
from labelkit.formats.tfrecord.feature_kinds import features_of
from labelkit.formats.tfrecord.records import records_of
from tests.formats import helpers, row_zoo
from tests.oracles import environments

BOX = {"id": "1", "label": "player", "x": 10.1234, "y": 5.5, "width": 20.25, "height": 30.0, "score": 0.875}
BALL = {"id": "2", "label": "ball", "x": 0.0, "y": 0.0, "width": 100.0, "height": 50.0}
SAMPLES = helpers.samples(("train", [BOX, BALL]), ("val", []), ("train", [BALL]))
POINTS = helpers.samples(("train", [{"id": "1", "label": "ball", "x": 50.0, "y": 25.0, "size": 10.0}]))
JPEG = b"\xff\xd8\xff not looked into \0" * 500


def payloads(rows):
    """The records of rows, without their frames."""
    made = records_of([feature for column in rows for feature in features_of(column)], rows.height)
    return [made.data[begin + 12 : end - 4].tobytes() for begin, end in zip(made.begins, made.ends, strict=True)]


PAYLOADS = payloads(row_zoo.ODDITIES)


def picture(row):
    return None if row["frame_index"] == 1 else (JPEG + row["sample_key"].encode(), "image/jpeg")


def written(target, rows, capability=None, **facts):
    helpers.export(tfrecord_write.FORMAT, target, rows, capability, **facts)
    return target


def read(folder):
    return pl.concat(list(tfrecord.read(folder)))


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """What the package `tfrecord` finds in each export, after it verified every checksum."""
    root = tmp_path_factory.mktemp("exports")
    exports = {
        "samples": written(root / "samples", SAMPLES, helpers.BOXES, picture=picture),
        "points": written(root / "points", POINTS, helpers.POINTS),
        "rows": written(root / "rows", row_zoo.ODDITIES),
        "many": written(root / "many", pl.DataFrame({"key": [f"k{n}" for n in range(9_000)], "n": range(9_000)}), chunks=3),
    }
    return environments.read("formats", {name: ("tfrecord", folder, {}) for name, folder in exports.items()})


def texts(values):
    return ["bytes_list", [value.encode().hex() for value in values]]


def test_another_library_finds_a_sample_as_the_object_detection_api_wants_it(theirs):
    first, second, _ = theirs["samples"]

    assert first["file"] == "train-00000-of-00001.tfrecord"
    assert first["image/encoded"] == ["bytes_list", [picture(SAMPLES.row(0, named=True))[0].hex()]]
    assert first["image/format"] == texts(["jpeg"])
    assert first["image/filename"] == texts(["club-a/match-1/f0.jpg"])
    assert first["image/source_id"] == texts(["club-a/match-1/000000"])
    assert (first["image/width"], first["image/height"]) == (["int64_list", ["100"]], ["int64_list", ["50"]])
    assert first["image/object/class/text"] == texts(["player", "ball"])
    assert first["image/object/class/label"] == ["int64_list", ["1", "2"]]
    assert [float(value) for value in first["image/object/bbox/xmin"][1]] == pytest.approx([0.101234, 0.0])
    assert [float(value) for value in first["image/object/bbox/ymax"][1]] == pytest.approx([0.71, 1.0])
    assert second["image/object/class/label"] == ["int64_list", ["2"]]


def test_another_library_finds_a_sample_without_picture_and_labels_too(theirs):
    found = theirs["samples"][2]

    assert found["file"] == "val-00000-of-00001.tfrecord"
    assert "image/encoded" not in found
    assert found["image/object/class/text"] == ["bytes_list", []]


def test_another_library_finds_a_point_as_keypoint_and_as_box_of_its_size(theirs):
    found = theirs["points"][0]

    assert [found[f"image/object/keypoint/{axis}"][1] for axis in "xy"] == [["0.5"], ["0.5"]]
    sides = [float(found[f"image/object/bbox/{side}"][1][0]) for side in ("xmin", "xmax", "ymin", "ymax")]
    assert sides == pytest.approx([0.45, 0.55, 0.4, 0.6])


def test_another_library_finds_every_value_of_odd_rows(theirs):
    first, second, third = theirs["rows"]

    assert (first["key"], second["key"]) == (texts(["a"]), texts(["b.c/ü"]))
    assert [row["whole"] for row in (first, second)] == [["int64_list", ["1"]], ["int64_list", ["-5"]]]
    assert "whole" not in third
    assert first["double/float64"] == ["bytes_list", [struct.pack("<d", 0.1).hex()]]
    assert (second["double"], "double/float64" in second) == (["float_list", ["-0.0"]], False)
    assert third["double"] == ["float_list", ["nan"]]
    assert first["text"] == texts(["\0 nul"])
    assert first["large"] == texts([str(2**64 - 1)])
    assert (first["numbers"], first["numbers/null"]) == (["int64_list", ["1", "0", "300"]], ["int64_list", ["1"]])
    assert (second["numbers"], "numbers" in third) == (["int64_list", []], False)
    assert (first["texts"], third["texts"]) == (texts(["a", "\0ü"]), texts(["x" * 200]))
    assert first["grid/lengths"] == ["int64_list", ["2", "0", "0"]]
    assert (first["struct/b"], second["struct/empty"], "struct/empty" in third) == (texts(["x"]), ["int64_list", ["1"]], False)


def test_another_library_finds_all_of_many_rows_in_their_order(theirs):
    assert [int(row["n"][1][0]) for row in theirs["many"]] == list(range(9_000))


def test_odd_rows_come_back_as_they_were(tmp_path):
    assert row_zoo.same(read(written(tmp_path / "out", row_zoo.ODDITIES)), row_zoo.ODDITIES)


def test_samples_come_back_as_they_were_whether_with_pictures_or_without(tmp_path):
    by_part = SAMPLES.sort("split", maintain_order=True)

    assert read(written(tmp_path / "with", SAMPLES, helpers.BOXES, picture=picture)).equals(by_part)
    assert read(written(tmp_path / "without", SAMPLES, helpers.BOXES)).equals(by_part)


def test_shards_hold_so_many_rows_and_bytes_and_a_part_without_rows_has_one_too(tmp_path):
    rows = pl.DataFrame({"key": [f"k{n}" for n in range(7)], "split": ["a"] * 7, "text": ["x" * (400 if n == 4 else 1) for n in range(7)]})
    about = helpers.about(rows, None, splits=["a", "b"])

    by_rows = tfrecord_write.write(rows.iter_slices(2), _folder(tmp_path / "rows"), about, limits=Limits(rows=3))
    by_bytes = tfrecord_write.write(rows.iter_slices(5), _folder(tmp_path / "bytes"), about, limits=Limits(size_bytes=250))

    assert by_rows == {
        "a-00000-of-00003.tfrecord": 3,
        "a-00001-of-00003.tfrecord": 3,
        "a-00002-of-00003.tfrecord": 1,
        "b-00000-of-00001.tfrecord": 0,
    }
    assert [rows for name, rows in by_bytes.items() if name.startswith("a")] == [3, 1, 1, 2]
    assert read(tmp_path / "rows")["key"].to_list() == read(tmp_path / "bytes")["key"].to_list() == rows["key"].to_list()


def test_a_file_of_others_is_read_by_what_its_features_hold(tmp_path):
    folder = written(tmp_path / "out", row_zoo.ODDITIES.select("key", "whole", "bytes", "texts", "single"))
    (folder / "labelkit-export.json").unlink()

    found = read(folder)

    assert dict(found.schema) == {
        "bytes": pl.Binary(),
        "key": pl.String(),
        "single": pl.Float32(),
        "texts": pl.List(pl.String()),
        "whole": pl.Int64(),
    }
    assert found["texts"].to_list() == row_zoo.ODDITIES["texts"].to_list()


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


DAMAGE = {
    "the length of the first": (0, "at byte 0 has a length"),
    "the checksum of the first's length": (8, "at byte 0 has a length"),
    "the content of the first": (40, "at byte 0 has a content"),
    "the length of the second": (None, "has a length"),
    "the last checksum": (-1, "has a content"),
}


@pytest.mark.parametrize(("at", "sentence"), DAMAGE.values(), ids=DAMAGE)
def test_one_flipped_bit_is_named_by_file_and_record(tmp_path, at, sentence):
    folder = written(tmp_path / "out", row_zoo.ODDITIES)
    path = folder / "data-00000-of-00001.tfrecord"
    second = 16 + struct.unpack_from("<Q", path.read_bytes())[0]
    flip(path, second if at is None else at)

    with pytest.raises(LabelsUnreadable) as refused:
        read(folder)

    assert path.name in str(refused.value)
    assert sentence in str(refused.value)
    assert at is not None or f"at byte {second:,} " in str(refused.value)


@pytest.mark.parametrize("left", [5, 30, -2])
def test_a_cut_file_is_named_with_where_its_last_record_begins(tmp_path, left):
    folder = written(tmp_path / "out", row_zoo.ODDITIES)
    path = folder / "data-00000-of-00001.tfrecord"
    path.write_bytes(path.read_bytes()[:left])

    with pytest.raises(LabelsUnreadable, match=r"the record at byte [\d,]+ is cut"):
        read(folder)


def test_a_record_that_is_whole_but_no_example_is_named(tmp_path):
    path = tmp_path / "odd.tfrecord"
    path.write_bytes(_record(b"no protobuf at all"))

    with pytest.raises(LabelsUnreadable, match=r"is whole, but no tf\.train\.Example"):
        read(path)


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(LabelsNotFound):
        read(tmp_path)


CLASHES = {
    "a companion": {"a": [[1]], "a/null": [1]},
    "a field": {"a": [{"b": 1}], "a/b": [1]},
}


@pytest.mark.parametrize("columns", CLASHES.values(), ids=CLASHES)
def test_columns_that_would_be_the_same_feature_are_refused(tmp_path, columns):
    with pytest.raises(InvalidValue, match="would both be in the feature"):
        written(tmp_path / "out", pl.DataFrame({"key": ["k"], **columns}))


def test_columns_of_samples_named_as_pictures_are_refused(tmp_path):
    with pytest.raises(InvalidValue, match="a name of pictures"):
        written(tmp_path / "out", SAMPLES.with_columns(pl.lit(1).alias("image/width")), helpers.BOXES)


@pytest.mark.parametrize("content", [b"", b"\n\0"], ids=["nothing", "an empty list of features"])
def test_records_without_features_are_refused(tmp_path, content):
    path = tmp_path / "made.tfrecord"
    path.write_bytes(_record(content) * 2)

    with pytest.raises(LabelsUnreadable, match="2 records have no features"):
        read(path)


KEY_A = b"\n\x03key\x12\x05\n\x03\n\x01a"
BEHIND = {
    "the features": b"\n\x0e\n\x0c" + KEY_A + b"\x1a\0",
    "a feature": b"\n\x10\n\x0e" + KEY_A + b"\x1a\0",
    "a feature's value": b"\n\x10\n\x0e\n\x03key\x12\x07\n\x03\n\x01a\x1a\0",
}


@pytest.mark.parametrize("content", BEHIND.values(), ids=BEHIND)
def test_what_stands_behind_is_refused_and_not_passed_over(tmp_path, content):
    # given
    (tmp_path / "good.tfrecord").write_bytes(_record(b"\n\x0e\n\x0c" + KEY_A))
    (tmp_path / "made.tfrecord").write_bytes(_record(content))

    # then
    assert read(tmp_path / "good.tfrecord").rows() == [("a",)]
    with pytest.raises(LabelsUnreadable, match="is whole, but no"):
        read(tmp_path / "made.tfrecord")


@settings(max_examples=60)
@given(data=st.data())
def test_any_content_under_good_checksums_is_read_or_refused(tmp_path_factory, data):
    # given records that somebody made on purpose: those of odd rows with some bytes changed
    content = bytearray(data.draw(st.sampled_from(PAYLOADS)))
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=4)):
        content[place] = byte
    path = tmp_path_factory.mktemp("made") / "made.tfrecord"
    path.write_bytes(_record(bytes(content)))

    with suppress(LabelsUnreadable):
        assert read(path).height == 1


def test_a_record_longer_than_a_read_is_read_and_a_damaged_length_is_found_before_all_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(tfrecord_frames, "READ_BYTES", 256)
    folder = written(tmp_path / "out", row_zoo.ODDITIES)
    path = folder / "data-00000-of-00001.tfrecord"

    assert row_zoo.same(read(folder), row_zoo.ODDITIES)

    flip(path, 0)
    with path.open("ab") as file:
        file.truncate(1 << 40)
    with pytest.raises(LabelsUnreadable, match="at byte 0 has a length that does not fit"):
        list(tfrecord_frames.batches(path))


def _folder(path):
    path.mkdir()
    return path


def _record(data):
    import numpy as np

    from labelkit.formats.tfrecord.crc32c import crc32c, masked

    def checked(part):
        return part + masked(crc32c(np.frombuffer(part, np.uint8), np.asarray([0]), np.asarray([len(part)]))).astype("<u4").tobytes()

    return checked(struct.pack("<Q", len(data))) + checked(data)
