"""Lists over datasets: pages that lose nothing while builds go on, filters, and lineage in both directions."""

from __future__ import annotations

import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import labelkit
from labelkit import BuildRequest
from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation
from labelkit.store.ids import new_id
from tests.services.builds import add_builds
from tests.services.packs import Pack, add
from tests.services.worlds import PLAYERS, add_media, add_run, as_user, refused

LABELS = {0: [("player", Box(10.0, 20.0, 30.0, 40.0))]}


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


def pages(ws, limit, *, between=lambda: None, **wanted):
    """Every page until there is none left; `between` runs after each."""
    found, cursor = [], None
    while True:
        page = ws.datasets.list(**wanted, cursor=cursor, limit=limit)
        found.append(page)
        if page.height < limit:
            return found
        cursor = page["id"][-1]
        between()


@pytest.fixture(scope="module")
def shared():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


@settings(max_examples=10, deadline=None)
@given(
    count=st.integers(0, 20),
    limit=st.integers(2, 9),
    wanted=st.fixed_dictionaries(
        {},
        optional={"status": st.sampled_from(["success", "failed", "running"]), "capability": st.just(PLAYERS), "scope": st.just("match-2")},
    ),
    added=st.integers(0, 3),
)
def test_the_pages_together_are_the_whole_list_though_builds_are_added_between_them(shared, count, limit, wanted, added):
    # given
    name = new_id("name")
    add_builds(shared, count, name=name)
    whole = shared.datasets.list(name=name, **wanted, limit=1000)

    # when they are read page by page, while others build
    read = pages(shared, limit, between=lambda: added and add_builds(shared, added, name=name), name=name, **wanted)

    # then each of those that were there comes once, in order
    assert pl.concat(read)["id"].to_list() == whole["id"].to_list()
    assert all(page.height == limit for page in read[:-1])


def test_a_list_is_narrowed_to_what_includes_a_workspace_or_a_media(ws):
    # given four versions: of one media, of another, of both, and one that left a third out
    made = add(ws, [Pack(name, [("APPROVED", LABELS)]) for name in ("half/1", "half/2", "plain")])
    out = add(ws, [Pack("out", [("APPROVED", LABELS)], review="pending")])
    for packs in ([made["half/1"]], [made["half/2"]], [made["half/1"], made["half/2"]], [made["plain"], out["out"]]):
        ws.datasets.build(BuildRequest(capability=PLAYERS, label_pack_ids=packs, name="scoped"))

    # then
    assert set(ws.datasets.list()["scope"]) == {"club-a/half/1", "club-a/half/2", "club-a: 2 media", "club-a/plain"}
    for case, scope, versions in (
        ("a workspace", "club-a", [4, 3, 2, 1]),
        ("a media of it", "club-a/half/1", [3, 1]),
        ("a media by its name", "half/1", [3, 1]),
        ("a media that was excluded", "out", []),
        ("nothing of that name", "club-b", []),
    ):
        assert ws.datasets.list(scope=scope)["version"].to_list() == versions, case


@pytest.mark.parametrize(("wanted", "code"), [({"status": "ready"}, "NOT_FOUND"), ({"limit": 0}, "INVALID_VALUE")])
def test_a_list_that_makes_no_sense_is_refused(ws, wanted, code):
    assert refused(lambda: ws.datasets.list(**wanted)) == code


def test_the_last_page_of_ten_thousand_builds_costs_what_the_first_one_does(ws):
    # given
    versions = add_builds(ws, 10_000)

    def spent(cursor):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            assert ws.datasets.list(cursor=cursor, limit=100, scope="match-1").height > 90
            times.append(time.perf_counter() - start)
        return min(times)

    # when
    first, last = spent(None), spent(versions[110])

    # then
    assert last < 3 * first + 0.02


