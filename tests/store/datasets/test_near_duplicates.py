"""Hashes, evidence and rulings as rows, and the pairs between two sets of samples."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from labelkit.core.datasets.near_duplicates import Evidence, Link, Ruling
from labelkit.core.media import Media, MediaKind
from labelkit.errors import LabelkitError
from labelkit.store.database import Database
from labelkit.store.datasets.near_duplicate_rows import HASHES, pair_id
from labelkit.store.datasets.near_duplicates import near_pairs, unhashed

LOOK, NEAR, FAR = 0x0F0F_F0F0_1234_5678, 0x0F0F_F0F0_1234_567F, 0xFFFF_0000_FFFF_0000  # NEAR is 3 bits from LOOK


@pytest.fixture
def db():
    with Database.open(":memory:", user="ana", clock=lambda: datetime(2024, 6, 8, tzinfo=UTC)) as opened:
        yield opened


@pytest.fixture
def club(db) -> str:
    """A workspace with the media a, b and c, each a group of its own."""
    with db.transaction() as tx:
        workspace = tx.workspaces.create("club", owner="ana").id
        for name in "abc":
            tx.media.add(Media(f"med_{name}", workspace, name, MediaKind.IMAGES, "/", f"g-{name}", "tv", 3, "", tx.now, "ana"))
    return workspace


def hashed(**looks: int) -> pl.DataFrame:
    return pl.DataFrame([(name, look, look) for name, look in looks.items()], schema=HASHES, orient="row")


def samples(*rows: tuple[str, int, str]) -> pl.DataFrame:
    made = [("club", media, frame, sha256, "more") for media, frame, sha256 in rows]
    schema = {"workspace": pl.String, "media": pl.String, "frame_index": pl.Int32, "sha256": pl.String, "other": pl.String}
    return pl.DataFrame(made, schema=schema, orient="row")


def pair(a: str = "a", b: str = "b", **change: object) -> pl.DataFrame:
    facts = {"frame_a": 0, "frame_b": 1, "sha256_a": "x", "sha256_b": "y", "dhash_distance": 1, "phash_distance": 2, "frame_pairs": 4}
    media = {"id": pair_id(f"med_{a}", f"med_{b}"), "media_a": f"med_{a}", "media_b": f"med_{b}"}
    return pl.DataFrame([media | facts | change])


def test_a_picture_keeps_its_first_hashes_and_each_is_found_by_its_sha256(db):
    # given hashes with the highest bit set, some of them twice
    with db.transaction() as tx:
        tx.datasets.near_duplicates.add_hashes(hashed(x=2**64 - 1, y=0))
        tx.datasets.near_duplicates.add_hashes(pl.concat([hashed(y=7, z=LOOK), hashed(z=9)]))

    # then
    with db.reading() as tx:
        found = tx.datasets.near_duplicates.hashes(pl.Series(["x", "y", "z", "z", "nowhere"]))
        none = tx.datasets.near_duplicates.hashes(pl.Series([], dtype=pl.String))
    assert found.sort("sha256").rows() == [("x", 2**64 - 1, 2**64 - 1), ("y", 0, 0), ("z", LOOK, LOOK)]
    assert found.schema == none.schema
    assert unhashed(db, samples(("a", 0, "x"), ("a", 1, "new"), ("b", 0, "new"))) == 1


def test_pairs_between_two_sets_name_the_closest_frames(db, club):
    # given media a in one set, and b and c in the other
    with db.transaction() as tx:
        tx.datasets.near_duplicates.add_hashes(hashed(p=LOOK, q=FAR, r=NEAR, s=FAR, t=2**63))
    left = samples(("a", 0, "p"), ("a", 1, "q"), ("a", 2, "without"))
    right = samples(("b", 4, "r"), ("b", 5, "s"), ("c", 0, "t"), ("elsewhere", 0, "p"))

    # when
    found = near_pairs(db, club, left, right)

    # then one row a pair of media, the closest frames of each, a media that the store does not know among them
    shown = found.select("left_media", "left_frame", "right_media", "right_frame", "right_sha256", "dhash_distance", "frame_pairs")
    assert shown.rows() == [("a", 1, "b", 5, "s", 0, 2), ("a", 0, "elsewhere", 0, "p", 0, 1)]
    assert found["pair_id"][0] == pair_id("med_b", "med_a")
    assert near_pairs(db, club, left.head(0), right).columns == found.columns


@pytest.mark.parametrize(("rulings", "seen"), [((), 1), (("different",), 0), (("different", "duplicate"), 1), (("duplicate",), 1)])
def test_a_pair_that_was_ruled_different_at_last_is_no_pair(db, club, rulings, seen):
    # given
    with db.transaction() as tx:
        rows = tx.datasets.near_duplicates
        rows.add_hashes(hashed(p=LOOK, r=NEAR))
        rows.add(club, pair(), actor="ana")
        for version, ruling in enumerate(rulings, 1):
            rows.rule(club, {pair_id("med_a", "med_b"): version}, Ruling(ruling), reason="seen", actor="ana")

    # then
    assert near_pairs(db, club, samples(("a", 0, "p")), samples(("b", 0, "r"))).height == seen
    assert near_pairs(db, "another workspace", samples(("a", 0, "p")), samples(("b", 0, "r"))).height == 1


def test_evidence_is_kept_once_and_links_groups_until_it_is_ruled_out(db, club):
    # given
    ab = pair_id("med_a", "med_b")
    with db.transaction() as tx:
        rows = tx.datasets.near_duplicates
        assert rows.evidence(club, ["med_a", "med_b"]) == Evidence((), 0, 2)
        assert rows.add(club, pl.concat([pair(), pair("b", "c")]), actor="ana") == 2
        assert rows.add(club, pair(frame_pairs=9), actor="bob") == 0
        rows.add_searched(club, {"med_a": 1, "med_b": 0}, actor="ana")
        rows.add_searched(club, {"med_a": 0}, actor="bob")

    # when one of them is ruled
    with db.transaction() as tx:
        before = tx.datasets.near_duplicates.evidence(club, ["med_a", "med_c"])
        tx.datasets.near_duplicates.rule(club, {ab: 1}, Ruling.DIFFERENT, reason="other day", actor="ana")
        after = tx.datasets.near_duplicates.evidence(club, ["med_a", "med_c"])

    # then
    assert before == Evidence((Link("g-a", "g-b"), Link("g-b", "g-c")), 1, 1)
    assert after == Evidence((Link("g-b", "g-c"),), 1, 1)
    with db.reading() as tx:
        rows = tx.datasets.near_duplicates
        assert rows.searched(club) == {"med_a": 0, "med_b": 0}
        assert rows.present(club, [ab, pair_id("med_b", "med_c"), "near_nothing"]) == {
            ab: ("different", 1),
            pair_id("med_b", "med_c"): (None, 0),
        }
        listed = rows.listed(club)
        shown = listed.sort("media_a").select("media_a", "media_b", "ruling", "frame_pairs", "found_by")
        assert shown.rows() == [("a", "b", "different", 4, "ana"), ("b", "c", None, 4, "ana")]
        assert rows.listed(club, media=["med_b", "med_c"])["media_b"].to_list() == ["c"]
        assert rows.listed(club, ruling="different")["media_a"].to_list() == ["a"]


def test_two_rulings_of_one_version_are_a_conflict(db, club):
    with db.transaction() as tx:
        tx.datasets.near_duplicates.rule(club, {"near_1": 1}, Ruling.DIFFERENT, reason="seen", actor="ana")
    with pytest.raises(LabelkitError) as refused, db.transaction() as tx:
        tx.datasets.near_duplicates.rule(club, {"near_1": 1}, Ruling.DUPLICATE, reason="seen", actor="bob")
    assert refused.value.code == "STORE_CONFLICT"
