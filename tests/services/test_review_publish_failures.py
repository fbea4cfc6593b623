"""Publish when the ground gives way: storage, audit, a race. Afterwards nothing has changed, and the next try goes through."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from labelkit import ReviewOp
from labelkit.store.ids import new_id
from labelkit.store.objects import Objects
from tests.services.worlds import PLAYERS, as_user, in_memory_and_file, refused, tables, trail

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl


@pytest.fixture
def draft(ws, players):
    draft = ws.review.open("match", PLAYERS, run=players)
    return ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(index) for index in range(4)])


def publish(ws, draft):
    return ws.review.publish(draft.id, expected_version=draft.version)


class Interrupted(Objects):
    """The store's objects, with something that happens just before one is written: after a publish was prepared, before it is done."""

    def __init__(self, objects: Objects, happens: Callable[[], object]) -> None:
        super().__init__(objects.root)
        self._happens: list[Callable[[], object]] = [happens]

    def put_frame(self, df: pl.DataFrame) -> str:
        if self._happens:
            self._happens.pop()()
        return super().put_frame(df)


def interrupt(ws, happens: Callable[[], object]) -> None:
    ws._database.objects = Interrupted(ws._database.objects, happens)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"PAR1 no more")], ids=["gone", "damaged"])
@in_memory_and_file
def test_content_that_cannot_be_read_is_said_and_nothing_changes(ws, draft, damage):
    # given
    path = Path(ws._database.objects.path(draft.head.base_object))
    kept = path.read_bytes()
    before = tables(ws)

    # when
    damage(path)

    # then
    assert refused(lambda: publish(ws, draft)) == "STORAGE_READ_FAILED"
    assert tables(ws) == before
    assert trail(ws, "action", "code", "allowed")[-1] == ("publish", "STORAGE_READ_FAILED", False)

    # when it is back, the publish goes through
    path.write_bytes(kept)
    assert publish(ws, draft).code == "PUBLISH_SUCCESS"


@in_memory_and_file
def test_content_that_cannot_be_written_is_said_and_nothing_changes(ws, media):
    # given a manual draft, and a file where the objects' folder should be
    draft = ws.review.open(media, PLAYERS)
    draft = ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(index) for index in range(4)])
    before = tables(ws)
    root = ws._database.objects.root
    away = root.with_name("away")
    shutil.move(root, away)
    root.write_bytes(b"in the way")

    # then
    assert refused(lambda: publish(ws, draft)) == "STORAGE_WRITE_FAILED"
    assert tables(ws) == before
    assert trail(ws, "action", "code", "allowed")[-1] == ("publish", "STORAGE_WRITE_FAILED", False)

    # when
    root.unlink()
    shutil.move(away, root)
    assert publish(ws, draft).code == "PUBLISH_SUCCESS"


@in_memory_and_file
def test_an_action_whose_audit_row_cannot_be_written_does_not_happen(ws, draft):
    # given an audit table that takes no row
    before = tables(ws)
    with ws._database.transaction() as tx:
        tx.execute("ALTER TABLE audit RENAME COLUMN facts TO away")

    # then neither a publish nor a save nor an approval goes through, and each says why
    assert refused(lambda: publish(ws, draft)) == "AUDIT_PERSIST_FAILED"
    assert refused(lambda: ws.review.apply(draft.id, base_version=2, ops=[ReviewOp.flag(0, "bad_frame")])) == "AUDIT_PERSIST_FAILED"
    assert refused(lambda: ws.review.reset(draft.id)) == "AUDIT_PERSIST_FAILED"
    assert tables(ws) == before

    # and a refusal is still the refusal that it is
    assert refused(lambda: ws.review.publish(draft.id, expected_version=9)) == "STALE_DRAFT_VERSION"

    # when
    with ws._database.transaction() as tx:
        tx.execute("ALTER TABLE audit RENAME COLUMN away TO facts")
    assert publish(ws, draft).code == "PUBLISH_SUCCESS"


