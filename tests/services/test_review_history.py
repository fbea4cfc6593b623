"""Packs, revision history, diffs, and the eligibility of revisions for datasets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from labelkit import LabelkitError, ReviewOp
from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation
from labelkit.core.review.revisions import Eligibility
from tests.services.worlds import BALLS, PLAYERS, add_media, add_run, as_user, in_memory_and_file, refused, tables, trail


@pytest.fixture
def draft(ws, players):
    draft = ws.review.open("match", PLAYERS, run=players)
    return ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(index) for index in range(4)])


def publish(ws, draft):
    return ws.review.publish(draft.id, expected_version=draft.version).revision


def edit(ws, draft, *ops):
    return ws.review.apply(draft.id, base_version=draft.version, ops=[*ops, *(ReviewOp.accept(index) for index in range(4))])


@in_memory_and_file
def test_history_lists_revisions_newest_first_each_with_its_diff_to_the_one_before(ws, draft):
    # given three revisions, a day apart
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    ws._database._clock = lambda: now
    publish(ws, draft)
    now += timedelta(days=1)
    draft = edit(ws, draft, ReviewOp.delete(1, draft.frames[1].annotations[0].id))
    publish(ws, draft)
    now += timedelta(days=1)
    draft = edit(ws, draft, ReviewOp.relabel(0, draft.frames[0].annotations[0].id, "goalkeeper"), ReviewOp.flag(2, "bad_frame"))
    ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="known")

    # when
    rows = ws.review.history("match", PLAYERS)

    # then
    assert [(row.number, str(row.diff), row.created_at.day) for row in rows] == [(3, "+0 -0 ~1", 3), (2, "+0 -1 ~0", 2), (1, "+3 -0 ~0", 1)]
    assert [row.provenance.draft_version for row in rows] == [draft.version, draft.version - 1, draft.version - 2]
    assert (rows[0].diff.class_changed, rows[0].diff.flags_changed, rows[0].diff.frames_changed) == (1, 1, 2)
    assert rows[0].created_at.tzinfo is UTC
    assert len({row.content_hash for row in rows}) == 3
    assert {row.pack_id for row in rows} == {ws.review.packs("match", PLAYERS)[0].id}


def test_history_is_of_one_scope(ws, draft):
    publish(ws, draft)
    add_media(ws, "second")
    assert ws.review.history("second", PLAYERS) == ws.review.history("match", BALLS) == []
    assert ws.review.packs("match", BALLS) == []
    assert refused(lambda: ws.review.history("nowhere", PLAYERS)) == "NOT_FOUND"


def test_any_two_of_runs_drafts_and_revisions_can_be_compared(ws, players, draft):
    # given
    first = publish(ws, draft)
    gone = draft.frames[1].annotations[0]
    draft = edit(ws, draft, ReviewOp.delete(1, gone.id))
    second = publish(ws, draft)
    draft = edit(ws, draft, ReviewOp.add_box(2, "ball", 1, 2, 3, 4, id="new"))

    # then by value and by id
    assert str(ws.review.diff(first, second).summary) == "+0 -1 ~0"
    assert str(ws.review.diff(second.id, first.id).summary) == "+1 -0 ~0"
    assert str(ws.review.diff(second, draft).summary) == str(ws.review.diff(second.id, draft.id).summary) == "+1 -0 ~0"
    assert str(ws.review.diff(players, draft).summary) == "+1 -1 ~0"
    assert str(ws.review.diff(str(draft.lineage), first).summary) == "+0 -0 ~0"
    # and row by row
    found = ws.review.diff(first, draft)
    assert [change.before for change in found.removed] == [gone]
    assert [(change.frame, change.after.id) for change in found.added] == [(2, "new")]


def test_labels_of_two_runs_share_no_ids_and_are_matched_by_geometry(ws, players, media):
    # given another model's labels of the same scope: one alike, one moved, one not there
    boxes = {0: [Annotation("", "player", Box(10, 10, 20, 40)), Annotation("", "player", Box(63, 10, 20, 40))]}
    other = add_run(ws, boxes, media, model="other")

    # when
    found = ws.review.diff(players, other)

    # then
    assert str(found.summary) == "+0 -1 ~1"
    assert (found.summary.matched_by, found.summary.threshold) == ("geometry", " at IoU >= 0.3")
    assert "matched by geometry at IoU >= 0.3" in repr(found)


def test_a_draft_given_as_a_value_is_compared_as_it_was_at_its_version(ws, draft):
    later = edit(ws, draft, ReviewOp.delete(1, draft.frames[1].annotations[0].id))
    assert str(ws.review.diff(draft, later).summary) == "+0 -1 ~0"
    assert str(ws.review.diff(draft.id, later).summary) == "+0 -0 ~0"


def test_contents_of_different_length_cannot_be_compared(ws, draft):
    add_media(ws, "longer", 9)
    longer = ws.review.open("longer", PLAYERS)
    assert refused(lambda: ws.review.diff(draft, longer)) == "DIFF_IMPOSSIBLE"


@pytest.mark.parametrize("thing", ["rev_nobody", "drf_nobody", "pre_nobody", "run_nobody", "pack:pre_nobody", "", "nothing"])
def test_what_is_not_there_cannot_be_compared(ws, draft, thing):
    assert refused(lambda: ws.review.diff(draft, thing)) == "NOT_FOUND"


# --- packs


@in_memory_and_file
def test_a_pack_is_revoked_and_approved_with_reasons_that_stay(ws, draft):
    # given
    publish(ws, draft)
    (pack,) = ws.review.packs("match", PLAYERS)

    # when
    revoked = ws.review.revoke_pack(pack.id, reason="  wrong match ")
    approved = as_user(ws, "rita", "reviewer").review.approve_pack(pack.id, reason="right after all")

    # then
    assert (revoked.review_status, revoked.reason, revoked.version) == ("revoked", "wrong match", 2)
    assert (approved.review_status, approved.reason, approved.version, approved.updated_by) == ("approved", "right after all", 3, "rita")
    assert ws.review.packs("match", PLAYERS) == [approved]
    assert [row for row in trail(ws, "actor", "code", "allowed") if row[1].startswith("PACK")] == [
        ("ana", "PACK_REVOKED", True),
        ("rita", "PACK_APPROVED", True),
    ]


@pytest.mark.parametrize(
    ("step", "code"),
    [
        pytest.param(lambda review, pack: review.approve_pack(pack, reason="again"), "ILLEGAL_STEP", id="approved twice"),
        pytest.param(lambda review, pack: review.reject_pack(pack, reason="no"), "ILLEGAL_STEP", id="rejected after approval"),
        pytest.param(lambda review, pack: review.revoke_pack(pack, reason=" "), "REASON_REQUIRED", id="no reason"),
        pytest.param(lambda review, _: review.revoke_pack("pck_nobody", reason="no"), "NOT_FOUND", id="no such pack"),
    ],
)
def test_an_impossible_step_leaves_the_pack_and_an_audit_row(ws, draft, step, code):
    # given
    revision = publish(ws, draft)
    before = tables(ws)

    # then
    assert refused(lambda: step(ws.review, revision.pack_id)) == code
    assert tables(ws) == before
    assert trail(ws, "action", "code", "allowed")[-1] == ("approve a pack", code, False)


def test_a_pack_whose_validation_did_not_pass_cannot_be_approved(ws, draft):
    # given
    revision = publish(ws, draft)
    with ws._database.transaction() as tx:
        tx.execute("UPDATE label_packs SET review_status = 'pending', validation_status = 'failed'")

    # then
    assert refused(lambda: ws.review.approve_pack(revision.pack_id, reason="please")) == "LABEL_PACK_NOT_APPROVED"


# --- eligibility


def set_(ws, revision, state, version, reason=None):
    return ws.review.set_eligibility(revision.id, state, expected_version=version, reason=reason)


def test_a_revision_is_approved_revoked_and_approved_again(ws, draft):
    # given
    revision = publish(ws, draft)

    # when
    steps = [
        set_(ws, revision, "APPROVED", 1),
        set_(ws, revision, "revoked", 2, "blurred frames"),
        set_(ws, revision, Eligibility.APPROVED, 3, "frames were replaced"),
    ]

    # then
    assert [(s.eligibility, s.eligibility_version, s.eligibility_reason) for s in steps] == [
        ("APPROVED", 2, None),
        ("REVOKED", 3, "blurred frames"),
        ("APPROVED", 4, "frames were replaced"),
    ]
    (row,) = ws.review.history("match", PLAYERS)
    assert row == steps[-1]
    assert row.eligibility_by == "ana"
    assert row.content_hash == revision.content_hash


@pytest.mark.parametrize(
    ("state", "version", "reason", "code"),
    [
        pytest.param("APPROVED", 2, None, "ELIGIBILITY_VERSION_CONFLICT", id="another version"),
        pytest.param("REVOKED", 1, "no", "ILLEGAL_STEP", id="a reviewed one cannot be revoked"),
        pytest.param("REVIEWED", 1, "no", "INVALID_VALUE", id="nothing goes back to reviewed"),
        pytest.param("MAYBE", 1, "no", "INVALID_VALUE", id="unknown state"),
    ],
)
def test_an_impossible_change_of_eligibility_changes_nothing(ws, draft, state, version, reason, code):
    revision = publish(ws, draft)
    before = tables(ws)
    assert refused(lambda: set_(ws, revision, state, version, reason)) == code
    assert tables(ws) == before


@in_memory_and_file
def test_whoever_comes_second_sees_the_present_state_in_the_refusal(ws, draft):
    # given a revision that rita approved meanwhile
    revision = publish(ws, draft)
    set_(as_user(ws, "rita", "reviewer"), revision, "APPROVED", 1)

    # when
    with pytest.raises(LabelkitError) as refusal:
        set_(ws, revision, "APPROVED", 1)

    # then
    assert refusal.value.code == "ELIGIBILITY_VERSION_CONFLICT"
    assert (refusal.value.facts["current"], refusal.value.facts["version"]) == ("APPROVED", 2)
    assert trail(ws, "actor", "action", "code", "allowed")[-1] == ("ana", "set dataset eligibility", "ELIGIBILITY_VERSION_CONFLICT", False)


def test_revoking_needs_a_reason_and_so_does_approving_again(ws, draft):
    revision = publish(ws, draft)
    set_(ws, revision, "APPROVED", 1)
    assert refused(lambda: set_(ws, revision, "REVOKED", 2)) == "REASON_REQUIRED"
    set_(ws, revision, "REVOKED", 2, "blurred")
    assert refused(lambda: set_(ws, revision, "APPROVED", 3, "  ")) == "REASON_REQUIRED"


def test_only_revisions_of_an_approved_pack_become_eligible(ws, draft):
    revision = publish(ws, draft)
    ws.review.revoke_pack(revision.pack_id, reason="wrong match")
    assert refused(lambda: set_(ws, revision, "APPROVED", 1)) == "REVISION_NOT_ELIGIBLE"
    ws.review.approve_pack(revision.pack_id, reason="right")
    assert set_(ws, revision, "APPROVED", 1).eligibility == "APPROVED"


def test_eligibility_of_one_revision_leaves_the_others(ws, draft):
    # given
    first = publish(ws, draft)
    second = publish(ws, edit(ws, draft, ReviewOp.add_box(2, "ball", 1, 2, 3, 4)))

    # when
    set_(ws, first, "APPROVED", 1)

    # then
    assert [(row.id, row.eligibility) for row in ws.review.history("match", PLAYERS)] == [(second.id, "REVIEWED"), (first.id, "APPROVED")]
    assert refused(lambda: ws.review.revision("rev_nobody")) == "NOT_FOUND"
