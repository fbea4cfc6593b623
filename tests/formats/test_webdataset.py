"""WebDataset out and in: what the package `webdataset` reads, what comes back, and how damage is named."""

from __future__ import annotations

import io
import json
import tarfile

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.errors import LabelsUnreadable
from labelkit.formats import webdataset
from labelkit.formats.keyed.shard_files import Limits
from labelkit.formats.keyed.tar_rows import read_members
from labelkit.formats.webdataset import write as webdataset_write
from labelkit.formats.webdataset.names import key_of, name_of, names_of
from tests.formats import helpers, row_zoo
from tests.oracles import environments

BOX = {"id": "1", "label": "player", "x": 10.1234, "y": 5.5, "width": 20.25, "height": 30.0, "score": 0.875}
SAMPLES = helpers.samples(("train", [BOX]), ("val", []), ("train", [BOX, BOX]))
PICTURES = {0: (b"\xff\xd8\xff" + b"\0" * 700, "image/jpeg"), 1: None, 2: (b"\x89PNG", "image/png")}
KEYS = ["a", "b.c/ü", "k" * 120 + "/" + "z" * 130, "../up", "", "a//b", "50%", "/root", "x/.hidden"]
ROWS = pl.DataFrame({"key": KEYS, "input": ['{"text":"ü"}'] * len(KEYS), "n": range(len(KEYS))})


def written(target, rows, capability=None, **facts):
    helpers.export(webdataset_write.FORMAT, target, rows, capability, **facts)
    return target


def read(folder):
    return pl.concat(list(webdataset.read(folder)))


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """What the package `webdataset` finds in each export."""
    root = tmp_path_factory.mktemp("exports")
    exports = {
        "samples": written(root / "samples", SAMPLES, helpers.BOXES, picture=lambda row: PICTURES[row["frame_index"]]),
        "rows": written(root / "rows", ROWS, json_columns=("input",)),
        "many": written(root / "many", pl.DataFrame({"key": [f"k{n}" for n in range(9_000)], "n": range(9_000)}), chunks=3),
    }
    return environments.read("formats", {name: ("webdataset", folder, {}) for name, folder in exports.items()})


def test_another_library_finds_each_sample_with_its_stored_picture_and_its_row(theirs):
    first, third, second = theirs["samples"]

    assert (first["file"], first["key"]) == ("train-000000.tar", "club-a/match-1/000000")
    assert bytes.fromhex(first["jpg"]) == PICTURES[0][0]
    assert bytes.fromhex(third["png"]) == PICTURES[2][0]
    assert first["row"]["annotations"] == [helpers.ANNOTATION | {"size": None, "source": None, "attributes": None} | BOX]
    assert [one["id"] for one in third["row"]["annotations"]] == ["1", "1"]
    assert (second["file"], second["row"]["annotations"], set(second)) == ("val-000000.tar", [], {"file", "key", "row", "json"})


def test_another_library_finds_rows_under_names_from_which_their_keys_follow(theirs):
    assert [key_of(one["key"]) for one in theirs["rows"]] == KEYS == [one["row"]["key"] for one in theirs["rows"]]
    assert theirs["rows"][0]["row"] == {"key": "a", "n": 0, "input": {"text": "ü"}}


def test_another_library_finds_all_of_many_rows_in_their_order(theirs):
    assert [one["row"]["n"] for one in theirs["many"]] == list(range(9_000))


def test_odd_rows_come_back_as_they_were(tmp_path):
    assert row_zoo.same(read(written(tmp_path / "out", row_zoo.ODDITIES)), row_zoo.ODDITIES)


def test_rows_with_json_and_long_or_odd_keys_come_back_as_they_were(tmp_path):
    assert read(written(tmp_path / "out", ROWS, json_columns=("input",))).equals(ROWS)


def test_samples_come_back_as_they_were(tmp_path):
    folder = written(tmp_path / "out", SAMPLES, helpers.BOXES, picture=lambda row: PICTURES[row["frame_index"]])

    assert read(folder).equals(SAMPLES.sort("split", maintain_order=True))


def test_nothing_in_a_file_says_who_wrote_it_or_when_and_its_names_stay_below_the_folder(tmp_path):
    folder = written(tmp_path / "out", ROWS)

    with tarfile.open(folder / "data-000000.tar") as tar:
        found = tar.getmembers()

    assert {(one.mtime, one.uid, one.gid, one.uname, one.gname, one.mode, one.type) for one in found} == {
        (0, 0, 0, "", "", 0o644, tarfile.REGTYPE)
    }
    assert [one.name for one in found] == [f"{name_of(key)}.json" for key in KEYS]
    assert not any(one.name.startswith("/") or ".." in one.name for one in found)


