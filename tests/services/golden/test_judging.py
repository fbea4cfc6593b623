"""Judging examples: one or many, all or none, with a history; and labels that are corrected before the judgement."""

from __future__ import annotations

import polars as pl
import pytest

import labelkit
from labelkit import LabelkitError
from tests.services.worlds import as_user, refused, tables, trail


@pytest.fixture
def ws(memory):
    """One store is enough for rules; that files hold what was judged is seen at the end."""
    return memory


@pytest.fixture
def ids(ws):
    """The ids of five pending examples."""
    rows = [{"input": {"title": str(n)}, "expected_output": {"tier": "A"}, "labels": {"difficulty": "easy"}} for n in range(5)]
    return ws.golden.add("contact_tier", rows).rows["example_id"].to_list()


def test_a_judgement_keeps_who_when_and_why(ws, ids):
    # when
    assert ws.golden.validate(ids[0], reason="read twice") == 1

    # then
    found = ws.golden.get(ids[0])
    assert (found.status, found.version, found.validator, found.reason) == ("validated", 2, "ana", "read twice")
    assert found.validated_at is not None
    assert ws.golden.to_polars(status="validated")["example_id"].to_list() == [ids[0]]


def test_a_reopened_example_is_pending_again_and_its_history_tells_all(ws, ids):
    # when
    ws.golden.reject(ids[0], "wrong tier")
    ws.golden.reopen(ids[0], "the customer says it was right")
    ws.golden.relabel(ids[0], {"difficulty": "hard"}, expected_version=3)
    ws.golden.validate(ids[0])

    # then
    columns = ("version", "step", "from", "to", "labels_before", "labels_after", "actor", "reason")
    easy, hard = '{"difficulty":"easy"}', '{"difficulty":"hard"}'
    assert ws.golden.history(ids[0]).select(columns).rows() == [
        (5, "validate", "pending", "validated", None, None, "ana", None),
        (4, "relabel", "pending", "pending", easy, hard, "ana", None),
        (3, "reopen", "rejected", "pending", None, None, "ana", "the customer says it was right"),
        (2, "reject", "pending", "rejected", None, None, "ana", "wrong tier"),
        (1, "add", None, "pending", None, easy, "ana", None),
    ]
    assert ws.golden.get(ids[0]).labels == {"difficulty": "hard"}


def test_a_pending_example_has_no_validator(ws, ids):
    ws.golden.validate(ids[0])
    ws.golden.reopen(ids[0], "too early")
    found = ws.golden.get(ids[0])
    assert (found.validator, found.validated_at, found.reason) == (None, None, "too early")


@pytest.mark.parametrize(
    "form",
    [list, tuple, pl.Series, lambda ids: pl.DataFrame({"example_id": ids}), lambda ids: [*ids, *ids]],
    ids=["list", "tuple", "series", "frame", "each twice"],
)
def test_many_are_judged_at_once(ws, ids, form):
    assert ws.golden.validate(form(ids)) == 5
    assert ws.golden.to_polars(status="validated").height == 5


def test_nobody_is_moved_where_one_cannot_be_and_the_refusal_names_each(ws, ids):
    # given
    ws.golden.validate(ids[:2])
    before = tables(ws)

    # when
    with pytest.raises(LabelkitError) as refusal:
        ws.golden.validate(ids)

    # then
    assert refusal.value.code == "EXAMPLE_STATUS_CONFLICT"
    assert refusal.value.facts["ids"] == sorted(ids[:2])
    assert all(f"{one} is validated" in refusal.value.detail for one in ids[:2])
    assert tables(ws) == before


def test_a_frame_says_which_versions_its_judgement_rests_on(ws, ids):
    # given a frame that was read before somebody else judged
    seen = ws.golden.to_polars()
    ws.golden.reject(ids[3], "no")
    ws.golden.reopen(ids[3], "yes")
    before = tables(ws)

    # when
    with pytest.raises(LabelkitError) as refusal:
        ws.golden.validate(seen)

    # then
    assert refusal.value.code == "EXAMPLE_VERSION_CONFLICT"
    assert refusal.value.facts["ids"] == [ids[3]]
    assert f"{ids[3]} is at 3, not at 1" in refusal.value.detail
    assert tables(ws) == before


