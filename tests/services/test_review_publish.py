"""Publish: every outcome and every refusal of the specification, and that a refusal changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labelkit import LabelkitError, ReviewOp
from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import Annotation
from labelkit.core.review.packs import ReviewStatus
from labelkit.store.ids import new_id
from tests.services.worlds import BALLS, PLAYERS, add_media, add_run, as_user, in_memory_and_file, refused, tables, trail


@pytest.fixture
def draft(ws, players):
    """A draft of which every frame was looked at: nothing to warn of."""
    draft = ws.review.open("match", PLAYERS, run=players)
    return ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(index) for index in range(4)])


@pytest.fixture
def ball_draft(ws, balls):
    draft = ws.review.open("match", BALLS, run=balls)
    return ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(index) for index in range(4)])


def publish(ws, draft, **options):
    return ws.review.publish(draft.id, expected_version=options.pop("expected_version", draft.version), **options)


def second_pack(ws, pack, status: str = "approved") -> str:
    """Add another label pack to the scope of `pack`, as an import of finished labels does."""
    other = replace(pack, id=new_id("pck"), review_status=ReviewStatus(status))
    with ws._database.transaction() as tx:
        tx.review.add_pack(other, first=False)
    return other.id


@in_memory_and_file
def test_the_first_publish_makes_the_pack_and_revision_one(ws, draft):
    # when
    out = publish(ws, draft)

    # then
    assert (out.code, out.revision.number, out.revision.annotation_count, out.findings) == ("PUBLISH_SUCCESS", 1, 3, ())
    (pack,) = ws.review.packs("match", PLAYERS)
    assert (pack.id, pack.review_status, pack.validation_status, pack.reason) == (out.pack.id, "approved", "passed", "first publish")
    assert (out.revision.frame_count, out.revision.eligibility, out.revision.eligibility_version) == (4, "REVIEWED", 1)
    assert str(out.revision.diff) == "+3 -0 ~0"
    assert ws.review.get(draft.id).version == draft.version  # the draft stays open
    assert trail(ws, "action", "code", "allowed")[-1] == ("publish", "PUBLISH_SUCCESS", True)


def test_the_provenance_says_who_from_what_and_how(ws, draft):
    # when
    out = publish(ws, draft, reason="finished")

    # then
    found = ws.review.revision(out.revision.id).provenance
    assert (found.actor, found.draft, found.draft_version) == ("ana", draft.id, 2)
    assert (str(found.lineage), found.pack_sha) == (str(draft.lineage), out.revision.content_hash)
    assert (found.validation, found.reason, found.warnings, found.default_sizes) == ("passed", "finished", (), 0)


@in_memory_and_file
def test_the_same_content_again_is_a_no_op_that_returns_the_revision(ws, draft):
    # given
    first = publish(ws, draft)
    before = tables(ws)

    # when
    again = publish(ws, draft)

    # then
    assert (again.code, again.revision.id, again.pack.id) == ("NO_OP_ALREADY_PUBLISHED", first.revision.id, first.pack.id)
    assert tables(ws) == before
    assert trail(ws, "action", "code", "allowed")[-1] == ("publish", "NO_OP_ALREADY_PUBLISHED", True)


def test_content_that_came_back_to_what_it_was_is_a_no_op_too(ws, draft):
    # given an edit and its reverse: other ids, other people, another version
    first = publish(ws, draft)
    gone = draft.frames[1].annotations[0]
    draft = ws.review.apply(draft.id, base_version=draft.version, ops=[ReviewOp.delete(1, gone.id)])
    shape = gone.geometry
    ops = [ReviewOp.add_box(1, gone.label, shape.x, shape.y, shape.width, shape.height), ReviewOp.accept(1)]
    draft = ws.review.apply(draft.id, base_version=draft.version, ops=ops)

    # then
    assert publish(ws, draft).revision.id == first.revision.id


@in_memory_and_file
def test_the_next_publish_makes_the_next_revision_with_its_diff(ws, draft):
    # given
    first = publish(ws, draft)
    one, two = draft.frames[0].annotations
    ops = [ReviewOp.delete(0, one.id), ReviewOp.move(0, two.id, 70, 12), ReviewOp.add_box(2, "ball", 1, 2, 3, 4), ReviewOp.accept(1)]
    draft = ws.review.apply(draft.id, base_version=draft.version, ops=ops)

    # when
    second = publish(ws, draft)

    # then
    assert (second.code, second.revision.number, second.pack.id) == ("PUBLISH_SUCCESS", 2, first.pack.id)
    assert second.revision.content_hash != first.revision.content_hash
    assert str(second.revision.diff) == "+1 -1 ~1"
    assert second.revision.diff.by_class == {"ball": (1, 0, 0), "player": (0, 1, 1)}


@pytest.mark.parametrize("expected", [1, 3])
def test_another_version_than_the_drafts_is_stale(ws, draft, expected):
    before = tables(ws)
    assert refused(lambda: publish(ws, draft, expected_version=expected)) == "STALE_DRAFT_VERSION"
    assert tables(ws) == before
    assert trail(ws, "action", "code", "allowed")[-1] == ("publish", "STALE_DRAFT_VERSION", False)


def test_labels_that_were_kept_invalid_must_be_fixed_first(ws, media):
    # given an import that kept what does not fit: an unknown class, a box outside
    boxes = [Annotation("", "striker", Box(10, 10, 20, 40)), Annotation("", "player", Box(150, 10, 90, 40))]
    draft = ws.review.open("match", PLAYERS, run=add_run(ws, {0: boxes}, media))
    before = tables(ws)

    # when
    with pytest.raises(LabelkitError) as refusal:
        publish(ws, draft, override_warnings=True, reason="an override is no help")

    # then every hard finding is in the refusal
    assert refusal.value.code == "VALIDATION_HARD_FAIL"
    assert [finding["code"] for finding in refusal.value.facts["findings"]] == ["GEOMETRY_OUTSIDE_FRAME", "UNKNOWN_CLASS"]
    assert tables(ws) == before

    # when they are fixed, it is published
    first, second = draft.frames[0].annotations
    ops = [ReviewOp.relabel(0, first.id, "player"), ReviewOp.resize(0, second.id, 150, 10, 50, 40), *map(ReviewOp.accept, range(4))]
    assert publish(ws, ws.review.apply(draft.id, base_version=1, ops=ops)).code == "PUBLISH_SUCCESS"


def test_a_ball_draft_of_the_older_schema_is_reset_first(ws, ball_draft):
    # given
    with ws._database.transaction() as tx:
        tx.execute("UPDATE drafts SET payload_schema = 1")
    before = tables(ws)

    # then
    assert refused(lambda: publish(ws, ball_draft)) == "RESET_DRAFT_REQUIRED"
    assert tables(ws) == before

    # when it is reset and edited again
    reset = ws.review.reset(ball_draft.id)
    again = ws.review.apply(reset.id, base_version=reset.version, ops=[ReviewOp.accept(index) for index in range(4)])

    # then
    assert publish(ws, again).code == "PUBLISH_SUCCESS"


def test_warnings_need_an_override_by_someone_who_may_with_a_reason(ws, players):
    # given a draft of which no frame was looked at; a lead and a reviewer
    draft = ws.review.open("match", PLAYERS, run=players)
    lena, rita = as_user(ws, "lena", "lead"), as_user(ws, "rita", "reviewer")
    before = tables(ws)

    # then
    assert refused(lambda: publish(lena, draft)) == "WARNINGS_REQUIRE_OVERRIDE"
    assert refused(lambda: publish(lena, draft, override_warnings=True)) == "REASON_REQUIRED"
    assert refused(lambda: publish(rita, draft)) == "OVERRIDE_FORBIDDEN"
    assert refused(lambda: publish(rita, draft, override_warnings=True, reason="known")) == "OVERRIDE_FORBIDDEN"
    assert tables(ws) == before

    # when
    out = publish(lena, draft, override_warnings=True, reason="known")

    # then the revision and the trail say so
    assert out.code == "PUBLISH_SUCCESS"
    assert [finding.code for finding in out.findings] == ["UNTOUCHED_FRAMES"]
    assert (out.revision.provenance.warnings, out.revision.provenance.reason) == (("UNTOUCHED_FRAMES",), "known")
    assert trail(ws, "actor", "action", "code", "allowed")[-6:] == [
        ("lena", "publish", "WARNINGS_REQUIRE_OVERRIDE", False),
        ("lena", "publish", "REASON_REQUIRED", False),
        ("rita", "override publish warnings", "OVERRIDE_FORBIDDEN", False),
        ("rita", "override publish warnings", "OVERRIDE_FORBIDDEN", False),
        ("lena", "publish", "PUBLISH_SUCCESS", True),
        ("lena", "override publish warnings", "WARNINGS_OVERRIDDEN", True),
    ]


def test_a_reviewer_publishes_what_has_no_warnings(ws, draft):
    assert publish(as_user(ws, "rita", "reviewer"), draft).code == "PUBLISH_SUCCESS"


@pytest.mark.parametrize("role", [None, "viewer", "annotator"])
def test_others_do_not_publish(ws, draft, role):
    # given
    bob = as_user(ws, "bob", role)
    before = tables(ws)

    # then
    assert refused(lambda: publish(bob, draft)) == "PERMISSION_DENIED"
    assert tables(ws) == before
    assert trail(ws, "actor", "code", "allowed")[-1] == ("bob", "PERMISSION_DENIED", False)


def test_a_refused_publish_names_the_workspace_as_people_call_it(ws, draft):
    # given
    bob = as_user(ws, "bob", "annotator")

    # then
    with pytest.raises(LabelkitError) as refusal:
        publish(bob, draft)
    assert refusal.value.detail.startswith(f"bob may not publish in workspace {ws.name}: ")


def test_a_named_pack_must_be_of_the_scope_and_approved(ws, draft, ball_draft):
    # given a pack of this scope, one of another scope, and a rejected one
    pack = publish(ws, draft).pack
    ball_pack = publish(ws, ball_draft).pack
    rejected = second_pack(ws, pack, "rejected")
    changed = ws.review.apply(draft.id, base_version=2, ops=[ReviewOp.add_box(2, "ball", 1, 2, 3, 4), ReviewOp.accept(2)])
    before = tables(ws)

    # then
    assert refused(lambda: publish(ws, changed, pack=ball_pack.id)) == "LABEL_PACK_SCOPE_MISMATCH"
    assert refused(lambda: publish(ws, changed, pack="pck_nobody")) == "LABEL_PACK_SCOPE_MISMATCH"
    assert refused(lambda: publish(ws, changed, pack=rejected)) == "LABEL_PACK_NOT_APPROVED"
    assert tables(ws) == before
    assert publish(ws, changed, pack=pack.id).revision.number == 2


def test_of_several_approved_packs_one_must_be_named_and_counts_its_own_revisions(ws, draft):
    # given
    pack = publish(ws, draft).pack
    other = second_pack(ws, pack)

    # then
    assert refused(lambda: publish(ws, draft)) == "INVALID_VALUE"
    out = publish(ws, draft, pack=other)
    assert (out.code, out.revision.number, out.pack.id) == ("PUBLISH_SUCCESS", 1, other)
    assert publish(ws, draft, pack=pack.id).code == "NO_OP_ALREADY_PUBLISHED"


def test_into_a_revoked_pack_nothing_is_published_until_it_is_approved_again(ws, draft):
    # given
    pack = publish(ws, draft).pack
    ws.review.revoke_pack(pack.id, reason="wrong match")
    changed = ws.review.apply(draft.id, base_version=2, ops=[ReviewOp.add_box(2, "ball", 1, 2, 3, 4), ReviewOp.accept(2)])

    # then
    assert refused(lambda: publish(ws, changed)) == "LABEL_PACK_NOT_APPROVED"
    ws.review.approve_pack(pack.id, reason="right match after all")
    assert publish(ws, changed).revision.number == 2


def test_points_keep_their_size_and_new_ones_get_the_default_marked_as_such(ws, ball_draft):
    # given a point with a size, one without, and one added without
    added = ws.review.apply(ball_draft.id, base_version=2, ops=[ReviewOp.add_point(2, "ball", 53, 50), ReviewOp.accept(2)])

    # when
    out = publish(ws, added)

    # then
    points = ws.review.diff(out.revision, added).modified
    sizes = {change.frame: (change.before.geometry.size, change.before.attributes) for change in points}
    assert sizes == {1: (8.0, '{"size_source":"default"}'), 2: (8.0, '{"size_source":"default"}')}
    assert out.revision.provenance.default_sizes == 2
    # and the draft is as it was, so that publishing it again changes nothing
    assert [frame.annotations[0].geometry.size for frame in ws.review.get(added.id).frames[:3]] == [6.0, None, None]
    assert publish(ws, added).code == "NO_OP_ALREADY_PUBLISHED"


@in_memory_and_file
def test_equal_content_has_one_hash_in_every_store_media_and_order(ws):
    # given two media with the same labels, added in another order, by other people
    first, second = add_media(ws, "first", 2), add_media(ws, "second", 2)
    boxes = [Annotation("", "player", Box(10, 10, 20, 40), 0.9), Annotation("", "referee", Box(60, 10, 20, 40))]
    one = ws.review.open("first", PLAYERS, run=add_run(ws, {0: boxes, 1: boxes[:1]}, first))
    ops = [ReviewOp.add_box(1, "player", 10, 10, 20, 40), ReviewOp.add_box(0, "referee", 60, 10, 20, 40)]
    ops += [ReviewOp.add_box(0, "player", 10, 10, 20, 40), ReviewOp.flag(0, "bad_frame"), ReviewOp.unflag(0, "bad_frame")]
    two = ws.review.open(second, PLAYERS)
    two = as_user(ws, "bob", "annotator").review.apply(two.id, base_version=1, ops=ops)

    # when
    hashes = {publish(ws, draft, override_warnings=True, reason="known").revision.content_hash for draft in (one, two)}

    # then
    assert hashes == {"7d4a59f216dc121abf9741356dd21b70c85c30c33484a2b969eec189f8b04ec5"}


def test_a_draft_that_is_not_there_cannot_be_published(ws, draft):
    assert refused(lambda: ws.review.publish("drf_nobody", expected_version=1)) == "NOT_FOUND"
    assert refused(lambda: ws.review.publish(draft.scope.key, expected_version=1)) == "NOT_FOUND"


def test_a_ball_that_moves_faster_than_physics_is_a_warning(ws, media):
    points = {0: [Annotation("", "ball", Point(10, 50, 6))], 1: [Annotation("", "ball", Point(190, 50, 6))]}
    draft = ws.review.open("match", BALLS, run=add_run(ws, points, media, BALLS))
    draft = ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(index) for index in range(4)])
    assert refused(lambda: publish(ws, draft)) == "WARNINGS_REQUIRE_OVERRIDE"
