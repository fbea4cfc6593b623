"""The review's tables: append-only frames over a small head, unique keys that decide races, rows that come back as they went in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation, FrameContent, FrameFlag, FrameState
from labelkit.core.review.drafts import Lineage, LineageKind
from labelkit.core.review.packs import ReviewStatus
from labelkit.core.review.revisions import DiffSummary, Eligibility
from labelkit.errors import PublishLockConflict, StoreConflict
from labelkit.store.database import Database
from labelkit.store.review.content import Content, frame_value
from labelkit.store.review.drafts import KEPT
from tests.core.review.scopes import HEAD, PACK, REVISION
from tests.store.conftest import NOON

NOBODY = Content.empty(0)


def frame(index: int, *names: str, state: FrameState = FrameState.EDITED) -> FrameContent:
    return FrameContent(index, tuple(Annotation(name, "player", Box.at(1, 2, 3, 4)) for name in names), (FrameFlag.BAD_FRAME,), state)


@pytest.fixture
def head(db):
    draft = replace(HEAD, version=1)
    with db.transaction() as tx:
        tx.review.add_draft(draft)
    return draft


def save(db, head, *frames, id: str | None = None):
    """Save frames at the head and return the new head."""
    with db.transaction() as tx:
        version = tx.review.save_frames(head, frames, save_id=id or f"sav_{head.version}", actor="bob")
        assert version == head.version + 1
        return tx.review.draft(head.id)


def overlay(db, head, **options) -> dict[int, FrameContent]:
    with db.reading() as tx:
        return {row["frame_index"]: frame_value(row) for row in tx.review.overlay(head, **options).iter_rows(named=True)}


def test_a_head_comes_back_as_it_was_written(db, head):
    with db.reading() as tx:
        assert tx.review.draft(head.id) == tx.review.draft_of(head.scope) == head
        assert tx.review.drafts(head.scope.workspace) == [head]
        assert tx.review.draft("nobody") is None
        assert tx.review.drafts("elsewhere") == []


def test_a_scope_has_one_draft_whoever_is_first(db, head):
    with pytest.raises(StoreConflict), db.transaction(on_conflict=StoreConflict(reason="first")) as tx:
        tx.review.add_draft(replace(head, id="drf_2"))
    with db.reading() as tx:
        assert [one.id for one in tx.review.drafts(head.scope.workspace)] == [head.id]


def test_each_save_raises_the_version_by_one_and_the_newest_frame_counts(db, head):
    # when
    second = save(db, head, frame(0, "a"), frame(3, "a", "b"))
    third = save(db, second, frame(0, "c"), frame(1))

    # then
    assert (second.version, third.version, third.updated_by) == (2, 3, "bob")
    assert overlay(db, third) == {0: frame(0, "c"), 1: frame(1), 3: frame(3, "a", "b")}
    # and earlier versions are still what they were
    assert overlay(db, second) == {0: frame(0, "a"), 3: frame(3, "a", "b")}
    assert overlay(db, head) == {}
    assert overlay(db, third, after=2) == {0: frame(0, "c"), 1: frame(1)}
    assert overlay(db, third, frames=[3, 9]) == {3: frame(3, "a", "b")}
    assert overlay(db, third, frames=[]) == {}


def test_annotations_keep_their_order(db, head):
    names = [f"n{number}" for number in range(40, 0, -1)]
    now = save(db, head, frame(0, *names))
    assert [annotation.id for annotation in overlay(db, now)[0].annotations] == names


def test_a_save_over_an_old_head_is_not_written(db, head):
    save(db, head, frame(0, "a"))
    with db.transaction() as tx:
        assert tx.review.save_frames(head, [frame(0, "late")], save_id="late", actor="bob") is None
        assert tx.review.saved(head.id, "late") is None
    with db.reading() as tx:
        now = tx.review.draft(head.id)
    assert (now.version, overlay(db, now)) == (2, {0: frame(0, "a")})


def test_a_save_is_found_by_its_id_and_draft(db, head):
    save(db, head, frame(0, "a"), id="mine")
    with db.reading() as tx:
        assert tx.review.saved(head.id, "mine") == 2
        assert tx.review.saved("drf_2", "mine") is None


def test_another_base_has_an_epoch_of_its_own(db, head):
    # given
    second = save(db, head, frame(0, "a"))

    # when
    with db.transaction() as tx:
        epoch = tx.review.next_epoch(second)
        lineage = Lineage(LineageKind.PACK, "pre_1")
        assert tx.review.move_base(second, base_object="b" * 64, lineage=lineage, epoch=epoch, actor="ana")
        assert not tx.review.move_base(second, base_object=None, lineage=lineage, epoch=9, actor="ana")
        moved = tx.review.draft(head.id)

    # then the frames of the other epoch are not over it, and come back with it
    assert (moved.version, moved.base_object, str(moved.lineage), moved.epoch) == (3, "b" * 64, "pack:pre_1", 2)
    assert overlay(db, moved) == {}
    later = save(db, moved, frame(0, "z"))
    assert overlay(db, later) == {0: frame(0, "z")}
    assert overlay(db, replace(later, epoch=1)) == {0: frame(0, "a")}
    with db.reading() as tx:
        assert tx.review.next_epoch(later) == 3


def test_compaction_removes_what_was_replaced_and_is_old_and_nothing_else(store_path):
    # given saves of two frames, the last one a while later
    now = NOON
    with Database.open(store_path, user="ana", clock=lambda: now) as db:
        head = replace(HEAD, version=1)
        with db.transaction() as tx:
            tx.review.add_draft(head)
        for names in ("a", "b", "c"):
            head = save(db, head, frame(0, names), frame(names == "b", "x"))
        before = head
        now = NOON + KEPT + timedelta(minutes=1)
        head = save(db, head, frame(0, "d"))

        # when
        with db.transaction() as tx:
            tx.review.compact(head)
            rows = tx.rows("SELECT frame_index, version FROM draft_frames ORDER BY ALL")
            boxes = tx.rows("SELECT DISTINCT frame_index, version FROM draft_annotations ORDER BY ALL")

        # then
        assert overlay(db, head)[0] == frame(0, "d")
        assert overlay(db, head)[1] == frame(1, "x")
        assert rows == boxes == [{"frame_index": 0, "version": 5}, {"frame_index": 1, "version": 3}]
        assert overlay(db, before).keys() == {1}


def test_what_was_replaced_a_moment_ago_stays_for_those_who_look_at_it(db, head):
    second = save(db, head, frame(0, "a"))
    third = save(db, second, frame(0, "b"))
    with db.transaction() as tx:
        tx.review.compact(third)
    assert overlay(db, second) == {0: frame(0, "a")}


def test_everybody_has_a_place_of_their_own(db, head):
    with db.transaction() as tx:
        tx.review.set_place(head.id, "ana", 7)
        tx.review.set_place(head.id, "bob", 3)
        tx.review.set_place(head.id, "ana", 9)
        assert [tx.review.place(head.id, user) for user in ("ana", "bob", "eve")] == [9, 3, None]


# --- packs and revisions


@pytest.fixture
def pack(db):
    with db.transaction() as tx:
        tx.review.add_pack(PACK, first=True)
    return PACK


def add(db, *revisions, on_conflict=None):
    with db.transaction(on_conflict=on_conflict) as tx:
        for revision in revisions:
            tx.review.add_revision(revision, NOBODY.class_counts(), 0)


def test_a_pack_comes_back_and_the_first_one_of_a_scope_is_decided_by_its_key(db, pack):
    with db.reading() as tx:
        assert tx.review.pack(pack.id) == pack
        assert tx.review.packs(pack.scope) == [pack]
    with pytest.raises(PublishLockConflict), db.transaction(on_conflict=PublishLockConflict(reason="first")) as tx:
        tx.review.add_pack(replace(pack, id="pck_2"), first=True)
    with db.transaction() as tx:
        tx.review.add_pack(replace(pack, id="pck_2", created_at=NOON + timedelta(days=1)), first=False)
        assert [one.id for one in tx.review.packs(pack.scope)] == ["pck_2", pack.id]


def test_a_packs_status_is_written_at_its_version_only(db, pack):
    with db.transaction() as tx:
        assert tx.review.set_pack(pack, ReviewStatus.REVOKED, "wrong", "bob")
        assert not tx.review.set_pack(pack, ReviewStatus.APPROVED, "late", "bob")
        now = tx.review.pack(pack.id)
    assert (now.review_status, now.reason, now.version, now.updated_by) == ("revoked", "wrong", 2, "bob")


def test_a_revision_comes_back_as_it_was_written(db, pack):
    # given every field
    revision = replace(
        REVISION,
        number=1,
        diff=DiffSummary(1, 2, 3, 4, 5, 6, 7, 8, "geometry", " at IoU >= 0.3", {"ball": (1, 2, 3), "é": (0, 0, 1)}),
        provenance=replace(REVISION.provenance, warnings=("BALL_JUMP", "UNTOUCHED_FRAMES"), reason="known", default_sizes=2),
    )

    # when
    add(db, revision)

    # then
    with db.reading() as tx:
        assert tx.review.revision(revision.id) == tx.review.latest(pack.id) == revision
        assert tx.review.history(pack.scope) == [revision]
        assert tx.review.revision("nobody") is tx.review.latest("nobody") is None


def test_a_number_of_a_pack_is_given_once(db, pack):
    add(db, replace(REVISION, number=1))
    with pytest.raises(PublishLockConflict):
        add(db, replace(REVISION, id="rev_2", number=1), on_conflict=PublishLockConflict(reason="first"))
    with db.reading() as tx:
        assert len(tx.review.history(pack.scope)) == 1


def test_the_latest_revision_is_the_one_of_the_highest_number(db, pack):
    add(db, *(replace(REVISION, id=f"rev_{number}", number=number, created_at=NOON) for number in (2, 10, 9)))
    with db.reading() as tx:
        assert tx.review.latest(pack.id).number == 10
        assert [row.number for row in tx.review.history(pack.scope)] == [10, 9, 2]


def test_eligibility_is_written_at_its_version_only(db, pack):
    # given
    add(db, replace(REVISION, number=1))

    # when
    with db.transaction() as tx:
        assert tx.review.set_eligibility(REVISION.id, 1, Eligibility.APPROVED, None, "bob")
        assert not tx.review.set_eligibility(REVISION.id, 1, Eligibility.REVOKED, "late", "eve")
        now = tx.review.latest(pack.id)

    # then
    assert (now.eligibility, now.eligibility_version, now.eligibility_by, now.eligibility_at) == ("APPROVED", 2, "bob", db._clock())
