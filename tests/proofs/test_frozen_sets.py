"""Frozen test sets in any order of steps against a plain model, between processes, and when a training is killed."""

from __future__ import annotations

import json
from contextlib import ExitStack
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import labelkit
from labelkit import BuildRequest
from labelkit.core.geometry import Box
from labelkit.workspace import Workspace
from tests.services.packs import Pack, add
from tests.services.worlds import refused
from tests.store.processes import run_all, start

if TYPE_CHECKING:
    from labelkit.services.datasets import Dataset

BOX = Box(10.0, 20.0, 30.0, 40.0)
PLAIN = Pack("m", [("APPROVED", {0: [("player", BOX)]})], frames=2)
# Media by name with whose pictures they show: d shows those of a under another name.
PICTURES = {"a": "a", "b": "b", "c": "c", "d": "a"}
PEOPLE = ("developer", "support", "reviewer")


@cache
def opened():
    """A store with a pack of each media, and the ids of the packs."""
    ws = labelkit.open(":memory:", workspace="club-a", user="developer")
    with ws._database.transaction() as tx:
        tx.workspaces.set_flags("support", is_developer=False, is_support=True)
    ws.set_role("reviewer", "reviewer")
    return ws, add(ws, [PLAIN.with_(media=name, pictures=shown) for name, shown in PICTURES.items()])


