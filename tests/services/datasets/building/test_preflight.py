"""What a build would do: candidates, and a preflight that decides everything and writes nothing."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import labelkit
from labelkit import BuildRequest
from labelkit.core.actors import Role
from labelkit.core.geometry import Box
from labelkit.errors import LabelkitError
from tests.services.packs import Pack, add, change

BOX = Box(10.0, 20.0, 30.0, 40.0)
LABELS = {0: [("player", BOX), ("ball", BOX)], 1: [("player", BOX)]}
GOOD = Pack("m", [("APPROVED", LABELS)])


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


def request(packs, **more) -> BuildRequest:
    return BuildRequest(**{"capability": "player_detection", "label_pack_ids": list(packs), "name": "players"} | more)


def everything(ws) -> list[object]:
    """Every row of every table that a build could write."""
    with ws._database.reading() as tx:
        tables = [row["table_name"] for row in tx.rows("SELECT table_name FROM information_schema.tables WHERE table_catalog = 'store'")]
        return [(table, tx.rows(f"SELECT * FROM {table}")) for table in sorted(tables)]


def test_each_requested_pack_that_stays_out_has_its_reason(ws):
    # given one pack for every rule
    ids = add(
        ws,
        [
            GOOD.with_(media="good"),
            GOOD.with_(media="ball", capability="ball_detection"),
            GOOD.with_(media="revoked", review="revoked"),
            GOOD.with_(media="revision-revoked", revisions=[("REVOKED", LABELS)]),
            GOOD.with_(media="pending", review="pending"),
            GOOD.with_(media="reviewed", revisions=[("REVIEWED", LABELS)]),
            GOOD.with_(media="invalid", validation="failed"),
        ],
    )
    with ws._database.transaction() as tx:
        foreign = {name: tx.workspaces.create(name, owner="bob") for name in ("closed", "opted-out")}
        tx.workspaces.set_training_policy(foreign["opted-out"].id, "opted_out")
        tx.workspaces.set_flags("ana", is_developer=False, is_support=False)
        tx.workspaces.set_role(foreign["opted-out"].id, "ana", Role.VIEWER)
    for name, row in foreign.items():
        ids |= add(ws, [GOOD.with_(media=name)])
        change(ws, "UPDATE label_packs SET workspace_id = $to WHERE id = $id", to=row.id, id=ids[name])

    # when
    found = ws.datasets.preflight(request([*ids.values(), "lpk_nowhere"]))

    # then
    assert found.excluded_label_pack_ids == dict(
        sorted(
            {
                "lpk_nowhere": "LABEL_PACK_NOT_FOUND",
                ids["closed"]: "LABEL_PACK_ACCESS_DENIED",
                ids["opted-out"]: "WORKSPACE_TRAINING_OPT_OUT",
                ids["ball"]: "LABEL_PACK_CAPABILITY_MISMATCH",
                ids["revoked"]: "LABEL_PACK_REVOKED",
                ids["revision-revoked"]: "LABEL_PACK_REVOKED",
                ids["pending"]: "LABEL_PACK_NOT_APPROVED",
                ids["reviewed"]: "LABEL_PACK_NOT_APPROVED",
                ids["invalid"]: "LABEL_PACK_VALIDATION_NOT_PASSED",
            }.items()
        )
    )
    assert found.included_label_pack_ids == [ids["good"]]


def test_the_newest_approved_revision_is_taken(ws):
    # given four revisions, of which the second is the newest approved one
    newest = {0: [("referee", BOX)] * 3}
    ids = add(ws, [GOOD.with_(revisions=[("APPROVED", LABELS), ("APPROVED", newest), ("REVIEWED", LABELS), ("REVOKED", LABELS)])])

    # when
    found = ws.datasets.preflight(request(ids.values()))

    # then
    assert found.plan.included[0].revision.number == 2
    assert {name: sum(row.values()) for name, row in found.class_counts.items()} == {"referee": 3}


def test_a_preflight_writes_nothing(ws):
    ids = add(ws, [GOOD])
    before = everything(ws)
    ws.datasets.preflight(request(ids.values()))
    ws.datasets.candidates("player_detection")
    assert everything(ws) == before


labels = st.dictionaries(st.integers(0, 3), st.lists(st.tuples(st.sampled_from(["player", "ball"]), st.just(BOX)), max_size=3), max_size=4)
packs = st.lists(
    st.builds(
        lambda labels, broken, group, counted: GOOD.with_(
            revisions=[("APPROVED", {index: boxes for index, boxes in labels.items() if index not in broken})],
            broken=sorted(broken),
            group=group,
            counted=counted,
        ),
        labels,
        st.sets(st.integers(0, 3), max_size=2),
        st.sampled_from(["g1", "g2", "g3", "g4"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=15, deadline=None)
@given(packs=packs, minimum=st.integers(0, 3), seed=st.integers(0, 3))
def test_a_build_makes_exactly_what_its_preflight_says(packs, minimum, seed):
    # given packs with and without counted broken frames
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        ids = add(ws, [pack.with_(media=f"m{number}") for number, pack in enumerate(packs)])
        asked = request(ids.values(), min_annotations=minimum, seed=seed)

        # when
        said = ws.datasets.preflight(asked)
        if not said.ok:
            assert [issue.code for issue in said.issues if issue.blocking] == ["NO_ELIGIBLE_LABEL_DATA"]
            return
        result = ws.datasets.build(asked)

        # then
        made = result.dataset
        assert (made.split_counts, made.group_counts, made.class_counts) == (said.split_samples, said.split_groups, said.class_counts)
        assert (made.reuse_fingerprint, made.build_fingerprint) == (said.reuse_fingerprint, said.build_fingerprint)
        assert (result.outcome, result.included_label_pack_ids) == (said.outcome, said.included_label_pack_ids)
        splits = made.to_polars().group_by("group_key").agg(pl.col("split").n_unique())
        assert dict(splits.iter_rows()) == dict.fromkeys(said.plan.groups, 1)
        assert made.to_polars()["annotations"].list.len().min() >= minimum


def test_a_preflight_says_what_would_be_reused(ws):
    # given
    ids = add(ws, [GOOD])
    asked = request(ids.values())
    assert ws.datasets.preflight(asked).outcome == "created"

    # when it is built
    made = ws.datasets.build(asked).dataset

    # then
    again = ws.datasets.preflight(asked)
    assert (again.outcome, again.dataset_id) == ("reused_success", made.id)
    assert ws.datasets.preflight(asked.model_copy(update={"force": True})).outcome == "created"


def test_who_may_not_include_reviewed_revisions_sees_it_before_building(ws):
    # given
    ids = add(ws, [GOOD, GOOD.with_(media="n", revisions=[("REVIEWED", LABELS)])])
    asked = request(ids.values(), include_reviewed_override=True)
    assert ws.datasets.preflight(asked).selected_count == 2

    # when the developer is none any more
    with ws._database.transaction() as tx:
        tx.workspaces.set_flags("ana", is_developer=False, is_support=False)
    found = ws.datasets.preflight(asked)

    # then the pack is out, and the first issue says why a build would be refused
    assert (found.ok, found.issues[0].code, found.issues[0].blocking) == (False, "ELIGIBILITY_OVERRIDE_FORBIDDEN", True)
    assert found.excluded_label_pack_ids == {ids["n"]: "LABEL_PACK_NOT_APPROVED"}


def test_a_capability_that_does_not_exist_is_refused_with_the_nearest(ws):
    with pytest.raises(LabelkitError, match="Did you mean 'player_detection'"):
        ws.datasets.preflight(request(["x"], capability="player_detections"))


def test_candidates_are_the_packs_of_readable_workspaces_with_their_default(ws):
    # given packs here, one of another capability, and one in a workspace that is closed to ana
    ids = add(ws, [GOOD.with_(media="b"), GOOD.with_(media="a", review="pending"), GOOD.with_(media="ball", capability="ball_detection")])
    with ws._database.transaction() as tx:
        closed = tx.workspaces.create("closed", owner="bob")
        tx.workspaces.set_flags("ana", is_developer=False, is_support=False)
    hidden = add(ws, [GOOD.with_(media="hidden")])
    change(ws, "UPDATE label_packs SET workspace_id = $to WHERE id = $id", to=closed.id, id=hidden["hidden"])

    # when
    found = ws.datasets.candidates("player_detection")

    # then
    assert found.select("pack_id", "media", "included", "reason", "revision_number", "frames", "annotations").rows() == [
        (ids["a"], "a", False, "LABEL_PACK_NOT_APPROVED", None, None, None),
        (ids["b"], "b", True, None, 1, 4, 3),
    ]
    assert found["why"][0] == "Its review status is pending."
    assert ws.datasets.candidates("ball_detection")["pack_id"].to_list() == [ids["ball"]]
    with pytest.raises(LabelkitError, match="There is no capability 'nothing'"):
        ws.datasets.candidates("nothing")
