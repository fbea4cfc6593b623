"""A team's own quality rules through `ws.datasets`: set, tried, versioned, audited, and what they do to builds."""

from __future__ import annotations

import json

import pytest

import labelkit
from labelkit import BuildRequest, QualityRule
from labelkit.core.geometry import Box
from labelkit.errors import LabelkitError
from labelkit.services.datasets.building.builder import ENFORCEMENT
from tests.services.packs import Pack, add, change
from tests.services.worlds import as_user, tables, trail

BOX = Box(10.0, 20.0, 30.0, 40.0)
LABELS = {0: [("player", BOX), ("ball", BOX)], 1: [("player", BOX)]}
SIX = [Pack(f"match-{n}", [("APPROVED", LABELS)], group=f"g{n}") for n in range(6)]
PLAYERS = "player_detection"

SPARSE = QualityRule(code="SPARSE_LABELS", severity="hard_fail", measure="annotations", below=100)
GROUPS = QualityRule(code="LOW_GROUP_COUNT", severity="warning", measure="groups", below=10)
SHARE = QualityRule(
    code="FEW_BALLS",
    severity="warning",
    measure="(SELECT count(*) FROM annotations WHERE label = 'ball') / annotations",
    below=0.5,
    message="{value:.0%} of the labels are balls; at least {threshold:.0%} are wanted",
)


@pytest.fixture(autouse=True)
def no_enforcement(monkeypatch):
    monkeypatch.delenv(ENFORCEMENT, raising=False)


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


@pytest.fixture
def asked(ws) -> BuildRequest:
    return BuildRequest(capability=PLAYERS, label_pack_ids=list(add(ws, SIX).values()), name="players")


def refused(call, *arguments, **more) -> LabelkitError:
    with pytest.raises(LabelkitError) as found:
        call(*arguments, **more)
    return found.value


def test_own_rules_stand_beside_those_of_v1_and_say_what_they_saw(ws, asked):
    # given
    policy = ws.datasets.set_quality_rules(PLAYERS, [SHARE, GROUPS], reason="the ball is what we track")

    # when
    quality = ws.datasets.build(asked).dataset.quality

    # then
    assert (policy.version, ws.datasets.quality_policy(PLAYERS)) == ("v1+1", policy)
    assert (quality.policy_version, quality.badge) == ("v1+1", "Warnings (4)")
    assert {one.code: one.message for one in quality.warnings if one.own} == {
        "FEW_BALLS": "33% of the labels are balls; at least 50% are wanted",
        "LOW_GROUP_COUNT": "6 groups; at least 10 are wanted",
    }
    assert len(quality.checks) == len(ws.datasets.quality_policy("ball_detection").rules) + 1


def test_a_changed_policy_makes_a_new_build_of_the_same_content_and_the_old_one_stays_as_it_was(ws, asked):
    # given
    before = ws.datasets.build(asked).dataset

    # when the rules change, and change back
    ws.datasets.set_quality_rules(PLAYERS, [SHARE], reason="see")
    preflight = ws.datasets.preflight(asked)
    with_rule = ws.datasets.build(asked)
    again = ws.datasets.build(asked)
    ws.datasets.set_quality_rules(PLAYERS, [], reason="no")
    without = ws.datasets.build(asked)

    # then
    assert (preflight.outcome, with_rule.outcome, with_rule.dataset.version) == ("created", "created", 2)
    assert with_rule.dataset.manifest_hash == before.manifest_hash
    assert [one.field for one in ws.datasets.explain(before.id, with_rule.dataset.id)] == ["policies.quality"]
    assert (again.outcome, again.dataset.id) == ("reused_success", with_rule.dataset.id)
    assert (without.outcome, without.dataset.id) == ("reused_success", before.id)
    assert ws.datasets.get(before.id).quality == before.quality
    assert before.quality.policy_version == ws.datasets.quality_policy(PLAYERS).version == "v1"


def test_the_same_rules_set_once_more_make_no_new_build(ws, asked):
    ws.datasets.set_quality_rules(PLAYERS, [SHARE, GROUPS], reason="one")
    first = ws.datasets.build(asked)
    ws.datasets.set_quality_rules(PLAYERS, [GROUPS, SHARE], reason="two")
    assert (ws.datasets.quality_policy(PLAYERS).version, ws.datasets.build(asked).dataset.id) == ("v1+2", first.dataset.id)