def test_a_build_that_runs_or_failed_is_listed_with_what_is_known(ws):
    # given
    add_builds(ws, 5)
    # then
    running, failed, *_ = ws.datasets.list().iter_rows(named=True)
    known = {"display_name": "listed", "version_id": None, "samples": None, "split_samples": None, "manifest_hash": None}
    assert known.items() <= {**running, "quality": ""}.items()
    assert (running["status"], running["quality"], running["scope"]) == ("running", "Not evaluated", "club-a: 2 media")
    assert (failed["status"], failed["failure"], failed["included_packs"], failed["excluded_packs"]) == (
        "failed",
        "STORAGE_READ_FAILED",
        1,
        1,
    )


@pytest.fixture
def story(ws):
    """A model's labels that were published, approved, built into one dataset, and a later revision built into the next."""
    media = add_media(ws)
    run = add_run(ws, {0: [Annotation("", "player", Box(10, 10, 20, 40), 0.9)]}, media, model="fastestdet")
    draft = ws.review.open("match", PLAYERS, run=run)
    first = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="first")
    ws.review.set_eligibility(first.revision.id, "APPROVED", expected_version=1)
    request = BuildRequest(capability=PLAYERS, label_pack_ids=[first.pack.id], name="players")
    dataset = ws.datasets.build(request).dataset
    return media, run, draft, first, dataset


def test_lineage_leads_from_a_dataset_to_the_model_that_proposed_its_labels(story):
    # given
    _, run, draft, first, dataset = story
    # when
    (row,) = dataset.lineage.to_polars().iter_rows(named=True)
    # then
    assert (row["pack_id"], row["revision_id"]) == (first.pack.id, first.revision.id)
    assert (row["draft_id"], row["draft_version"], row["published_by"]) == (draft.id, first.revision.provenance.draft_version, "ana")
    assert (row["run_id"], row["model"], row["model_version"], row["eligibility"]) == (run, "fastestdet", "1", "APPROVED")


@pytest.mark.parametrize("of", ["revision", "pack", "media id", "media name"])
def test_lineage_leads_from_a_revision_pack_or_media_to_the_datasets_that_hold_it(ws, story, of):
    # given
    media, _, _, first, dataset = story
    start = {"revision": first.revision.id, "pack": first.pack.id, "media id": media.id, "media name": "match"}[of]
    # when
    (row,) = ws.datasets.built_from(start).iter_rows(named=True)
    # then both directions tell the same
    there = dataset.lineage.to_polars().row(0, named=True)
    assert (row["id"], row["name"], row["version"], row["status"]) == (dataset.id, "players", 1, "success")
    assert all(row[name] == there[name] for name in ("pack_id", "revision_id", "revision_number", "included", "reason", "media"))


def test_datasets_of_workspaces_that_one_may_not_read_are_not_among_them(ws, story):
    # given a colleague of the club, and a dataset of another club from the same pack
    *_, first, dataset = story
    mina = as_user(ws, "mina", "viewer")
    with ws._database.transaction() as tx:
        tx.execute("INSERT INTO workspaces SELECT 'wsp_other', 'club-b', training_policy, created_at FROM workspaces")
        tx.execute("INSERT INTO datasets SELECT 'dts_o', 'wsp_other', 'theirs', 1, created_at, created_by FROM datasets")
        tx.execute(
            "INSERT INTO builds BY NAME SELECT * REPLACE ('bld_o' AS id, 'dsv_o' AS version_id, 'dts_o' AS dataset_id,"
            " 'wsp_other' AS workspace_id) FROM builds"
        )
        tx.execute("INSERT INTO build_states BY NAME SELECT * REPLACE ('bld_o' AS build_id) FROM build_states")
        tx.execute("INSERT INTO build_sources BY NAME SELECT * REPLACE ('bld_o' AS build_id) FROM build_sources")
    # then
    assert mina.datasets.built_from(first.pack.id)["id"].to_list() == [dataset.id]
    assert set(ws.datasets.built_from(first.pack.id)["dataset_workspace"]) == {"club-a", "club-b"}


def test_what_no_dataset_holds_is_an_empty_frame(ws):
    assert ws.datasets.built_from("rev_none").is_empty()
