"""Frozen test sets as values: the machine over every pair, what each decision refuses in which order, and its sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from labelkit.core.datasets.freezing import (
    FREEZING,
    FreezeState,
    FreezeStep,
    Freezing,
    Lease,
    SharedSource,
    Way,
    check_training,
    decide_freeze,
    decide_unfreeze,
    require_frozen,
)
from labelkit.errors import IllegalStep, LabelkitError

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
OPEN = Freezing()
FROZEN, _ = OPEN.moved(FreezeStep.FREEZE, actor="ana", at=NOW, reason=" official ")
THAWED, _ = FROZEN.moved(FreezeStep.UNFREEZE, actor="bob", at=NOW + timedelta(days=1), reason="wrong clip")
LEASE = Lease("lse_1", "dsv_2", "players v2", "train", "yolo", "cleo", "gpu-7", "{}", NOW, NOW)
PACK = SharedSource("dsv_1", "hold v1 (dsv_1)", Way.PACK, 1, "lpk_1", "lpk_1")
FRAME = SharedSource("dsv_1", "hold v1 (dsv_1)", Way.FRAME, 3, "a/copy/000001", "a/match/000001")


def freeze(now=OPEN, leases=(), expected=None):
    return decide_freeze("hold v1", now, list(leases), expected_version=expected, actor="ana", at=NOW, reason="official")


def unfreeze(now=FROZEN, reason="wrong", expected=None):
    return decide_unfreeze("hold v1", now, expected_version=expected, actor="bob", at=NOW, reason=reason)


def refused(call, *arguments, **more) -> LabelkitError:
    with pytest.raises(LabelkitError) as found:
        call(*arguments, **more)
    return found.value


@pytest.mark.parametrize(("state", "step", "after"), [*FREEZING.every_pair()])
def test_a_test_set_is_frozen_and_unfrozen_and_nothing_else(state, step, after):
    before = FROZEN if state is FreezeState.FROZEN else OPEN
    if after is None:
        with pytest.raises(IllegalStep):
            before.moved(step, actor="ana", at=NOW, reason=None)
        assert before in (FROZEN, OPEN)
    else:
        assert before.moved(step, actor="ana", at=NOW, reason=None)[0].state is after


@pytest.mark.parametrize(
    ("state", "is_frozen", "version", "frozen_at", "badge"),
    [
        (OPEN, False, 0, None, ""),
        (FROZEN, True, 1, NOW, "Frozen test set since 2026-03-04"),
        (THAWED, False, 2, None, ""),
    ],
    ids=["never frozen", "frozen", "unfrozen"],
)
def test_a_state_tells_whether_since_when_and_how_often(state, is_frozen, version, frozen_at, badge):
    assert (state.is_frozen, state.version, state.frozen_at, state.badge) == (is_frozen, version, frozen_at, badge)


def test_the_last_freeze_and_the_last_unfreeze_are_both_remembered():
    # when a set is frozen once more
    again, event = THAWED.moved(FreezeStep.FREEZE, actor="cleo", at=NOW + timedelta(days=2), reason="  ")

    # then
    assert (event.number, event.reason) == (3, None)
    assert (again.last_freeze, again.last_unfreeze) == (event, THAWED.last_unfreeze)
    assert (FROZEN.last_freeze.actor, FROZEN.last_freeze.reason) == ("ana", "official")
    assert (THAWED.last_freeze, THAWED.last_unfreeze.reason) == (FROZEN.last_freeze, "wrong clip")


@pytest.mark.parametrize(
    ("case", "call", "code"),
    [
        ("frozen twice", lambda: freeze(FROZEN), "DATASET_ALREADY_FROZEN"),
        ("a training is under way", lambda: freeze(leases=[LEASE]), "DATASET_IN_ACTIVE_USE"),
        ("another state was seen", lambda: freeze(THAWED, expected=0), "FREEZE_STATE_CONFLICT"),
        ("another state was seen, and it is frozen", lambda: freeze(FROZEN, expected=0), "FREEZE_STATE_CONFLICT"),
        ("frozen, and a training is under way", lambda: freeze(FROZEN, [LEASE]), "DATASET_ALREADY_FROZEN"),
        ("unfrozen twice", lambda: unfreeze(THAWED), "DATASET_NOT_FROZEN"),
        ("unfrozen though never frozen", lambda: unfreeze(OPEN), "DATASET_NOT_FROZEN"),
        ("no reason", lambda: unfreeze(reason=None), "UNFREEZE_REASON_REQUIRED"),
        ("a reason of blanks", lambda: unfreeze(reason=" \n\t"), "UNFREEZE_REASON_REQUIRED"),
        ("no reason, another state", lambda: unfreeze(reason="", expected=7), "UNFREEZE_REASON_REQUIRED"),
        ("unfrozen in another state", lambda: unfreeze(expected=2), "FREEZE_STATE_CONFLICT"),
        ("trained on", lambda: check_training("hold v1", FROZEN, []), "FROZEN_DATASET_TRAINING_FORBIDDEN"),
        ("trained on, and beside another", lambda: check_training("hold v1", FROZEN, [PACK]), "FROZEN_DATASET_TRAINING_FORBIDDEN"),
        ("trained on beside it", lambda: check_training("b v1", OPEN, [PACK]), "FROZEN_SOURCE_LEAKAGE_FORBIDDEN"),
        ("evaluated on though open", lambda: require_frozen("b v1", OPEN), "DATASET_NOT_FROZEN"),
    ],
)
def test_each_refusal_has_its_code_and_the_first_one_that_applies_is_said(case, call, code):
    assert refused(call).code == code, case


@pytest.mark.parametrize("expected", [None, 0])
def test_a_freeze_counts_the_change(expected):
    after, event = freeze(expected=expected)
    assert (after.is_frozen, after.version, event.number, event.actor, event.at, event.reason) == (True, 1, 1, "ana", NOW, "official")


@pytest.mark.parametrize("expected", [None, 1])
def test_an_unfreeze_keeps_why(expected):
    after, event = unfreeze(reason=" wrong ", expected=expected)
    assert (after.is_frozen, after.version, event.number, event.actor, event.reason) == (False, 2, 2, "bob", "wrong")


@pytest.mark.parametrize("state", [OPEN, THAWED], ids=["never frozen", "unfrozen"])
def test_what_shares_nothing_may_be_trained_on(state):
    check_training("b v1", state, [])


def test_a_refused_freeze_names_who_trains_on_what_since_when_and_where():
    assert refused(freeze, leases=[LEASE]).detail == (
        "hold v1 cannot be frozen while cleo trains on split train of players v2 (yolo) since 2026-03-04 05:06 UTC on host gpu-7."
    )


def test_a_refused_training_names_each_path():
    assert refused(check_training, "b v1", OPEN, [PACK, FRAME]).detail == (
        "b v1 shares label pack lpk_1 with frozen test set hold v1 (dsv_1); "
        "media frame a/copy/000001 (a/match/000001 there) and 2 more with frozen test set hold v1 (dsv_1)."
    )


def test_a_refusal_names_three_paths_and_counts_the_rest():
    assert refused(check_training, "b v1", OPEN, [FRAME] * 5).detail.endswith("; and 2 more paths.")


def test_a_path_into_a_workspace_that_may_not_be_read_names_only_ones_own_frame():
    path = SharedSource("dsv_1", "dsv_1 of another workspace", Way.NEAR_DUPLICATE, 1, "a/copy/000001")
    assert str(path) == "near-duplicate frame a/copy/000001 with frozen test set dsv_1 of another workspace"