def test_an_own_hard_fail_stops_a_build_where_quality_is_enforced_and_the_failed_build_keeps_its_summary(ws, asked, monkeypatch):
    # given
    ws.datasets.set_quality_rules(PLAYERS, [SPARSE], reason="the ball is what we track")

    # when it is enforced by the request, then by the environment, then not
    by_request = refused(ws.datasets.build, asked.model_copy(update={"enforce_quality": True}))
    failed = ws.datasets.get("players")
    monkeypatch.setenv(ENFORCEMENT, "true")
    by_environment = refused(ws.datasets.build, asked)
    monkeypatch.setenv(ENFORCEMENT, "false")
    made = ws.datasets.build(asked)

    # then
    assert (by_request.code, by_environment.code) == ("DATASET_QUALITY_HARD_FAIL", "DATASET_QUALITY_HARD_FAIL")
    assert "SPARSE_LABELS: annotations is 18; at least 100 is wanted" in by_request.detail
    assert (failed.failure, failed.quality.badge, failed.quality.policy_version) == ("DATASET_QUALITY_HARD_FAIL", "Hard fail (1)", "v1+1")
    assert [(one.code, one.value) for one in failed.quality.hard_fails] == [("SPARSE_LABELS", 18)]
    assert (made.outcome, made.dataset.quality.badge) == ("created", "Hard fail (1)")


def test_a_rule_that_cannot_be_computed_fires_and_the_build_goes_on(ws, asked):
    # given a rule that has a number only where there are hats
    rule = QualityRule(code="HATS", severity="warning", measure="SELECT avg(width) FROM annotations WHERE label = 'hat'", above=3)
    ws.datasets.set_quality_rules(PLAYERS, [rule], reason="see")

    # when
    found = {one.code: one.message for one in ws.datasets.build(asked).dataset.quality.warnings}

    # then
    assert found["HATS"] == "the measure could not be computed: it gives NULL"


def test_a_capability_of_the_workspace_is_evaluated_by_own_rules_where_there_are_any(ws):
    # given
    ws.capabilities.add("hats", geometry="box", classes=["hat"])
    ids = add(ws, [Pack(f"m{n}", [("APPROVED", {0: [("hat", BOX)]})], capability="hats") for n in range(2)])
    asked = BuildRequest(capability="hats", label_pack_ids=list(ids.values()), name="hats")

    # when there are none, and then some
    before = ws.datasets.build(asked).dataset.quality
    nothing = ws.datasets.quality_policy("hats")
    ws.datasets.set_quality_rules(
        "hats", [QualityRule(code="FEW_HATS", severity="hard_fail", measure="annotations", below=5)], reason="see"
    )
    after = ws.datasets.build(asked).dataset.quality

    # then
    assert (before.badge, nothing.rules) == ("Not evaluated", ())
    assert (after.badge, after.policy_version, [one.code for one in after.checks]) == ("Hard fail (1)", "own+1", ["FEW_HATS"])


def test_a_dataset_from_before_quality_was_evaluated_stays_so(ws, asked):
    # given
    old = ws.datasets.build(asked).dataset.id
    change(ws, "DELETE FROM build_quality")

    # when
    ws.datasets.set_quality_rules(PLAYERS, [SPARSE], reason="see")

    # then
    assert ws.datasets.get(old).quality.badge == "Not evaluated"


# --- setting


def test_every_version_is_kept_with_who_set_it_and_why(ws):
    # given
    ws.datasets.set_quality_rules(PLAYERS, [GROUPS], reason="one")
    as_user(ws, "leo", "lead").datasets.set_quality_rules(PLAYERS, [SHARE.model_dump(), SPARSE], reason=" two ")
    ws.datasets.set_quality_rules(PLAYERS, [], reason="three")

    # when
    history = ws.datasets.quality_rule_history(PLAYERS)

    # then
    assert history.columns == ["version", "set_at", "set_by", "reason", "rules"]
    assert history.select("version", "set_by", "reason").rows() == [(3, "ana", "three"), (2, "leo", "two"), (1, "ana", "one")]
    codes = [[rule["code"] for rule in rules] for rules in history["rules"]]
    assert codes == [[], ["FEW_BALLS", "SPARSE_LABELS"], ["LOW_GROUP_COUNT"]]
    assert [QualityRule(**rule) for rule in history["rules"][1]] == [SHARE, SPARSE]
    assert ws.datasets.quality_rule_history("ball_detection").is_empty()
    assert [row[:2] for row in trail(ws, "code", "allowed", "action") if row[2] == "set quality rules"] == [("QUALITY_RULES_SET", True)] * 3