class FrozenSets(RuleBasedStateMachine):
    """Each dataset is a set of media; packs and pictures follow from it. The store must say what sets say.

    All examples share one store, in which each begins with nothing frozen: to build anew would cost more than all else.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ws, self.ids = opened()
        self.seen = {user: Workspace(self.ws._database, self.ws._gate.workspace, user) for user in PEOPLE}
        for version in self.ws.datasets.list().filter("is_frozen")["id"]:
            self.ws.datasets.unfreeze(version, "another example begins")
        self.before = len(self.trail())
        self.media: dict[str, frozenset[str]] = {}
        self.changes: dict[str, int] = {}
        self.frozen: set[str] = set()
        self.open_doors: dict[str, ExitStack] = {}
        self.audited: list[tuple[str, bool]] = []
        self.known: dict[tuple[str, str], Dataset] = {}

    def teardown(self) -> None:
        """Look at every dataset once, at the end, because each look takes a while."""
        for door in self.open_doors.values():
            door.close()
        assert set(self.ws.datasets.list().filter("is_frozen")["name"]) == self.frozen
        for name, media in self.media.items():
            packs = {(other, "label pack") for other in self.frozen - {name} if media & self.media[other]}
            frames = {(other, "media frame") for other in self.frozen - {name} if self.shares(name, other)}
            found = self.dataset(name).leakage().select("frozen", "by").rows()
            assert {(title.split(" v1 ")[0], way) for title, way in found} == packs | frames

    def trail(self) -> list[tuple[str, bool]]:
        rows = self.ws.audit(limit=100_000).reverse()
        return rows.filter(rows["action"].is_in(["freeze", "unfreeze", "train", "evaluate"])).select("code", "allowed").rows()

    # --- the model

    def shares(self, one: str, other: str) -> bool:
        """Packs are media here, and whoever shares a media shares its pictures."""
        return bool({PICTURES[name] for name in self.media[one]} & {PICTURES[name] for name in self.media[other]})

    def expect(self, code: str, call) -> None:
        """The call ends in the refusal of this code, which is audited, or well where there is none."""
        if not code:
            call()
            return
        assert refused(call) == code
        self.audited.append((code, False))

    def dataset(self, name: str, user: str = "developer"):
        if (name, user) not in self.known:
            self.known[name, user] = self.seen[user].datasets.get(name)
        return self.known[name, user]

    # --- steps

    @rule(media=st.frozensets(st.sampled_from(sorted(PICTURES)), min_size=1, max_size=3))
    def build(self, media) -> None:
        name, packs = "".join(sorted(media)), [self.ids[one] for one in media]
        asked = BuildRequest(capability="player_detection", label_pack_ids=packs, name=name, ratios={"train": 1.0})
        made = self.ws.datasets.build(asked).dataset
        if name not in self.media:
            self.media[name], self.changes[name] = media, made.freezing.version

    @precondition(lambda self: self.media)
    @rule(data=st.data(), user=st.sampled_from(PEOPLE), seen=st.sampled_from(["none", "right", "old"]))
    def freeze(self, data, user, seen) -> None:
        name = data.draw(st.sampled_from(sorted(self.media)))
        version = {"none": None, "right": self.changes[name], "old": self.changes[name] - 1}[seen]
        in_use = any(self.shares(name, other) for other in self.open_doors)
        code = (
            "PERMISSION_DENIED"
            if user == "reviewer"
            else "FREEZE_STATE_CONFLICT"
            if seen == "old"
            else "DATASET_ALREADY_FROZEN"
            if name in self.frozen
            else "DATASET_IN_ACTIVE_USE"
            if in_use
            else ""
        )
        self.expect(code, lambda: self.dataset(name, user).freeze("official", expected_version=version))
        if not code:
            self.frozen.add(name)
            self.changes[name] += 1
            self.audited.append(("FROZEN", True))

    @precondition(lambda self: self.media)
    @rule(data=st.data(), user=st.sampled_from(PEOPLE), reason=st.sampled_from(["wrong", " ", None]))
    def unfreeze(self, data, user, reason) -> None:
        name = data.draw(st.sampled_from(sorted(self.media)))
        code = (
            "UNFREEZE_PERMISSION_REQUIRED"
            if user != "developer"
            else "UNFREEZE_REASON_REQUIRED"
            if reason != "wrong"
            else "DATASET_NOT_FROZEN"
            if name not in self.frozen
            else ""
        )
        self.expect(code, lambda: self.dataset(name, user).unfreeze(reason))
        if not code:
            self.frozen.discard(name)
            self.changes[name] += 1
            self.audited.append(("UNFROZEN", True))

    @precondition(lambda self: set(self.media) - set(self.open_doors))
    @rule(data=st.data(), user=st.sampled_from(PEOPLE))
    def train(self, data, user) -> None:
        name = data.draw(st.sampled_from(sorted(set(self.media) - set(self.open_doors))))
        leaks = any(self.shares(name, other) for other in self.frozen)
        code = "FROZEN_DATASET_TRAINING_FORBIDDEN" if name in self.frozen else "FROZEN_SOURCE_LEAKAGE_FORBIDDEN" if leaks else ""
        door = ExitStack()
        self.expect(code, lambda: door.enter_context(self.dataset(name, user).for_training()))
        if not code:
            self.open_doors[name] = door
            self.audited.append(("TRAINING_STARTED", True))

    @precondition(lambda self: self.open_doors)
    @rule(data=st.data())
    def end_training(self, data) -> None:
        self.open_doors.pop(data.draw(st.sampled_from(sorted(self.open_doors)))).close()
        self.audited.append(("TRAINING_ENDED", True))

    @precondition(lambda self: self.media)
    @rule(data=st.data(), user=st.sampled_from(PEOPLE))
    def evaluate(self, data, user) -> None:
        name = data.draw(st.sampled_from(sorted(self.media)))
        code = "" if name in self.frozen else "DATASET_NOT_FROZEN"
        with ExitStack() as door:
            self.expect(code, lambda: door.enter_context(self.dataset(name, user).for_evaluation(require_frozen=True)))
        if not code:
            self.audited.append(("EVALUATION_STARTED", True))

    # --- what holds after each

    @invariant()
    def nothing_that_is_trained_on_is_shared_with_what_is_frozen(self) -> None:
        assert not any(self.shares(name, held) for name in self.open_doors for held in self.frozen)

    @invariant()
    def every_allow_and_deny_has_its_audit_row_in_order(self) -> None:
        assert self.trail()[self.before :] == self.audited


TestFrozenSets = FrozenSets.TestCase
TestFrozenSets.settings = settings(settings.get_profile("labelkit"), max_examples=10, stateful_step_count=12)

# --- between processes

# Each does one thing to every dataset, in its own order, holds what it got until the other is through, and prints what came of it.
ACTOR = """
import json, sys
from contextlib import ExitStack
import labelkit
path, deed, names = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
with labelkit.open(path, workspace="club-a", user="ana", deadline_s=60) as ws, ExitStack() as doors:
    came = {}
    for name in names:
        dataset = ws.datasets.get(name)
        try:
            dataset.freeze("official") if deed == "freeze" else doors.enter_context(dataset.for_training())
            came[name] = "done"
        except labelkit.LabelkitError as refused:
            came[name] = refused.code
    print(json.dumps(came), flush=True)
    if deed == "train":
        sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with one dataset of each of five media."""
    path = tmp_path_factory.mktemp("frozen") / "labels.duckdb"
    with labelkit.open(path, workspace="club-a", user="ana") as ws:
        ids = add(ws, [PLAIN.with_(media=f"m{n}") for n in range(5)])
        for media, pack in ids.items():
            ws.datasets.build(BuildRequest(capability="player_detection", label_pack_ids=[pack], name=media, ratios={"train": 1.0}))
    return path


@pytest.fixture
def names(store):
    """The datasets, of which nothing is frozen."""
    with labelkit.open(store, workspace="club-a", user="ana") as ws:
        for name in ws.datasets.list().filter("is_frozen")["name"]:
            ws.datasets.unfreeze(name, "the test is over")
        return sorted(ws.datasets.list()["name"])


def said(process) -> dict[str, str]:
    """What came of each set, as the process says it; or a failure with what it says instead."""
    line = process.stdout.readline()
    assert line, process.communicate(timeout=60)
    return json.loads(line)


def test_of_two_processes_that_freeze_at_once_one_wins_each_set(store, names):
    # when
    told = run_all(ACTOR, [(store, "freeze", json.dumps(names))] * 2)

    # then
    first, second = (json.loads(line) for line in told)
    assert {name: sorted((first[name], second[name])) for name in names} == {name: ["DATASET_ALREADY_FROZEN", "done"] for name in names}
    with labelkit.open(store, workspace="club-a", user="ana") as ws:
        for name in names:
            history = ws.datasets.get(name).freeze_history()
            numbers = history["number"].drop_nulls().to_list()
            assert history.filter("allowed")["action"][0] == "freeze"
            assert all(later == earlier + 1 for later, earlier in pairwise(numbers))


def test_a_training_and_a_freeze_at_once_never_both_win(store, names):
    # given
    trainer, freezer = (start(ACTOR, store, deed, json.dumps(names)) for deed in ("train", "freeze"))

    # when
    try:
        trained, frozen = said(trainer), said(freezer)
    finally:
        ends = [process.communicate("\n", timeout=60)[1] for process in (trainer, freezer)]

    # then
    assert ends == ["", ""]
    won = {("done", "DATASET_IN_ACTIVE_USE"), ("FROZEN_DATASET_TRAINING_FORBIDDEN", "done")}
    assert {(trained[name], frozen[name]) for name in names} <= won


def test_a_killed_training_is_found_out_by_the_next_freeze(store, names):
    # given a process that trains on every set
    process = start(ACTOR, store, "train", json.dumps(names))
    assert set(said(process).values()) == {"done"}

    with labelkit.open(store, workspace="club-a", user="ana") as ws:
        with pytest.raises(labelkit.LabelkitError, match="DATASET_IN_ACTIVE_USE"):
            ws.datasets.freeze(names[0])

        # when
        process.kill()
        process.communicate()

        # then
        assert ws.datasets.freeze(names[0]).is_frozen_test_set
        with ws._database.reading() as tx:
            ended = tx.rows("SELECT ended_by FROM training_leases WHERE ended_by = 'lost'")
        assert len(ended) == 1
