"""The search for near-duplicates: in pictures and videos, once ever, and with what others found meanwhile."""

from __future__ import annotations

import io
import json

import polars as pl
import pytest
from PIL import Image

from labelkit.media import phash
from labelkit.services.datasets.near_duplicates import searching
from tests.media.helpers import video
from tests.services.datasets.near_duplicates.looks import (
    LABELS,
    filmed,
    looking,
    pairs,
)
from tests.services.packs import CAPABILITY, Pack, add, change
from tests.services.worlds import refused, trail


def test_a_copy_of_other_quality_is_found_with_the_frames_that_show_it(ws, tmp_path):
    # given the picture 2 in two media of different groups, and twice in one
    filmed(ws, tmp_path, first=(1, 2, 3), second=(4, 5, 2), third=(6, 6))
    told = []

    # when
    found = ws.datasets.find_near_duplicates(CAPABILITY, progress=lambda done, total: told.append((done, total)))

    # then
    shown = found.select("media_a", "frame_a", "media_b", "frame_b", "group_a", "group_b", "frame_pairs", "ruling", "ruling_version")
    assert shown.rows() == [("first", 1, "second", 2, "first", "second", 1, None, 0)]
    assert found["dhash_distance"][0] <= 6
    assert found["phash_distance"][0] <= 6
    sides = [ws.media.frames(name)["sha256"][index] for name, index in (("first", 1), ("second", 2))]
    assert found.select("sha256_a", "sha256_b").row(0) == tuple(sides)
    assert told[-1] == (7, 7)  # the two files of the third are one picture
    assert found.equals(ws.datasets.near_duplicates())


def test_a_picture_is_hashed_once_ever(ws, tmp_path, monkeypatch):
    # given
    ids = filmed(ws, tmp_path, first=(1, 2), second=(2, 3))
    ws.datasets.find_near_duplicates(label_pack_ids=[ids["first"]])
    counted = []
    monkeypatch.setattr(phash, "hashes", lambda data, real=phash.hashes: counted.append(1) or real(data))

    # when the second comes, then nothing more, then the same files under another name
    assert pairs(ws.datasets.find_near_duplicates(CAPABILITY)) == [("first", "second")]
    assert len(counted) == 2
    ws.datasets.find_near_duplicates(CAPABILITY)
    ws.media.add(tmp_path / "second", name="again")
    add(ws, [Pack("again", LABELS, frames=2)])

    # then
    assert pairs(ws.datasets.find_near_duplicates(CAPABILITY)) == [("first", "again"), ("first", "second"), ("second", "again")]
    assert len(counted) == 2


def test_what_was_hashed_before_an_interruption_stays(ws, tmp_path, monkeypatch):
    # given a search that is stopped in its second batch
    monkeypatch.setattr(searching, "BATCH", 2)
    ids = filmed(ws, tmp_path, first=(1, 2, 3), second=(1, 4))

    def stop(done, _total):
        if done > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ws.datasets.find_near_duplicates(label_pack_ids=list(ids.values()), progress=stop)
    assert ws.datasets.near_duplicates().is_empty()
    told = []

    # when
    found = ws.datasets.find_near_duplicates(CAPABILITY, progress=lambda done, total: told.append((done, total)))

    # then only the rest was left to do
    assert pairs(found) == [("first", "second")]
    assert told == [(2, 2)]


def test_frames_of_videos_are_compared_with_each_other_and_with_pictures(ws, tmp_path):
    # given a video, the same pictures compressed again as another, and one of its frames as a file
    ws.media.add(video(tmp_path / "one.mp4", frames=24, size=(320, 180)), name="one")
    ws.media.add(video(tmp_path / "two.mp4", frames=24, size=(160, 96)), name="two")
    (tmp_path / "stills").mkdir()
    (tmp_path / "stills" / "a.jpg").write_bytes(ws.media.frame_bytes("one", 20)[0])
    ws.media.add(tmp_path / "stills", name="stills")
    add(ws, [Pack(name, LABELS, frames=24 if name != "stills" else 1) for name in ("one", "two", "stills")])

    # when
    found = ws.datasets.find_near_duplicates(CAPABILITY)

    # then the still is the very frame
    still = found.filter((pl.col("media_a") == "one") & (pl.col("media_b") == "stills")).row(0, named=True)
    assert (still["frame_b"], still["dhash_distance"] + still["phash_distance"]) == (0, 0)
    assert abs(still["frame_a"] - 20) <= 2


