"""Open a review: one draft a scope, whoever asks and how many at once; its seed and lineage."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

import labelkit
from labelkit import LabelkitError, ReviewOp
from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation, FrameState, Source
from tests.services.worlds import BALLS, PLAYERS, add_media, add_run, as_user, in_memory_and_file, refused, tables, trail


def lineage_of_run(ws, run: str) -> str:
    return ws.prelabels.runs().filter(run_id=run)["lineage"].item()


@in_memory_and_file
def test_a_draft_opened_from_a_run_carries_its_labels_and_its_lineage(ws, players):
    # when
    draft = ws.review.open("match", PLAYERS, run=players)

    # then
    assert (draft.version, str(draft.lineage)) == (1, lineage_of_run(ws, players))
    assert [len(frame.annotations) for frame in draft.frames] == [2, 1, 0, 0]
    first = draft.frames[0].annotations[0]
    assert (first.label, first.geometry, first.score, first.source) == ("player", Box(10, 10, 20, 40), 0.9, Source.MODEL)
    assert {frame.state for frame in draft.frames} == {FrameState.UNTOUCHED}
    assert [frame.problem and frame.problem.value for frame in draft.frames] == [None, None, None, "FRAME_MISSING"]
    assert (draft.scope.workspace, draft.scope.capability) == (ws.id, PLAYERS)


def test_a_draft_opened_without_a_run_is_empty_and_manual(ws, media):
    draft = ws.review.open(media, BALLS)
    assert str(draft.lineage) == "manual"
    assert [frame.annotations for frame in draft.frames] == [(), (), (), ()]


def test_opening_again_returns_the_active_draft_as_it_is_now_whatever_run_is_named(ws, players, media):
    # given a draft that was worked on, and a newer run
    draft = ws.review.open("match", PLAYERS, run=players)
    ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(2)])
    newer = add_run(ws, {2: [Annotation("", "ball", Box(1, 1, 5, 5))]}, media)

    # when
    again, with_run = ws.review.open("match", PLAYERS), ws.review.open("match", PLAYERS, run=newer)

    # then
    assert again.id == with_run.id == draft.id
    assert again.version == with_run.version == 2
    assert str(with_run.lineage) == lineage_of_run(ws, players)
    assert with_run.frames[2].annotations == ()


@pytest.mark.usefixtures("players", "balls")
def test_every_scope_has_a_draft_of_its_own(ws):
    # given
    add_media(ws, "second")

    # when
    drafts = [ws.review.open(media, capability) for media in ("match", "second") for capability in (PLAYERS, BALLS)]

    # then
    assert len({draft.id for draft in drafts}) == 4
    assert ws.review.drafts().select("media", "capability", "version").rows() == [
        (draft.media.name, draft.capability.name, 1) for draft in sorted(drafts, key=lambda draft: draft.scope.key)
    ]


def test_without_a_run_a_new_draft_starts_from_the_latest_revision(ws, players):
    # given a published scope whose draft row is gone, as after an import of published labels
    draft = ws.review.open("match", PLAYERS, run=players)
    draft = ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.delete(0, draft.frames[0].annotations[0].id)])
    ws.review.publish(draft.id, expected_version=2, override_warnings=True, reason="known")
    with ws._database.transaction() as tx:
        tx.execute("DELETE FROM drafts")

    # when
    seeded = ws.review.open("match", PLAYERS)

    # then labels, ids and lineage are the revision's, and nothing counts as looked at
    assert seeded.id != draft.id
    assert [frame.annotations for frame in seeded.frames] == [frame.annotations for frame in draft.frames]
    assert str(seeded.lineage) == lineage_of_run(ws, players)
    assert {frame.state for frame in seeded.frames} == {FrameState.UNTOUCHED}


@pytest.mark.parametrize("text", [None, "legacy_unknown"])
def test_a_draft_without_lineage_takes_the_runs_lineage_and_keeps_its_content(ws, players, text):
    # given a draft imported from elsewhere
    draft = ws.review.open("match", PLAYERS)
    draft = ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.add_box(0, "ball", 1, 2, 3, 4, id="mine")])
    with ws._database.transaction() as tx:
        tx.execute("UPDATE drafts SET lineage = $text", text=text)
    assert str(ws.review.open("match", PLAYERS).lineage) == "legacy_unknown"

    # when
    seeded = ws.review.open("match", PLAYERS, run=players)

    # then
    assert str(seeded.lineage) == str(ws.review.get(draft.id).lineage) == lineage_of_run(ws, players)
    assert (seeded.id, seeded.version) == (draft.id, 2)
    assert [a.id for a in seeded.frames[0].annotations] == ["mine"]
    assert "DRAFT_LINEAGE_SEEDED" in ws.audit()["code"].to_list()


def test_a_manual_draft_stays_manual(ws, players):
    ws.review.open("match", PLAYERS)
    assert str(ws.review.open("match", PLAYERS, run=players).lineage) == "manual"


def test_lineage_reads_the_same_in_runs_draft_and_history(ws, players):
    # when
    draft = ws.review.open("match", PLAYERS, run=players)
    out = ws.review.publish(draft.id, expected_version=1, override_warnings=True, reason="known")

    # then
    (row,) = ws.review.history("match", PLAYERS)
    assert lineage_of_run(ws, players) == str(draft.lineage) == str(row.lineage) == str(out.revision.lineage)
    assert row.lineage.compact == f"pack:…{row.lineage.pack[-6:]}"
    assert ws.review.drafts()["lineage"].to_list() == [str(draft.lineage)]


@in_memory_and_file
def test_of_many_callers_at_once_each_gets_the_one_draft(ws, players):
    # given
    barrier, found = threading.Barrier(6), []

    def opener() -> None:
        barrier.wait(10)
        found.append(ws.review.open("match", PLAYERS, run=players).id)

    threads = [threading.Thread(target=opener) for _ in range(6)]

    # when
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    # then
    assert len(found) == 6
    assert len(set(found)) == 1
    assert ws.review.drafts().height == 1
    assert [row for row in trail(ws, "code") if row == ("DRAFT_CREATED",)] == [("DRAFT_CREATED",)]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        pytest.param(lambda ws, _: ws.review.open("match-1", PLAYERS), "NOT_FOUND", id="no such media"),
        pytest.param(lambda ws, _: ws.review.open("match", "player"), "NOT_FOUND", id="no such capability"),
        pytest.param(lambda ws, _: ws.review.open("match", PLAYERS, run="run_nobody"), "SCOPE_MISMATCH", id="no such run"),
        pytest.param(
            lambda ws, run: ws.review.open("match", PLAYERS, run=SimpleNamespace(id=run)), "INVALID_VALUE", id="a run, not its id"
        ),
        pytest.param(lambda ws, run: ws.review.open("match", BALLS, run=run), "SCOPE_MISMATCH", id="a run of another capability"),
        pytest.param(lambda ws, run: ws.review.open("second", PLAYERS, run=run), "SCOPE_MISMATCH", id="a run of another media"),
        pytest.param(lambda ws, _: ws.review.get("drf_nobody"), "NOT_FOUND", id="no such draft"),
    ],
)
def test_what_cannot_be_opened_is_refused_and_nothing_is_made(ws, players, call, code):
    # given
    add_media(ws, "second")
    before = tables(ws)

    # then
    assert refused(lambda: call(ws, players)) == code
    assert tables(ws) == before


@pytest.mark.usefixtures("media")
def test_a_name_that_is_nearly_right_is_offered(ws):
    with pytest.raises(LabelkitError, match="Did you mean 'player_detection'"):
        ws.review.open("match", "player_detections")


def test_frames_are_values_by_index_slice_and_order(ws, players):
    # given
    draft = ws.review.open("match", PLAYERS, run=players)

    # then
    assert len(draft.frames) == 4
    assert [frame.index for frame in draft.frames[1:3]] == [1, 2]
    assert draft.frames[-1].index == 3
    assert (draft.frames[0].name, draft.frames[0].width, draft.frames[0].height) == ("000000.png", 200, 100)
    with pytest.raises(IndexError, match="no frame 4"):
        draft.frames[4]
    assert draft.to_polars().select("frame_index", "label").rows() == [(0, "player"), (0, "player"), (1, "referee")]
    assert repr(draft) == f"<Draft {draft.id} of match · player_detection, version 1, {draft.lineage.compact}>"


@in_memory_and_file
def test_a_draft_is_as_it_was_at_its_version_also_when_its_frames_are_read_later(ws, players):
    # given a draft of which nobody looked at a frame, and later saves and a publish
    first = ws.review.open("match", PLAYERS, run=players)
    second = ws.review.apply(first.id, base_version=1, ops=[ReviewOp.add_box(2, "ball", 1, 2, 3, 4, id="a")])
    third = ws.review.apply(first.id, base_version=2, ops=[ReviewOp.delete(2, "a")])
    ws.review.publish(first.id, expected_version=3, override_warnings=True, reason="known")

    # then
    assert [[a.id for a in draft.frames[2].annotations] for draft in (first, second, third)] == [[], ["a"], []]


def test_a_store_opened_again_has_the_same_draft(tmp_path):
    # given
    path = tmp_path / "labels.duckdb"
    with labelkit.open(path, user="ana") as ws:
        add_media(ws)
        draft = ws.review.open("match", PLAYERS)
        ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.add_box(0, "ball", 1, 2, 3, 4, id="a")])

    # when
    with labelkit.open(path, user="ana") as ws:
        again = ws.review.open("match", PLAYERS)

        # then
        assert (again.id, again.version) == (draft.id, 2)
        assert again.frames[0].annotations[0].id == "a"


def test_a_viewer_sees_a_draft_but_makes_none(ws, players):
    # given
    vera = as_user(ws, "vera", "viewer")

    # then
    assert refused(lambda: vera.review.open("match", PLAYERS, run=players)) == "PERMISSION_DENIED"
    draft = ws.review.open("match", PLAYERS, run=players)
    assert vera.review.open("match", PLAYERS).id == draft.id
    assert len(vera.review.get(draft.id).frames[0].annotations) == 2