@in_memory_and_file
def test_a_save_that_comes_between_makes_the_publish_stale(ws, draft):
    # given
    interrupt(ws, lambda: ws.review.apply(draft.id, base_version=2, ops=[ReviewOp.add_box(2, "ball", 1, 2, 3, 4)]))

    # then
    assert refused(lambda: publish(ws, draft)) == "STALE_DRAFT_VERSION"
    assert ws.review.history("match", PLAYERS) == []
    assert trail(ws, "action", "code", "allowed")[-1] == ("publish", "STALE_DRAFT_VERSION", False)


def test_an_equal_publish_that_comes_between_makes_this_one_a_no_op(ws, draft):
    # given
    rival = []
    interrupt(ws, lambda: rival.append(publish(as_user(ws, "rita", "reviewer"), draft)))

    # when
    out = publish(ws, draft)

    # then
    assert (rival[0].code, out.code) == ("PUBLISH_SUCCESS", "NO_OP_ALREADY_PUBLISHED")
    assert out.revision.id == rival[0].revision.id
    assert len(ws.review.history("match", PLAYERS)) == 1


def test_a_publish_that_lost_its_pack_to_another_one_is_a_lock_conflict(ws, draft):
    # given a scope in which the approved pack changes while a publish is under way
    first = publish(ws, draft).pack
    changed = ws.review.apply(draft.id, base_version=2, ops=[ReviewOp.add_box(2, "ball", 1, 2, 3, 4), ReviewOp.accept(2)])
    after: dict[str, object] = {}

    def switch() -> None:
        ws.review.revoke_pack(first.id, reason="replaced")
        with ws._database.transaction() as tx:
            tx.review.add_pack(replace(first, id=new_id("pck")), first=False)
        after.update(tables(ws))

    interrupt(ws, switch)

    # then
    assert refused(lambda: publish(ws, changed)) == "PUBLISH_LOCK_CONFLICT"
    assert tables(ws) == after
    assert trail(ws, "action", "code", "allowed")[-1] == ("publish", "PUBLISH_LOCK_CONFLICT", False)

    # when it is tried again, it goes into the new pack
    out = publish(ws, changed)
    assert (out.code, out.revision.number) == ("PUBLISH_SUCCESS", 1)
    assert out.pack.id != first.id


@in_memory_and_file
def test_two_first_packs_of_a_scope_are_decided_by_the_key_of_the_scope(ws, draft):
    # given a scope that another first publish has claimed
    with ws._database.transaction() as tx:
        tx.insert("first_packs", [{"scope_key": draft.scope.key, "pack_id": "pck_other"}])
    before = tables(ws)

    # then
    assert refused(lambda: publish(ws, draft)) == "PUBLISH_LOCK_CONFLICT"
    assert tables(ws) == before


def test_a_pack_that_is_revoked_meanwhile_takes_no_revision(ws, draft):
    # given
    pack = publish(ws, draft).pack
    changed = ws.review.apply(draft.id, base_version=2, ops=[ReviewOp.add_box(2, "ball", 1, 2, 3, 4), ReviewOp.accept(2)])
    interrupt(ws, lambda: ws.review.revoke_pack(pack.id, reason="wrong"))

    # then
    assert refused(lambda: publish(ws, changed)) == "LABEL_PACK_NOT_APPROVED"
    assert len(ws.review.history("match", PLAYERS)) == 1


def test_a_reviewer_who_is_demoted_meanwhile_does_not_publish(ws, draft):
    # given
    rita = as_user(ws, "rita", "reviewer")
    interrupt(ws, lambda: ws.set_role("rita", "viewer"))

    # then
    assert refused(lambda: publish(rita, draft)) == "PERMISSION_DENIED"
    assert ws.review.history("match", PLAYERS) == []


@in_memory_and_file
def test_an_object_that_no_row_names_is_collected_and_one_that_a_row_names_is_not(ws, draft):
    # given a publish that stored its content and then lost
    interrupt(ws, lambda: ws.review.apply(draft.id, base_version=2, ops=[ReviewOp.add_box(2, "ball", 1, 2, 3, 4), ReviewOp.accept(2)]))
    refused(lambda: publish(ws, draft))
    out = ws.review.publish(draft.id, expected_version=3)

    # when
    gone = ws._database.collect(grace_s=-1)

    # then
    assert len(gone.digests) == 1
    assert ws.check() == []
    assert out.revision.content_object not in gone.digests