def test_frames_that_cannot_be_read_are_searched_when_they_can(ws, tmp_path):
    # given a media whose files are away, and one without pictures at all
    ids = filmed(ws, tmp_path, first=(1, 2), second=(2, 3)) | add(ws, [Pack("blind", LABELS, broken=(0, 1, 2, 3))])
    (tmp_path / "second").rename(tmp_path / "away")
    assert ws.datasets.find_near_duplicates(CAPABILITY).is_empty()
    assert json.loads(trail(ws, "facts")[-1][0]) == {"media": 3, "pairs": 0, "unavailable": 2}

    # when
    (tmp_path / "away").rename(tmp_path / "second")

    # then
    assert pairs(ws.datasets.find_near_duplicates(label_pack_ids=list(ids.values()))) == [("first", "second")]
    assert pairs(ws.datasets.find_near_duplicates(CAPABILITY)) == [("first", "second")]


def test_new_media_are_compared_with_all_that_were_searched_before(ws):
    # given media searched one after the other
    ids = looking(ws, a="red grey", bb="blue", ccc="red", dddd="green")
    for pack in ids.values():
        ws.datasets.find_near_duplicates(label_pack_ids=[pack])

    # then the evidence is that of one search
    assert pairs(ws.datasets.near_duplicates()) == [("a", "ccc")]
    assert pairs(ws.datasets.near_duplicates(label_pack_ids=[ids["a"], ids["ccc"]])) == [("a", "ccc")]
    assert pairs(ws.datasets.near_duplicates(label_pack_ids=[ids["a"], ids["bb"]])) == []
    assert pairs(ws.datasets.near_duplicates("ball_detection")) == []


def test_what_another_search_found_meanwhile_is_searched_too(ws, monkeypatch):
    # given a second search that ends while the first one compares
    ids = looking(ws, a="red", bb="red")
    real, done = searching.alike, []

    def comparing(*args, **kwargs):
        if not done:
            done.append(1)
            ws.datasets.find_near_duplicates(label_pack_ids=[ids["bb"]])
        return real(*args, **kwargs)

    monkeypatch.setattr(searching, "alike", comparing)

    # then
    ws.datasets.find_near_duplicates(label_pack_ids=[ids["a"]])
    assert pairs(ws.datasets.near_duplicates()) == [("a", "bb")]


def test_frames_of_one_group_are_no_evidence(ws):
    ids = looking(ws, a="red", bb="red", ccc="blue")
    change(ws, "UPDATE media SET group_key = 'same' WHERE name IN ('a', 'bb')")
    assert ws.datasets.find_near_duplicates(label_pack_ids=list(ids.values())).is_empty()


@pytest.mark.parametrize(
    ("case", "call", "code"),
    [
        ("nothing is named", lambda datasets: datasets.find_near_duplicates(), "INVALID_VALUE"),
        ("a capability that is not there", lambda datasets: datasets.find_near_duplicates("juggling"), "NOT_FOUND"),
        ("a pack that is not there", lambda datasets: datasets.find_near_duplicates(label_pack_ids=["lpk_nowhere"]), "NOT_FOUND"),
        ("a ruling that is not there", lambda datasets: datasets.near_duplicates(ruling="perhaps"), "INVALID_VALUE"),
        ("to rule as nobody can", lambda datasets: datasets.rule_near_duplicate("near_1", "perhaps", reason="x"), "INVALID_VALUE"),
        ("without a reason", lambda datasets: datasets.rule_near_duplicate("near_1", "different", reason=" "), "REASON_REQUIRED"),
        ("on a pair that is not there", lambda datasets: datasets.rule_near_duplicate("near_1", "different", reason="x"), "NOT_FOUND"),
    ],
)
def test_what_makes_no_sense_is_refused(ws, case, call, code):
    assert refused(lambda: call(ws.datasets)) == code, case


def test_the_picture_of_a_frame_is_what_was_hashed(ws, tmp_path):
    # given
    filmed(ws, tmp_path, first=(1, 2))
    ws.datasets.find_near_duplicates(CAPABILITY)

    # then
    frames = ws.media.frames("first")
    with ws._database.reading() as tx:
        kept = tx.datasets.near_duplicates.hashes(frames["sha256"])
    for index in range(2):
        wanted = phash.hashes_of(Image.open(io.BytesIO(ws.media.frame_bytes("first", index)[0])))
        assert kept.filter(pl.col("sha256") == frames["sha256"][index]).row(0)[1:] == (wanted.dhash, wanted.phash)
