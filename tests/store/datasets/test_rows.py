"""The rows of builds: constraints decide races, a group is placed once, an ended build stays ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from labelkit import BuildRequest
from labelkit.core.datasets.builds import BuildStep
from labelkit.core.datasets.fingerprint import Fingerprint
from labelkit.core.datasets.quality import Statistics, evaluate
from labelkit.core.versions import Chunk, Tree
from labelkit.errors import StoreConflict
from labelkit.store.datasets.rows import NewBuild
from labelkit.store.liveness import holder

TREE = Tree("sample_key", (Chunk("a", 3, "d", "o"),))
COUNTS = {"sample_count": 3, "annotation_count": 5, "split_samples": {"train": 3}, "split_groups": {"train": 1}}
COUNTS |= {"class_counts": {"player": {"train": 5}}, "stability": {"kept": 0, "imbalance": 0.0, "imbalance_if_free": 0.0}}


def new_build(number: int, *, fingerprint: str = "same", force: bool = False) -> NewBuild:
    return NewBuild(
        id=f"bld_{number}",
        version_id=f"dsv_{number}",
        dataset_id="dts_1",
        workspace_id="ws_1",
        request=BuildRequest(capability="player_detection", label_pack_ids=["lpk_1"], name="players", force=force),
        reuse=Fingerprint({"what": fingerprint}),
        fingerprint=Fingerprint({"what": fingerprint, "who": number}),
        verdicts=[],
        actor="ana",
    )


def started(db, build: NewBuild, *, over=None, **options):
    with db.transaction(**options) as tx:
        tx.datasets.dataset_id("ws_1", "players", new_id="dts_1", actor="ana")
        tx.datasets.start(build, lease_until=tx.now + timedelta(seconds=60), holder=holder(), over=over)
    return read(db, build.id)


def read(db, build: str):
    with db.reading() as tx:
        return tx.datasets.build("ws_1", build)


def test_a_second_build_of_a_fingerprint_is_refused_by_the_database(db):
    # given
    started(db, new_build(1))

    # when another one starts that did not see the first, then it loses as a whole
    with pytest.raises(StoreConflict):
        started(db, new_build(2))
    assert read(db, "bld_2") is None
    with db.reading() as tx:
        assert tx.datasets.head("ws_1", new_build(1).reuse.value).id == "bld_1"


def test_the_same_fingerprint_in_another_workspace_and_a_forced_build_are_no_conflict(db):
    started(db, new_build(1))
    started(db, new_build(2, force=True))
    with db.reading() as tx:
        assert tx.datasets.head("ws_2", new_build(1).reuse.value) is None
        assert tx.datasets.head("ws_1", new_build(1).reuse.value).id == "bld_1"


def test_a_build_takes_the_fingerprint_of_one_that_failed(db):
    # given
    first = started(db, new_build(1))
    with db.transaction() as tx:
        assert tx.datasets.end("bld_1", BuildStep.LOSE, failure="JOB_LOST")

    # when
    started(db, new_build(2), over=first)

    # then
    with db.reading() as tx:
        assert tx.datasets.head("ws_1", new_build(1).reuse.value).id == "bld_2"
    assert (read(db, "bld_1").status, read(db, "bld_1").failure) == ("failed", "JOB_LOST")


@pytest.mark.parametrize("first", list(BuildStep))
def test_a_build_ends_once_and_its_lease_with_it(db, first):
    started(db, new_build(1))
    with db.transaction() as tx:
        assert tx.datasets.beat("bld_1", tx.now + timedelta(seconds=90))
        assert tx.datasets.end("bld_1", first)
    with db.transaction() as tx:
        assert not tx.datasets.beat("bld_1", tx.now)
        assert not any(tx.datasets.end("bld_1", step) for step in BuildStep)
    assert read(db, "bld_1").lease_until - read(db, "bld_1").created_at == timedelta(seconds=90)


def test_a_build_is_lost_when_its_lease_has_run_out_and_not_before(db):
    row = started(db, new_build(1))
    assert not row.is_lost(row.lease_until)
    assert row.is_lost(row.lease_until + timedelta(microseconds=1))


def test_versions_are_numbered_and_place_only_new_groups(db):
    # given
    for number in (1, 2):
        started(db, new_build(number, fingerprint=str(number)))

    # when both become versions, the second with a group that is placed already
    with db.transaction() as tx:
        tx.datasets.add_version(tx.datasets.build("ws_1", "bld_1"), TREE, COUNTS, {"a": "train"})
    with db.transaction() as tx:
        tx.datasets.add_version(tx.datasets.build("ws_1", "bld_2"), TREE, COUNTS, {"a": "train", "b": "val"})

    # then
    with db.reading() as tx:
        assert tx.datasets.placements("ws_1", "players") == {"a": "train", "b": "val"}
        assert tx.rows("SELECT group_key, number FROM placements ORDER BY group_key") == [
            {"group_key": "a", "number": 1},
            {"group_key": "b", "number": 2},
        ]
        assert tx.datasets.newest("ws_1", "players").id == "bld_2"
        assert tx.datasets.placements("ws_2", "players") == {}
        assert tx.datasets.names("ws_1") == ["players"]
    row = read(db, "dsv_1")
    assert (row.number, row.manifest_hash, row.split_samples, row.stability.cost) == (1, TREE.digest.value, {"train": 3}, 0.0)


def test_a_build_without_a_version_is_the_newest_only_where_there_is_none(db):
    # given a version and then a running build
    started(db, new_build(1, fingerprint="1"))
    assert read(db, "bld_1").number is None
    with db.transaction() as tx:
        assert tx.datasets.newest("ws_1", "players").id == "bld_1"
        tx.datasets.add_version(tx.datasets.build("ws_1", "bld_1"), TREE, COUNTS, {})
    started(db, new_build(2, fingerprint="2"))

    # then
    with db.reading() as tx:
        assert tx.datasets.newest("ws_1", "players").id == "bld_1"
        assert tx.datasets.newest("ws_1", "nobody") is None


def test_quality_and_fingerprint_are_read_back(db):
    # given
    statistics = Statistics(3, 1, 0, 3, {"player": 5}, 0, 0)
    build = new_build(1)
    started(db, build)

    # when
    with db.transaction() as tx:
        tx.datasets.add_quality("bld_1", statistics, evaluate(statistics, "player_detection"))

    # then
    assert read(db, "bld_1").quality == evaluate(statistics, "player_detection")
    with db.reading() as tx:
        assert tx.datasets.fingerprint("bld_1") == build.fingerprint
