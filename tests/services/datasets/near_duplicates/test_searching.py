"""Near-duplicates: found in pictures and videos, kept as evidence, ruled on by reviewers, and heeded by every split."""

from __future__ import annotations

import io
import json
from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import labelkit
from labelkit import BuildRequest
from labelkit.core.geometry import Box
from labelkit.media import phash
from labelkit.services.datasets import near_duplicates as searching
from labelkit.store.datasets.near_duplicate_rows import HASHES
from tests.media.helpers import encoded, picture, video
from tests.services.packs import CAPABILITY, Pack, add, change, sha256
from tests.services.worlds import as_user, refused, trail

if TYPE_CHECKING:
    from labelkit.workspace import Workspace

BOX = Box(1.0, 2.0, 3.0, 4.0)
LABELS = [("APPROVED", {0: [("player", BOX)]})]
LOOKS = {"red": 0x0F0F_F0F0_1234_5678, "blue": 0xFFFF_0000_FFFF_0000, "green": 0x00FF_00FF_1111_2222, "grey": 0x3333_CCCC_5A5A_A5A5}


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


def soft(seed: int) -> Image.Image:
    return picture(20, 12, seed).resize((320, 180), Image.Resampling.BICUBIC)


def folder_of(path, *seeds: int, quality: int = 90):
    """A folder of pictures, one a seed: the same seed looks the same whatever the quality."""
    path.mkdir()
    for index, seed in enumerate(seeds):
        (path / f"{index:03}.jpg").write_bytes(encoded(soft(seed), "JPEG", quality=quality))
    return path


def filmed(ws: Workspace, tmp_path, **clips: tuple[int, ...]) -> dict[str, str]:
    """Media with pictures and an approved pack each; quality falls from one to the next, so that no two files are equal."""
    for number, (name, seeds) in enumerate(clips.items()):
        ws.media.add(folder_of(tmp_path / name, *seeds, quality=95 - 10 * number), name=name)
    return add(ws, [Pack(name, LABELS, frames=len(seeds)) for name, seeds in clips.items()])


def looking(ws: Workspace, **clips: str) -> dict[str, str]:
    """Media without files whose frames have these looks (words of `LOOKS`), and an approved pack each."""
    packs = [Pack(name, LABELS, frames=len(looks.split())) for name, looks in clips.items()]
    rows = [
        (sha256(f"{name}/{index}"), LOOKS[look] ^ len(name), LOOKS[look] ^ index)
        for name, looks in clips.items()
        for index, look in enumerate(looks.split())
    ]
    with ws._database.transaction() as tx:
        tx.datasets.near_duplicates.add_hashes(pl.DataFrame(rows, schema=HASHES, orient="row"))
    return add(ws, packs)


def request(ids, **more) -> BuildRequest:
    return BuildRequest(**{"capability": CAPABILITY, "label_pack_ids": list(ids), "name": "players"} | more)


def pairs(rows: pl.DataFrame) -> list[tuple[str, str]]:
    return sorted(rows.select("media_a", "media_b").rows())


def codes(preflight) -> list[tuple[str, bool]]:
    return [(issue.code, issue.blocking) for issue in preflight.issues]


def splits_of(ws: Workspace, ids, **more) -> dict[str, str]:
    rows = ws.datasets.build(request(ids, **more)).dataset.to_polars()
    return dict(rows.select("group_key", "split").unique().rows())


# --- finding


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


# --- ruling


def test_a_ruling_is_versioned_and_leaves_its_audit_row(ws):
    # given
    looking(ws, a="red", bb="red")
    pair = ws.datasets.find_near_duplicates(CAPABILITY)["id"][0]

    # when two rulings are made, and one on what was seen before the second
    ws.datasets.rule_near_duplicate(pair, "different", reason="another day", expected_version=0)
    ws.datasets.rule_near_duplicate([pair, pair], "duplicate", reason="the same after all")
    late = refused(lambda: ws.datasets.rule_near_duplicate(pair, "different", reason="late", expected_version=1))

    # then
    assert late == "NEAR_DUPLICATE_RULING_CONFLICT"
    shown = ws.datasets.near_duplicates().select("ruling", "ruling_version", "reason", "ruled_by").rows()
    assert shown == [("duplicate", 2, "the same after all", "ana")]
    assert ws.datasets.near_duplicate_rulings(pair).select("version", "ruling", "reason", "ruled_by").rows() == [
        (2, "duplicate", "the same after all", "ana"),
        (1, "different", "another day", "ana"),
    ]
    assert [ws.datasets.near_duplicates(ruling=one).height for one in ("duplicate", "different", "none")] == [1, 0, 0]
    rows = [row for row in trail(ws, "action", "code", "allowed", "subject") if row[0] == "rule on near-duplicates"]
    assert [row[1:3] for row in rows] == [
        ("NEAR_DUPLICATES_STARTED", True),
        ("NEAR_DUPLICATES_FOUND", True),
        ("NEAR_DUPLICATES_RULED", True),
        ("NEAR_DUPLICATES_RULED", True),
        ("NEAR_DUPLICATE_RULING_CONFLICT", False),
    ]
    assert rows[2][3] == f"near-duplicates:{pair}"