@pytest.mark.parametrize(("role", "may"), [(None, False), ("viewer", False), ("reviewer", False), ("lead", True), ("owner", True)])
def test_leads_and_up_set_rules_and_each_attempt_is_audited(ws, role, may):
    # given
    other = as_user(ws, "eva", role)

    # when
    if may:
        other.datasets.set_quality_rules(PLAYERS, [GROUPS], reason="see")
    else:
        assert refused(other.datasets.set_quality_rules, PLAYERS, [GROUPS], reason="see").code == "PERMISSION_DENIED"

    # then
    (row,) = [row for row in trail(ws, "action", "actor", "subject", "allowed") if row[0] == "set quality rules"]
    assert row == ("set quality rules", "eva", f"quality:{PLAYERS}", may)
    assert ws.datasets.quality_policy(PLAYERS).version == ("v1+1" if may else "v1")


def test_a_developer_sets_rules_without_a_role(ws):
    with ws._database.transaction() as tx:
        tx.workspaces.set_flags("dev", is_developer=True, is_support=False)
    assert as_user(ws, "dev").datasets.set_quality_rules(PLAYERS, [GROUPS], reason="see").version == "v1+1"


def test_whoever_may_not_set_rules_has_no_sql_run(ws, monkeypatch):
    monkeypatch.setattr("subprocess.run", None)
    assert refused(as_user(ws, "eva", "reviewer").datasets.set_quality_rules, PLAYERS, [SHARE], reason="see").code == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("case", "rules", "more", "code", "detail"),
    [
        ("no reason", [GROUPS], {"reason": " "}, "REASON_REQUIRED", "player_detection"),
        ("a capability that does not exist", [GROUPS], {"capability": "hatz"}, "NOT_FOUND", "hatz"),
        ("a code twice", [GROUPS, GROUPS], {}, "QUALITY_RULE_INVALID", "code of rule LOW_GROUP_COUNT: two rules have it"),
        (
            "a hard fail of v1",
            [GROUPS.model_dump() | {"code": "INVALID_GEOMETRY"}],
            {},
            "QUALITY_RULE_INVALID",
            "code of rule INVALID_GEOMETRY: it is a hard fail of policy v1, which no rule can replace",
        ),
        (
            "a column that does not exist",
            [GROUPS, SHARE.model_copy(update={"measure": "sampels / 2"})],
            {},
            "QUALITY_RULE_INVALID",
            'measure of rule FEW_BALLS: Referenced column "sampels" not found',
        ),
        (
            "a file",
            [SHARE.model_copy(update={"measure": "SELECT count(*) FROM read_csv('/etc/passwd')"})],
            {},
            "QUALITY_RULE_INVALID",
            "measure of rule FEW_BALLS: the function read_csv reads what is not the dataset",
        ),
    ],
)
def test_what_cannot_be_set_changes_nothing_and_is_audited(ws, case, rules, more, code, detail):
    # given
    ws.datasets.set_quality_rules(PLAYERS, [SPARSE], reason="see")
    before = tables(ws)

    # when
    error = refused(ws.datasets.set_quality_rules, **({"capability": PLAYERS, "rules": rules, "reason": "see"} | more))

    # then
    assert (error.code, detail in error.detail) == (code, True), (case, error.detail)
    assert tables(ws) == before, case
    assert trail(ws, "code", "allowed")[-1] == (code, False), case


def test_rules_belong_to_one_workspace_and_one_capability(ws, asked):
    # given
    with labelkit.open(":memory:", workspace="club-a", user="ana") as other:
        ws.datasets.set_quality_rules("ball_detection", [SPARSE], reason="see")
        other.datasets.set_quality_rules(PLAYERS, [SPARSE], reason="see")

    # then
    assert ws.datasets.build(asked).dataset.quality.policy_version == "v1"


def test_an_evaluation_holds_every_rule_with_its_threshold(ws, asked):
    # given
    ws.datasets.set_quality_rules(PLAYERS, [SHARE, GROUPS], reason="see")
    ws.datasets.build(asked)

    # when
    with ws._database.reading() as tx:
        kept = json.loads(tx.rows("SELECT evaluation FROM build_quality")[0]["evaluation"])

    # then
    rules = {rule.code: (rule.measure, rule.fires, rule.threshold, rule.own) for rule in ws.datasets.quality_policy(PLAYERS).rules}
    assert {c["code"]: (c["measure"], c["fires"], c["threshold"], c["own"]) for c in kept["checks"]} == rules
    assert kept["policy_version"] == "v1+1"
