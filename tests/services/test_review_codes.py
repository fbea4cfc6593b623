"""Every code of the review that people and programs may meet is reached by a test that goes through the front door."""

from __future__ import annotations

from importlib import import_module
from inspect import getsource

import pytest

from labelkit import errors
from labelkit.core.review.publishing import PublishCode

REACHED = {
    "PUBLISH_SUCCESS": ("test_review_publish", "test_a_reviewer_publishes_what_has_no_warnings"),
    "NO_OP_ALREADY_PUBLISHED": ("test_review_publish", "test_points_keep_their_size_and_new_ones_get_the_default_marked_as_such"),
    "STALE_DRAFT_VERSION": ("test_review_publish", "test_another_version_than_the_drafts_is_stale"),
    "RESET_DRAFT_REQUIRED": ("test_review_publish", "test_a_ball_draft_of_the_older_schema_is_reset_first"),
    "VALIDATION_HARD_FAIL": ("test_review_publish", "test_labels_that_were_kept_invalid_must_be_fixed_first"),
    "WARNINGS_REQUIRE_OVERRIDE": ("test_review_publish", "test_a_ball_that_moves_faster_than_physics_is_a_warning"),
    "OVERRIDE_FORBIDDEN": ("test_review_publish", "test_warnings_need_an_override_by_someone_who_may_with_a_reason"),
    "PUBLISH_LOCK_CONFLICT": ("test_review_publish_failures", "test_a_publish_that_lost_its_pack_to_another_one_is_a_lock_conflict"),
    "STORAGE_READ_FAILED": ("test_review_publish_failures", "test_content_that_cannot_be_read_is_said_and_nothing_changes"),
    "STORAGE_WRITE_FAILED": ("test_review_publish_failures", "test_content_that_cannot_be_written_is_said_and_nothing_changes"),
    "AUDIT_PERSIST_FAILED": ("test_review_publish_failures", "test_an_action_whose_audit_row_cannot_be_written_does_not_happen"),
    "DRAFT_VERSION_CONFLICT": ("test_review_live_conflicts", "test_a_frame_that_both_touched_waits_and_everything_else_is_saved"),
    "ELIGIBILITY_VERSION_CONFLICT": ("test_review_history", "test_whoever_comes_second_sees_the_present_state_in_the_refusal"),
}


@pytest.mark.parametrize("code", REACHED)
def test_a_code_is_known_and_its_test_asks_for_it(code):
    module, name = REACHED[code]
    known = {str(one) for one in PublishCode} | {getattr(getattr(errors, one), "code", None) for one in dir(errors)}
    assert code in known
    assert code in getsource(import_module(f"tests.services.{module}")).partition(f"def {name}")[2].partition("\ndef ")[0]


def test_lineage_is_one_text_in_the_runs_the_draft_the_list_of_drafts_and_the_history(ws, players):
    # given a draft of a run, reviewed and published
    draft = ws.review.open("match", "player_detection", run=players)
    out = ws.review.publish(draft.id, expected_version=1, override_warnings=True, reason="as proposed")

    # then
    (revision,) = ws.review.history("match", "player_detection")
    shown = {
        ws.prelabels.runs().filter(run_id=players)["lineage"].item(),
        str(draft.lineage),
        str(ws.review.get(draft.id).lineage),
        ws.review.drafts().filter(id=draft.id)["lineage"].item(),
        ws.review.series()["lineage"].item(),
        str(revision.lineage),
        str(out.revision.lineage),
    }
    assert len(shown) == 1
    assert shown.pop().startswith("pack:pre_")
