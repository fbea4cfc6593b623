"""Objects: named by their bytes, whole or not there, and collected only when nobody needs them."""

from __future__ import annotations

import hashlib
import io
import os
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from labelkit.errors import StorageReadFailed, StorageWriteFailed
from labelkit.store.objects import Objects
from tests.store.disks import read_only, small_disk

FRAME = pl.DataFrame({"frame_index": [0, 1], "label": ["ball", None], "boxes": [[{"x": 1.5}], []]})
ABSENT = "0" * 64


@pytest.fixture
def objects(tmp_path):
    return Objects(tmp_path / "labels.duckdb.objects")


def files(objects):
    return sorted(str(path.relative_to(objects.root)) for path in objects.root.rglob("*") if path.is_file())


def age(objects, digest, seconds):
    then = time.time() - seconds
    os.utime(objects.path(digest), (then, then))


def test_bytes_are_stored_under_their_digest(objects):
    # when
    digest = objects.put_bytes(b"content", ".json")

    # then
    assert digest == hashlib.sha256(b"content").hexdigest()
    assert files(objects) == [f"{digest[:2]}/{digest[2:]}.json"]
    assert objects.read_bytes(digest, ".json") == b"content"
    assert (objects.exists(digest, ".json"), objects.exists(digest)) == (True, False)


def test_the_same_content_twice_is_one_object_written_once(objects):
    # given
    digest = objects.put_frame(FRAME)
    written = Path(objects.path(digest)).stat().st_ino

    # then
    assert objects.put_frame(FRAME.clone()) == digest
    assert (len(files(objects)), Path(objects.path(digest)).stat().st_ino) == (1, written)


def test_a_frame_comes_back_as_it_was_whole_or_some_columns_of_it(objects):
    digest = objects.put_frame(FRAME)
    assert_frame_equal(objects.read_frame(digest), FRAME)
    assert_frame_equal(objects.read_frame(digest, columns=["label"]), FRAME.select("label"))


def test_equal_frames_have_equal_bytes_however_they_were_made(objects):
    # given one frame in one piece, and the same rows in pieces
    rows = pl.DataFrame({"n": range(300_000), "text": [str(n % 97) for n in range(300_000)]})
    pieces = pl.concat([rows[:100_000], rows[100_000:]], rechunk=False)

    # then
    assert objects.put_frame(pieces) == objects.put_frame(rows)


def test_a_file_is_copied_and_stays_where_it_was(objects, tmp_path):
    # given
    file = tmp_path / "made.parquet"
    FRAME.write_parquet(file)

    # when
    digest = objects.put_file(file)

    # then
    assert file.exists()
    assert objects.verify(digest)
    assert_frame_equal(objects.read_frame(digest), FRAME)


def test_objects_are_scanned_one_after_the_other(objects):
    digests = [objects.put_frame(FRAME), objects.put_frame(FRAME.with_columns(pl.col("frame_index") + 10))]
    assert objects.scan(digests).select("frame_index").collect()["frame_index"].to_list() == [0, 1, 10, 11]


def test_a_folder_with_the_signs_of_a_pattern_is_just_a_folder(tmp_path):
    objects = Objects(tmp_path / "a[1]*?.objects")
    digest = objects.put_frame(FRAME)
    assert_frame_equal(objects.read_frame(digest), FRAME)
    assert_frame_equal(objects.scan([digest]).collect(), FRAME)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "ABC", "0" * 63, "g" * 64, "0" * 64 + "\n"])
def test_only_digests_name_objects(objects, name):
    with pytest.raises(ValueError, match="not the name of an object"):
        objects.path(name)


def test_a_suffix_stays_in_the_folder(objects):
    with pytest.raises(ValueError, match="not the name of an object"):
        objects.path(ABSENT, "/../x")


def test_what_is_missing_or_damaged_is_found_and_refused(objects):
    # given
    digest = objects.put_frame(FRAME)
    assert objects.verify(digest)

    # when its file is cut off
    with Path(objects.path(digest)).open("r+b") as file:
        file.truncate(100)

    # then
    assert (objects.verify(digest), objects.verify(ABSENT)) == (False, False)
    for bad in (digest, ABSENT):
        with pytest.raises(StorageReadFailed, match=bad):
            objects.read_frame(bad)
    with pytest.raises(StorageReadFailed):
        objects.read_bytes(ABSENT)
    with pytest.raises(StorageReadFailed):
        objects.put_file(objects.path(ABSENT))


def test_a_full_disk_is_a_refusal_and_leaves_no_file(tmp_path):
    with small_disk(tmp_path / "small", "1m") as folder:
        # given
        objects = Objects(folder / "objects")
        kept = objects.put_bytes(b"kept")

        # when
        with pytest.raises(StorageWriteFailed, match="No space left"):
            objects.put_bytes(os.urandom(2_000_000))
        with pytest.raises(StorageWriteFailed, match="No space left"):
            objects.put_frame(pl.DataFrame({"noise": [os.urandom(2_000_000)]}))

        # then
        assert files(objects) == [f"{kept[:2]}/{kept[2:]}.parquet"]


def test_a_read_only_folder_is_a_refusal(tmp_path):
    folder = tmp_path / "ro"
    folder.mkdir()
    with read_only(folder), pytest.raises(StorageWriteFailed):
        Objects(folder / "objects").put_bytes(b"x")


def test_a_write_that_breaks_in_the_middle_leaves_nothing(objects):
    # given a source that fails after its first part
    class Breaking(io.BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(min(size, 10))

    # when
    with pytest.raises(StorageWriteFailed, match="Input/output error"):
        objects._put(Breaking(b"x" * 100), ABSENT, ".parquet")

    # then
    assert files(objects) == []


def test_collection_removes_what_nobody_names_after_the_grace_time(objects):
    # given
    named, young, old = (objects.put_bytes(word) for word in (b"named", b"young", b"old"))
    age(objects, named, 1000)
    age(objects, old, 1000)

    # when it is tried, then done
    tried = objects.collect({named}, 100, dry_run=True)
    assert len(files(objects)) == 3
    done = objects.collect({named}, 100)

    # then
    assert tried == done
    assert (done.digests, done.size_bytes) == ((old,), 3)
    assert [objects.exists(digest) for digest in (named, young, old)] == [True, True, False]


def test_an_object_that_is_stored_again_is_young_again(objects):
    # given an old object that nobody names
    digest = objects.put_bytes(b"again")
    age(objects, digest, 1000)

    # when somebody stores the same bytes, to name them soon
    objects.put_bytes(b"again")

    # then
    assert objects.collect(set(), 100).digests == ()
    assert objects.exists(digest)


def test_collection_removes_what_killed_writers_left(objects):
    # given
    objects.put_bytes(b"kept")
    left = objects.root / "ab" / ".new-0123456789abcdef"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"half")
    os.utime(left, (0, 0))

    # when
    done = objects.collect(set(), 100)

    # then
    assert (done.digests, done.size_bytes, left.exists()) == ((), 4, False)


def test_collecting_where_nothing_was_ever_stored_removes_nothing(objects):
    assert objects.collect(set(), 0).digests == ()