@pytest.mark.parametrize(("role", "allowed"), [(None, False), ("viewer", False), ("annotator", False), ("reviewer", True), ("lead", True)])
def test_reviewers_and_above_search_and_rule(ws, role, allowed):
    # given
    looking(ws, a="red", bb="red")
    pair = ws.datasets.find_near_duplicates(CAPABILITY)["id"][0]
    them = as_user(ws, "bob", role)
    calls = (
        lambda: them.datasets.find_near_duplicates(CAPABILITY),
        lambda: them.datasets.rule_near_duplicate(pair, "different", reason="seen"),
    )

    # then
    for call in calls:
        if allowed:
            call()
        else:
            assert refused(call) == "PERMISSION_DENIED"
    rows = [row for row in trail(ws, "actor", "code", "allowed") if row[0] == "bob"]
    wanted = ["NEAR_DUPLICATES_SEARCHED", "NEAR_DUPLICATES_RULED"] if allowed else ["PERMISSION_DENIED"] * 2
    assert [row[1:] for row in rows] == [(code, allowed) for code in wanted]


def test_evidence_of_a_workspace_that_one_may_not_read_is_not_shown(ws):
    # given evidence between media of two workspaces, found by one who reads both
    ids = looking(ws, a="red", bb="red", ccc="red")
    with ws._database.transaction() as tx:
        other = tx.workspaces.create("club-b", owner="ana")
    change(ws, "UPDATE media SET workspace_id = $to WHERE name = 'ccc'", to=other.id)
    change(ws, "UPDATE label_packs SET workspace_id = $to WHERE id = $id", to=other.id, id=ids["ccc"])
    assert ws.datasets.find_near_duplicates(CAPABILITY).height == 3

    # then
    them = as_user(ws, "bob", "reviewer")
    assert pairs(them.datasets.near_duplicates()) == [("a", "bb")]
    assert refused(lambda: them.datasets.find_near_duplicates(label_pack_ids=[ids["ccc"]])) == "NOT_FOUND"


# --- splits


def test_a_preflight_names_the_groups_that_count_as_one_and_the_build_keeps_them_together(ws):
    # given nine media of which three hang together, through the look of one
    ids = looking(ws, a="red", bb="red blue", ccc="blue", **{f"x{n}": "grey" for n in range(1)}, y="green")
    ws.datasets.find_near_duplicates(CAPABILITY)

    # when
    found = ws.datasets.preflight(request(ids.values()))

    # then
    assert codes(found) == [("NEAR_DUPLICATES_JOINED", False)]
    assert (found.joined_groups, found.near_duplicate_count, found.unsearched_media_count) == ((("a", "bb", "ccc"),), 2, 0)
    assert "a, bb, ccc. Evidence: 2 pairs of media." in found.issues[0].message
    assert "NEAR_DUPLICATES_JOINED" in repr(found)
    assert "NEAR_DUPLICATES_JOINED" in found._repr_html_()
    splits = splits_of(ws, ids.values(), join_near_duplicates=True)
    assert splits == found.plan.placement
    assert len({splits[group] for group in ("a", "bb", "ccc")}) == 1
    assert splits["y"] != splits["a"]


def test_a_pair_that_was_ruled_out_joins_nothing_and_a_confirmed_one_does(ws):
    # given two groups that would be in two splits were they not alike
    ids = looking(ws, a="red", bb="red")
    half = {"ratios": {"train": 0.5, "test": 0.5}}
    pair = ws.datasets.find_near_duplicates(CAPABILITY)["id"][0]
    joined = ws.datasets.build(request(ids.values(), name="one", **half))

    # when
    ws.datasets.rule_near_duplicate(pair, "different", reason="another day")
    apart = splits_of(ws, ids.values(), name="two", **half)
    ws.datasets.rule_near_duplicate(pair, "duplicate", reason="no, the same")
    again = ws.datasets.build(request(ids.values(), name="three", **half))

    # then, and equal splits are one build
    assert set(apart.values()) == {"train", "test"}
    assert again.dataset.id == joined.dataset.id
    assert ws.datasets.build(request(ids.values(), name="four", join_near_duplicates=False, **half)).outcome == "reused_success"


