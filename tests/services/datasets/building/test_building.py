"""Building: outcomes, identity, leases, permissions and quality."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import labelkit
from labelkit import BuildRequest
from labelkit.core.actors import Role
from labelkit.core.geometry import Box, Point
from labelkit.errors import LabelkitError
from labelkit.services.datasets.building.builder import ENFORCEMENT
from tests.services.packs import Pack, add, change

BOX = Box(10.0, 20.0, 30.0, 40.0)
LABELS = {0: [("player", BOX), ("ball", BOX)], 1: [("player", BOX)]}
GOOD = Pack("m", [("APPROVED", LABELS)])
SIX = [GOOD.with_(media=f"match-{n}", group=f"g{n}") for n in range(6)]
BAD = GOOD.with_(media="bad", revisions=[("APPROVED", {0: [("player", Box(1270.0, 0.0, 30.0, 40.0)), ("spectator", BOX)]})])


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_enforcement(monkeypatch):
    monkeypatch.delenv(ENFORCEMENT, raising=False)


def request(packs, **more) -> BuildRequest:
    return BuildRequest(**{"capability": "player_detection", "label_pack_ids": list(packs), "name": "players"} | more)


def audit(ws, *columns) -> list[tuple[object, ...]]:
    """Audit rows of builds, oldest first."""
    rows = ws.audit().reverse()
    return rows.filter(rows["subject"].str.starts_with("dataset:")).select("action", "code", "allowed", *columns).rows()


def refused(call, *arguments, **more) -> LabelkitError:
    with pytest.raises(LabelkitError) as found:
        call(*arguments, **more)
    return found.value


# --- outcomes


def test_a_build_is_created_once_and_then_reused(ws):
    # given
    ids = add(ws, [*SIX, GOOD.with_(media="pending", review="pending")])
    asked = request(ids.values(), description="the first")

    # when it is asked for twice, the second time in another order and by another name
    first = ws.datasets.build(asked)
    second = ws.datasets.build(request(reversed(ids.values()), name="other"))

    # then
    assert (first.outcome, first.build_status, first.dataset.version) == ("created", "success", 1)
    assert (second.outcome, second.build_id, second.dataset.id) == ("reused_success", first.build_id, first.dataset.id)
    assert first.included_label_pack_ids == second.included_label_pack_ids == sorted(ids[f"match-{n}"] for n in range(6))
    assert first.excluded_label_pack_ids == {ids["pending"]: "LABEL_PACK_NOT_APPROVED"}
    assert audit(ws) == [("build", "created", True), ("build", "BUILD_SUCCEEDED", True), ("build", "reused_success", True)]


def test_force_builds_the_same_content_once_more_and_stores_no_chunk_twice(ws):
    # given
    asked = request(add(ws, SIX).values())
    first = ws.datasets.build(asked).dataset
    objects = sorted(ws._database.objects.root.rglob("*.parquet"))

    # when
    forced = ws.datasets.build(asked.model_copy(update={"force": True}))

    # then
    assert (forced.outcome, forced.dataset.version, forced.dataset.manifest_hash) == ("created", 2, first.manifest_hash)
    assert sorted(ws._database.objects.root.rglob("*.parquet")) == objects
    assert ws.datasets.build(asked).dataset.id == first.id


def test_an_equal_request_during_a_build_gets_the_running_one_and_can_wait_for_it(ws):
    # given
    asked = request(add(ws, SIX).values())
    seen = []

    def meanwhile(_done, _all):
        running = ws.datasets.build(asked)
        still = refused(ws.datasets.wait, running.build_id, timeout_s=0.0)
        empty = refused(running.dataset.to_polars)
        seen.append((running.outcome, running.build_status, running.build_id, still.code, empty.code, repr(running.dataset)))
        assert ws.datasets.preflight(asked).outcome == "reused_in_progress"

    # when
    result = ws.datasets.build(asked, progress=meanwhile)

    # then
    ((outcome, status, build, still, empty, shown),) = seen
    assert (outcome, status, build) == ("reused_in_progress", "running", result.build_id)
    assert (still, empty) == ("BUILD_STILL_RUNNING", "DATASET_NOT_READY")
    assert "Stats not available yet" in shown
    waited = ws.datasets.wait(result.build_id)
    assert (waited.outcome, waited.dataset.manifest_hash) == ("reused_success", result.dataset.manifest_hash)
    assert waited.included_label_pack_ids == result.included_label_pack_ids


def test_progress_counts_samples_up_to_all_of_them(ws, monkeypatch):
    # given batches of one pack
    monkeypatch.setattr("labelkit.store.datasets.samples.BATCH_ROWS", 1)
    asked, seen = request(add(ws, SIX).values()), []

    # when
    ws.datasets.build(asked, progress=lambda done, whole: seen.append((done, whole)))

    # then
    assert seen == [(4 * n, 24) for n in range(1, 7)]


# --- a build that dies


@pytest.mark.parametrize(
    ("case", "sql"),
    [
        ("its lease ran out", "UPDATE build_states SET lease_until = $past"),
        ("its process is gone", "UPDATE build_states SET holder = replace(holder, '\"pid\": ', '\"pid\": 9999') WHERE $past IS NOT NULL"),
    ],
)
def test_a_dead_build_is_found_out_and_the_next_request_builds(ws, case, sql):
    # given a build that stopped without a word
    asked = request(add(ws, SIX).values())
    died = ws.datasets.build(asked, progress=None)
    with ws._database.reading() as tx:
        past = tx.now - timedelta(seconds=1)
    change(ws, "DELETE FROM dataset_versions")
    change(ws, "DELETE FROM placements")
    change(ws, "UPDATE datasets SET latest = 0")
    change(ws, "UPDATE build_states SET status = 'running', ended_at = NULL")
    change(ws, sql, past=past)
    assert ws.datasets.preflight(asked).outcome == "created", case

    # when
    result = ws.datasets.build(asked)

    # then
    assert (result.outcome, result.dataset.version) == ("created", 1), case
    failed = ws.datasets.get(died.build_id)
    assert (failed.status, failed.failure) == ("failed", "JOB_LOST"), case
    assert "JOB_LOST" in str(refused(ws.datasets.wait, died.build_id))


def test_looking_at_a_dead_build_marks_it_as_lost(ws):
    # given
    build = ws.datasets.build(request(add(ws, SIX).values())).build_id
    with ws._database.reading() as tx:
        past = tx.now - timedelta(seconds=1)
    change(ws, "UPDATE build_states SET status = 'running', lease_until = $past", past=past)

    # when, then
    assert ws.datasets.get(build).failure == "JOB_LOST"
    assert ws.datasets.list()["failure"].to_list() == ["JOB_LOST"]


def test_a_build_that_was_given_up_meanwhile_writes_nothing(ws):
    # given a build whose lease somebody found expired while it slept
    asked = request(add(ws, SIX).values())

    def give_up(_done, _all):
        change(ws, "UPDATE build_states SET status = 'failed', failure = 'JOB_LOST'")

    # when
    error = refused(ws.datasets.build, asked, progress=give_up)

    # then
    assert error.code == "JOB_LOST"
    assert ws.datasets.list().select("status", "version").rows() == [("failed", None)]
    assert ws.datasets.build(asked).outcome == "created"


def test_a_build_that_fails_says_why_and_the_next_request_builds(ws):
    # given a pack whose content is damaged
    ids = add(ws, SIX)
    asked = request(ids.values())
    with ws._database.reading() as tx:
        content = tx.rows("SELECT content_object FROM revisions ORDER BY id LIMIT 1")[0]["content_object"]
    file = Path(ws._database.objects.path(content))
    whole = file.read_bytes()
    file.write_bytes(whole[:100])

    # when
    error = refused(ws.datasets.build, asked)
    failed = ws.datasets.get("players")

    # then
    assert error.code == "STORAGE_READ_FAILED"
    assert (failed.status, failed.failure, failed.version, failed.quality.badge) == ("failed", "STORAGE_READ_FAILED", None, "Not evaluated")
    assert "STORAGE_READ_FAILED" in refused(failed.to_polars).detail

    # when it is repaired
    file.write_bytes(whole)

    # then
    assert ws.datasets.build(asked).dataset.version == 1


def test_an_interrupted_build_does_not_hold_up_the_next_one(ws):
    # given
    asked = request(add(ws, SIX).values())

    def interrupt(_done, _all):
        raise KeyboardInterrupt

    # when
    with pytest.raises(KeyboardInterrupt):
        ws.datasets.build(asked, progress=interrupt)

    # then
    assert ws.datasets.get("players").failure == "INTERRUPTED"
    assert ws.datasets.build(asked).outcome == "created"


# --- who may


@pytest.mark.parametrize(
    ("role", "may"), [(None, False), (Role.VIEWER, False), (Role.ANNOTATOR, False), (Role.REVIEWER, True), (Role.OWNER, True)]
)
def test_reviewers_and_up_may_build_and_each_attempt_is_audited(ws, role, may):
    # given
    asked = request(add(ws, SIX).values())
    with ws._database.transaction() as tx:
        tx.workspaces.set_flags("ana", is_developer=False, is_support=True)
        tx.workspaces.set_role(ws.id, "ana", role)

    # when
    if may:
        ws.datasets.build(asked)
    else:
        assert refused(ws.datasets.build, asked).code == "PERMISSION_DENIED"

    # then
    assert audit(ws)[0] == (("build", "created", True) if may else ("build", "PERMISSION_DENIED", False))
    assert ws.datasets.list().height == may


def test_only_a_developer_may_include_reviewed_revisions_and_each_attempt_is_audited(ws):
    # given
    ids = add(ws, [*SIX, GOOD.with_(media="reviewed", revisions=[("REVIEWED", LABELS)])])
    asked = request(ids.values(), include_reviewed_override=True)

    # when an owner who is no developer asks, then a developer
    with ws._database.transaction() as tx:
        tx.workspaces.set_flags("ana", is_developer=False, is_support=False)
    error = refused(ws.datasets.build, asked)
    with ws._database.transaction() as tx:
        tx.workspaces.set_flags("ana", is_developer=True, is_support=False)
    result = ws.datasets.build(asked)

    # then
    assert (error.code, error.status) == ("ELIGIBILITY_OVERRIDE_FORBIDDEN", 403)
    assert result.excluded_label_pack_ids == {}
    assert result.dataset.why(ids["reviewed"]).row["revision_number"] == 1
    assert audit(ws) == [
        ("build", "ELIGIBILITY_OVERRIDE_FORBIDDEN", False),
        ("include reviewed revisions", "ELIGIBILITY_OVERRIDE_FORBIDDEN", False),
        ("include reviewed revisions", "ELIGIBILITY_OVERRIDE", True),
        ("build", "created", True),
        ("build", "BUILD_SUCCEEDED", True),
    ]


@pytest.mark.parametrize(
    ("case", "packs", "more", "code"),
    [
        ("nothing eligible", [GOOD.with_(review="pending")], {}, "NO_ELIGIBLE_LABEL_DATA"),
        ("no frame with so many", SIX, {"min_annotations": 9}, "NO_ELIGIBLE_LABEL_DATA"),
        ("ratios of nine tenths", SIX, {"ratios": {"train": 0.8, "val": 0.1}}, "SPLIT_RATIOS_INVALID"),
        ("an unknown capability", SIX, {"capability": "hats"}, "NOT_FOUND"),
    ],
)
def test_what_cannot_be_built_leaves_no_build(ws, case, packs, more, code):
    ids = add(ws, packs)
    assert refused(ws.datasets.build, request(ids.values(), **more)).code == code, case
    assert ws.datasets.list().is_empty()
    assert [row[1:] for row in audit(ws)] == ([] if code == "NOT_FOUND" else [(code, False)])


def test_two_packs_of_one_media_are_refused(ws):
    ids = add(ws, [GOOD]) | {"twin": add(ws, [GOOD])["m"]}
    error = refused(ws.datasets.build, request(ids.values()))
    assert error.code == "LABEL_PACKS_OVERLAP"
    assert all(pack in error.detail for pack in ids.values())


# --- quality


def test_hard_fails_are_shown_and_stop_a_build_only_where_that_is_enforced(ws, monkeypatch):
    # given packs of which one has a box beyond the frame and a class that does not exist
    ids = add(ws, [*SIX, BAD])

    # when it is enforced by the request
    error = refused(ws.datasets.build, request(ids.values(), enforce_quality=True))

    # then the failed build keeps its summary, and nothing else is there
    failed = ws.datasets.get("players")
    assert (error.code, error.facts["count"]) == ("DATASET_QUALITY_HARD_FAIL", 2)
    assert (failed.status, failed.failure, failed.quality.badge) == ("failed", "DATASET_QUALITY_HARD_FAIL", "Hard fail (2)")
    assert [one.code for one in failed.quality.hard_fails] == ["INVALID_GEOMETRY", "INVALID_LABEL_SCHEMA"]
    assert (failed.version, failed.manifest_hash) == (None, None)
    assert audit(ws)[-1] == ("build", "DATASET_QUALITY_HARD_FAIL", False)

    # when it is enforced by the environment, and when it is not
    monkeypatch.setenv(ENFORCEMENT, "true")
    assert refused(ws.datasets.build, request(ids.values())).code == "DATASET_QUALITY_HARD_FAIL"
    made = ws.datasets.build(request(ids.values(), enforce_quality=False))

    # then the dataset is there with its badge, and is not reused where quality is enforced
    assert (made.outcome, made.dataset.quality.badge) == ("created", "Hard fail (2)")
    assert refused(ws.datasets.build, request(ids.values())).code == "DATASET_QUALITY_HARD_FAIL"


def test_points_are_judged_by_the_schema_of_their_capability(ws):
    # given ball packs, one with a box in it
    point = {0: [("ball", Point(5.0, 6.0, 8.0))]}
    packs = [Pack(f"m{n}", [("APPROVED", point)], frames=1, capability="ball_detection") for n in range(3)]
    ids = add(ws, [*packs, packs[0].with_(media="box", revisions=[("APPROVED", {0: [("ball", BOX)]})])])

    # when
    made = ws.datasets.build(request(ids.values(), capability="ball_detection")).dataset

    # then
    assert [(one.code, one.value) for one in made.quality.hard_fails] == [("INVALID_LABEL_SCHEMA", 1)]


def test_a_capability_of_the_workspace_is_built_and_not_evaluated(ws):
    ws.capabilities.add("hats", geometry="box", classes=["hat"])
    ids = add(ws, [GOOD.with_(capability="hats", revisions=[("APPROVED", {0: [("hat", BOX)]})])])
    made = ws.datasets.build(request(ids.values(), capability="hats")).dataset
    assert (made.quality.badge, made.class_counts) == ("Not evaluated", {"hat": {"train": 1, "test": 0, "val": 0}})


# --- identity


def test_explain_names_what_differs_between_two_builds(ws):
    ids = add(ws, SIX)
    first = ws.datasets.build(request(ids.values())).dataset
    second = ws.datasets.build(request(list(ids.values())[:5], seed=3)).dataset
    fields = [one.field for one in ws.datasets.explain(first.id, second.id)]
    assert {"sources", "split.seed", "request.seed", "request.label_pack_ids"} <= set(fields)
    assert ws.datasets.explain(first.id, first.id) == []


def test_the_build_fingerprint_also_knows_who_asked_and_how(ws):
    ids = add(ws, SIX)
    one = ws.datasets.preflight(request(ids.values()))
    two = ws.datasets.preflight(request(ids.values(), description="x"))
    assert one.reuse_fingerprint == two.reuse_fingerprint
    assert one.build_fingerprint != two.build_fingerprint