def test_shards_hold_so_many_rows_and_bytes(tmp_path):
    rows = pl.DataFrame({"key": [f"k{n}" for n in range(7)], "text": ["x" * (2_000 if n == 4 else 1) for n in range(7)]})
    folders = [tmp_path / name for name in ("rows", "bytes")]
    for folder in folders:
        folder.mkdir()

    by_rows = webdataset_write.write(rows.iter_slices(2), folders[0], helpers.about(rows, None), limits=Limits(rows=3))
    by_bytes = webdataset_write.write(rows.iter_slices(5), folders[1], helpers.about(rows, None), limits=Limits(size_bytes=2_048))

    assert by_rows == {"data-000000.tar": 3, "data-000001.tar": 3, "data-000002.tar": 1}
    assert list(by_bytes.values()) == [2, 2, 1, 2]


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.text("./%a\\ ", max_size=6))
def test_every_key_has_a_name_that_leads_back_to_it_and_has_no_dot(key):
    name = name_of(key)

    assert key_of(name) == key
    assert names_of(pl.Series([key, "plain"])).to_list() == [name, "plain"]
    assert name.isascii()
    assert "." not in name
    assert all(name.split("/"))


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12), min_size=2, max_size=2, unique=True))
def test_two_keys_never_have_the_same_name(keys):
    assert len({name_of(key) for key in keys}) == 2


OTHERS = {"pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT, "ustar": tarfile.USTAR_FORMAT}


@pytest.mark.parametrize("form", OTHERS.values(), ids=OTHERS)
def test_tar_files_of_others_are_read_by_what_their_json_holds(tmp_path, form):
    names = ["a/1", f"{'d' * 60}/{'n' * 80}"]
    with tarfile.open(tmp_path / "x.tar", "w", format=form) as tar:
        folder = tarfile.TarInfo("a")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for number, name in enumerate(names):
            for suffix, data in ((".jpg", b"picture"), (".json", json.dumps({"n": number}, indent=1).encode())):
                info = tarfile.TarInfo(name + suffix)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))

    assert read(tmp_path).to_dicts() == [{"__key__": names[0], "n": 0}, {"__key__": names[1], "n": 1}]


DAMAGE = {
    "a changed header": (lambda data: data[:1030] + b"\x07" + data[1031:], "the header at byte 1,024 does not fit its checksum"),
    "a cut file": (lambda data: data[:1600], "the file in it at byte 1,024 is cut"),
}


@pytest.mark.parametrize(("damaged", "sentence"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named_by_file_and_place(tmp_path, damaged, sentence):
    path = written(tmp_path / "out", ROWS) / "data-000000.tar"
    path.write_bytes(damaged(path.read_bytes()))

    with pytest.raises(LabelsUnreadable) as refused:
        list(read_members(path))

    assert path.name in str(refused.value)
    assert sentence in str(refused.value)


def raw(name, data, *, type=tarfile.REGTYPE, size=None):
    """One member as it stands in a tar file, with a good checksum whatever it says of itself."""
    info = tarfile.TarInfo(name)
    info.size, info.type = len(data) if size is None else size, type
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)


HOSTILE = {
    "a content larger than the file": (raw("a.json", b"{}", size=8**11 - 1), "the file in it at byte 0 is cut"),
    "pax records without a length": (raw("x", b"path=a.json\n", type=tarfile.XHDTYPE), "the pax header at byte 0 cannot be read"),
    "pax records of no length": (raw("x", b"0 path=a.json\n", type=tarfile.XHDTYPE), "the pax header at byte 0 cannot be read"),
    "a file cut in its header": (raw("a.json", b"{}")[:100], "the file in it at byte 0 is cut"),
}


@pytest.mark.parametrize(("data", "sentence"), HOSTILE.values(), ids=HOSTILE)
def test_tar_files_made_to_lead_a_reader_astray_are_refused(tmp_path, data, sentence):
    path = tmp_path / "made.tar"
    path.write_bytes(data)

    with pytest.raises(LabelsUnreadable, match=sentence):
        list(read_members(path))


def test_links_and_folders_in_a_tar_file_are_passed_over(tmp_path):
    link = tarfile.TarInfo("link.json")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    path = tmp_path / "made.tar"
    path.write_bytes(link.tobuf() + raw("folder", b"", type=tarfile.DIRTYPE) + raw("a.json", b"{}") + bytes(1024))

    assert [member.name for member in read_members(path)] == ["a.json"]