def test_media_that_were_not_searched_stop_a_build_that_insists(ws):
    # given
    ids = looking(ws, a="red", bb="blue")
    insists = request(ids.values(), join_near_duplicates=True, ratios={"train": 1.0})
    relaxed = request(ids.values(), ratios={"train": 1.0})
    assert codes(ws.datasets.preflight(relaxed)) == []

    # when one of two was searched
    ws.datasets.find_near_duplicates(label_pack_ids=[ids["a"]])

    # then
    assert codes(ws.datasets.preflight(relaxed)) == [("NEAR_DUPLICATES_NOT_SEARCHED", False)]
    assert codes(ws.datasets.preflight(insists)) == [("NEAR_DUPLICATES_NOT_SEARCHED", True)]
    assert refused(lambda: ws.datasets.build(insists)) == "NEAR_DUPLICATES_NOT_SEARCHED"
    ws.datasets.find_near_duplicates(CAPABILITY)
    assert ws.datasets.build(insists).outcome == "created"


def test_near_duplicates_that_come_late_to_placed_groups_are_named_and_move_nothing(ws):
    # given a version with two groups in two splits
    ids = looking(ws, a="red", bb="blue")
    half = {"ratios": {"train": 0.5, "test": 0.5}}
    before = splits_of(ws, ids.values(), **half)
    assert set(before.values()) == {"train", "test"}

    # when a third one is like both
    ids |= looking(ws, ccc="red blue")
    ws.datasets.find_near_duplicates(CAPABILITY)
    found = ws.datasets.preflight(request(ids.values(), **half))

    # then
    assert codes(found) == [("NEAR_DUPLICATES_ACROSS_SPLITS", False), ("NEAR_DUPLICATES_JOINED", False)]
    assert {group: split for group, split in found.plan.placement.items() if group in before} == before
    assert refused(lambda: ws.datasets.build(request(ids.values(), join_near_duplicates=True, **half))) == "NEAR_DUPLICATES_ACROSS_SPLITS"
    after = splits_of(ws, ids.values(), **half)
    assert {group: after[group] for group in before} == before


@settings(max_examples=6)
@given(
    looks=st.lists(st.sets(st.sampled_from(sorted(LOOKS)), min_size=1, max_size=2), min_size=2, max_size=6),
    early=st.integers(1, 6),
    ruled=st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["different", "duplicate"])), max_size=4),
    seed=st.integers(0, 99),
)
def test_no_near_duplicates_that_nobody_ruled_out_are_parted_and_growth_moves_no_group(looks, early, ruled, seed):
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        # given media with looks, some rulings, and a version of the first of them
        names = [chr(97 + number) * (number + 1) for number in range(len(looks))]
        ids = looking(ws, **{name: " ".join(sorted(one)) for name, one in zip(names, looks, strict=True)})
        found = ws.datasets.find_near_duplicates(CAPABILITY).sort("media_a", "media_b")
        alike = {(a, b) for (a, x), (b, y) in combinations(zip(names, looks, strict=True), 2) if x & y}
        assert set(pairs(found)) == alike
        out = set()
        for number, ruling in ruled if found.height else []:
            row = found.row(number % found.height, named=True)
            ws.datasets.rule_near_duplicate(row["id"], ruling, reason="seen")
            out = (out | {(row["media_a"], row["media_b"])}) - ({(row["media_a"], row["media_b"])} if ruling == "duplicate" else set())
        first = splits_of(ws, [ids[name] for name in names[:early]], seed=seed)

        # when
        second = splits_of(ws, ids.values(), seed=seed)

        # then
        assert {group: second[group] for group in first} == first
        torn = {cluster for cluster in clusters_of(alike - out) if len({first[group] for group in cluster if group in first}) > 1}
        for version in (first, second):
            for a, b in alike - out:
                in_torn = any(a in cluster for cluster in torn)
                assert a not in version or b not in version or version[a] == version[b] or (in_torn and version is second)


def clusters_of(links: set[tuple[str, str]]) -> set[frozenset[str]]:
    found: set[frozenset[str]] = set()
    for pair in links:
        touching = {one for one in found if one & set(pair)}
        found = (found - touching) | {frozenset(pair).union(*touching)}
    return found


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