@pytest.mark.parametrize(
    ("call", "code"),
    [
        pytest.param(lambda golden, one: golden.reject(one), "REASON_REQUIRED", id="rejecting without a reason"),
        pytest.param(lambda golden, one: golden.reject(one, "  "), "REASON_REQUIRED", id="rejecting with an empty reason"),
        pytest.param(lambda golden, one: golden.reopen(one, "x"), "EXAMPLE_STATUS_CONFLICT", id="reopening what is pending"),
        pytest.param(lambda golden, one: golden.validate([one, "ex_none"]), "NOT_FOUND", id="an id that there is not"),
        pytest.param(lambda golden, _: golden.validate(["ex_a", "ex_b"]), "NOT_FOUND", id="several that there are not"),
        pytest.param(lambda golden, one: golden.validate([one, None]), "INVALID_VALUE", id="an id that is none"),
        pytest.param(lambda golden, one: golden.validate([one, 5]), "INVALID_VALUE", id="a number for an id"),
        pytest.param(lambda golden, _: golden.validate(pl.DataFrame({"id": ["x"]})), "INVALID_VALUE", id="a frame without ids"),
        pytest.param(lambda golden, one: golden.relabel(one, {}, 7), "EXAMPLE_VERSION_CONFLICT", id="labels for another version"),
        pytest.param(lambda golden, one: golden.relabel(one, {"edge_case": "x"}), "INVALID_VALUE", id="labels that the type refuses"),
        pytest.param(lambda golden, one: golden.relabel(one, {"difficulty": float("nan")}), "INVALID_VALUE", id="labels that are no JSON"),
        pytest.param(lambda golden, _: golden.relabel("ex_none", {}), "NOT_FOUND", id="labels for none"),
    ],
)
def test_a_step_that_cannot_be_made_changes_nothing(ws, ids, call, code):
    before = tables(ws)
    assert refused(lambda: call(ws.golden, ids[0])) == code
    assert tables(ws) == before


def test_labels_of_a_judged_example_are_not_changed_behind_the_judgement(ws, ids):
    ws.golden.validate(ids[0])
    assert refused(lambda: ws.golden.relabel(ids[0], {"difficulty": "hard"})) == "EXAMPLE_STATUS_CONFLICT"


def test_the_labels_that_an_example_has_are_no_step(ws, ids):
    # when the same labels come in another spelling
    found = ws.golden.relabel(ids[0], {"difficulty": "easy"})

    # then
    assert found.version == 1
    assert trail(ws, "code")[-1] == ("NO_OP_UNCHANGED",)


def test_no_ids_are_no_step(ws, ids):
    assert ws.golden.validate([]) == 0
    assert ws.golden.to_polars(status="pending").height == len(ids)


@pytest.mark.parametrize(
    ("role", "relabel", "validate"),
    [("viewer", False, False), ("annotator", True, False), ("reviewer", True, True)],
)
def test_annotators_label_and_reviewers_judge(ws, ids, role, relabel, validate):
    # given
    other = as_user(ws, "bo", role)

    # when
    calls = {
        "label an example": (relabel, lambda: other.golden.relabel(ids[0], {"difficulty": "hard"})),
        "validate an example": (validate, lambda: other.golden.validate(ids[1])),
    }
    for allowed, call in calls.values():
        if allowed:
            call()
        else:
            assert refused(call) == "PERMISSION_DENIED"

    # then each left its row
    assert trail(ws, "actor", "action", "allowed")[-2:] == [("bo", action, allowed) for action, (allowed, _) in calls.items()]


def test_thousands_are_judged_in_one_go_and_a_file_holds_it(tmp_path):
    # given
    frame = pl.DataFrame({"input": [f'{{"title":"{n}"}}' for n in range(3000)], "expected_output": ['{"tier":"A"}'] * 3000})
    with labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="ana") as ws:
        ws.golden.add("contact_tier", frame)

        # when
        ws.golden.validate(ws.golden.to_polars())
        ws.golden.reopen(ws.golden.to_polars(), "all again")
        ws.golden.reject(ws.golden.to_polars().head(1000), "not these")

    # then
    with labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="ana") as ws:
        assert ws.golden.list().select("pending", "validated", "rejected").rows() == [(2000, 0, 1000)]
        assert set(ws.golden.to_polars()["version"]) == {3, 4}
