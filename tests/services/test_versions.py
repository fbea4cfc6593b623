"""Versions as people use them: commit, log, diff, check out, tag, branch, merge, go back, clean up."""

from __future__ import annotations

import os
import random

import polars as pl
import pytest
from pydantic import BaseModel

import labelkit
from labelkit import BuildRequest, LabelkitError
from labelkit.core.actors import Action
from labelkit.core.geometry import Box
from labelkit.core.versions import ChangeCount
from labelkit.errors import BranchMoved
from labelkit.services.versions.committing import Pending
from labelkit.store.versions.canonical import canonical
from labelkit.store.versions.chunking import Chunking
from labelkit.store.versions.commits import History
from tests.services.packs import Pack, add
from tests.services.worlds import as_user, refused, tables, trail

NAME = "golden/contact-tier"
ROWS = pl.DataFrame({"example_id": ["a", "b", "c", "d"], "tier": ["A", "B", "C", "D"], "score": [1, 2, 3, 4]})


PACKS = [Pack(name, [("APPROVED", {0: [("player", Box(10.0, 20.0, 30.0, 40.0))], 1: []})]) for name in ("north", "south")]


def built(ws, packs):
    return ws.datasets.build(BuildRequest(capability="player_detection", label_pack_ids=packs, name="players")).dataset


def delta(**scores: int) -> pl.DataFrame:
    return pl.DataFrame([{"example_id": key, "tier": key.upper(), "score": score} for key, score in scores.items()])


@pytest.fixture
def ws(memory):
    return memory


@pytest.fixture(scope="module")
def settled():
    """A name with a branch dev in conflict with main, for what changes nothing."""
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        opened.versions.commit(NAME, ROWS, key="example_id")
        opened.versions.branch(NAME, "dev")
        opened.versions.commit(NAME, delta(a=7), upsert=True, branch="dev")
        opened.versions.commit(NAME, delta(a=8), upsert=True)
        yield opened


@pytest.fixture
def first(ws):
    return ws.versions.commit(NAME, ROWS, key="example_id", message="first")


def scores(ws, ref) -> dict[str, int]:
    return dict(ws.versions.checkout(ref).select("example_id", "score").collect().iter_rows())


# --- commits


def test_a_commit_is_a_version_that_can_be_checked_out(ws, first):
    # then
    assert (first.code, str(first.changes), first.commit.rows) == ("COMMITTED", "4 added, 0 removed, 0 modified", 4)
    rows = ws.versions.checkout(first)
    assert isinstance(rows, pl.LazyFrame)
    assert rows.collect().equals(ROWS)
    assert (first.commit.author, first.commit.message, first.commit.parents) == ("ana", "first", ())
    assert trail(ws, "action", "code", "allowed")[-1] == ("commit a version", "COMMITTED", True)


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(ROWS, id="the same frame"),
        pytest.param(ROWS.reverse().select("score", "tier", "example_id"), id="another order"),
        pytest.param(ROWS.lazy(), id="lazy"),
        pytest.param(ROWS.to_dicts(), id="mappings"),
        pytest.param(ROWS.with_columns(pl.col("tier").cast(pl.Categorical())), id="categories"),
    ],
)
def test_committing_what_is_there_is_a_reported_no_op(memory, same):
    # given
    first = memory.versions.commit(NAME, ROWS, key="example_id")
    before = tables(memory)

    # when
    again = memory.versions.commit(NAME, same, message="again")

    # then
    assert (again.code, again.id) == ("NO_OP_UNCHANGED", first.id)
    assert tables(memory) == before
    assert memory.versions.commit(NAME, ROWS.head(2), upsert=True).code == "NO_OP_UNCHANGED"


@pytest.mark.usefixtures("first")
def test_a_delta_and_the_whole_set_give_the_same_tree(ws):
    # when
    changed = ws.versions.commit(NAME, delta(b=20, e=5), upsert=True, remove=["c"], message="delta")

    # then
    assert str(changed.changes) == "1 added, 1 removed, 1 modified"
    assert scores(ws, NAME) == {"a": 1, "b": 20, "d": 4, "e": 5}
    whole = ws.versions.commit("other", ws.versions.checkout(NAME), key="example_id")
    assert whole.commit.tree == changed.commit.tree


def test_pydantic_models_are_rows(memory):
    class Example(BaseModel):
        example_id: str
        expected: dict[str, int]

    memory.versions.commit("models", [Example(example_id="x", expected={"n": 1})], key="example_id")
    assert memory.versions.checkout("models").collect().to_dicts() == [{"example_id": "x", "expected": {"n": 1}}]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        pytest.param(lambda v: v.commit("new", ROWS), "INVALID_VALUE", id="a new name without a key"),
        pytest.param(lambda v: v.commit("no name!", ROWS, key="tier"), "INVALID_VALUE", id="no name"),
        pytest.param(lambda v: v.commit("deadbeef", ROWS, key="tier"), "INVALID_VALUE", id="a name like a commit"),
        pytest.param(lambda v: v.commit(NAME, ROWS, key="tier"), "KEY_CHANGED", id="another key"),
        pytest.param(lambda v: v.commit(NAME, pl.DataFrame({"example_id": [1]})), "KEY_CHANGED", id="a key of another type"),
        pytest.param(lambda v: v.commit(NAME, pl.concat([ROWS, ROWS])), "KEYS_NOT_UNIQUE", id="a key twice"),
        pytest.param(lambda v: v.commit(NAME, ROWS.drop("tier"), upsert=True), "SCHEMA_MISMATCH", id="a delta without a column"),
        pytest.param(lambda v: v.commit(NAME, ROWS, remove=["a"]), "INVALID_VALUE", id="removing without a delta"),
        pytest.param(lambda v: v.commit(NAME, ROWS.head(1), upsert=True, remove=["a"]), "INVALID_VALUE", id="given and removed"),
        pytest.param(lambda v: v.commit(NAME, upsert=True, remove=[1.5]), "INVALID_VALUE", id="removing a key of another type"),
        pytest.param(lambda v: v.commit(NAME), "INVALID_VALUE", id="nothing"),
        pytest.param(lambda v: v.commit(NAME, "rows.csv"), "INVALID_VALUE", id="a text"),
        pytest.param(lambda v: v.commit(NAME, {"tier": ["a"]}), "INVALID_VALUE", id="a mapping"),
        pytest.param(lambda v: v.commit(NAME, ROWS, branch="nowhere"), "NOT_FOUND", id="a branch that nobody made"),
        pytest.param(lambda v: v.commit(NAME, ROWS.with_columns(row_digest=1)), "INVALID_VALUE", id="a name of our own"),
        pytest.param(lambda v: v.checkout("golden/contact-teir"), "NOT_FOUND", id="a name that is not there"),
        pytest.param(lambda v: v.checkout(f"{NAME}@v9"), "NOT_FOUND", id="a tag that is not there"),
        pytest.param(lambda v: v.checkout("0" * 64), "NOT_FOUND", id="a commit that is not there"),
        pytest.param(lambda v: v.checkout("dsv_nothing"), "NOT_FOUND", id="a dataset version that is not there"),
        pytest.param(lambda v: v.checkout("not a ref"), "INVALID_VALUE", id="no ref"),
        pytest.param(lambda v: v.delete_branch(NAME, "nothing"), "NOT_FOUND", id="a branch that is not there"),
        pytest.param(lambda v: v.tag(NAME, "0123abcd"), "INVALID_VALUE", id="a tag like a commit"),
        pytest.param(lambda v: v.merge(NAME, "dev", resolve="both"), "INVALID_VALUE", id="no side"),
        pytest.param(lambda v: v.gc(grace_s=-1), "INVALID_VALUE", id="a time before now"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(settled, call, code):
    before = tables(settled)
    assert refused(lambda: call(settled.versions)) == code
    assert tables(settled) == before


# --- who may


@pytest.mark.parametrize(
    ("role", "call"),
    [
        pytest.param("viewer", lambda v: v.commit(NAME, ROWS.head(1)), id="a viewer commits"),
        pytest.param("annotator", lambda v: v.tag(NAME, "v1"), id="an annotator tags"),
        pytest.param("annotator", lambda v: v.branch(NAME, "dev"), id="an annotator branches"),
        pytest.param("annotator", lambda v: v.revert(NAME, f"{NAME}@zero"), id="an annotator reverts"),
        pytest.param("lead", lambda v: v.gc(), id="a lead collects"),
    ],
)
def test_who_may_not_leaves_only_an_audit_row(memory, role, call):
    # given
    memory.versions.tag(NAME, "zero", memory.versions.commit(NAME, ROWS.head(3), key="example_id"))
    memory.versions.commit(NAME, ROWS)
    ben = as_user(memory, "ben", role)
    before = tables(memory)

    # then
    assert refused(lambda: call(ben.versions)) == "PERMISSION_DENIED"
    assert tables(memory) == before
    assert trail(memory, "actor", "code", "allowed")[-1] == ("ben", "PERMISSION_DENIED", False)
    assert ben.versions.checkout(NAME).collect().equals(ROWS)


def test_in_a_file_it_is_the_same(tmp_path):
    with labelkit.open(tmp_path / "x.duckdb", user="ana") as here, labelkit.open(":memory:", user="ana") as there:
        for opened in (here, there):
            first = opened.versions.commit(NAME, ROWS, key="example_id")
            opened.versions.branch(NAME, "dev")
            opened.versions.commit(NAME, delta(a=10, e=5), upsert=True, branch="dev")
            opened.versions.commit(NAME, delta(b=20), upsert=True, remove=["c"])
            opened.versions.tag(NAME, "v1", opened.versions.merge(NAME, "dev"))
            assert opened.versions.revert(NAME, first).code == "REVERTED"
            opened.versions.delete_branch(NAME, "dev")
            assert opened.versions.gc(grace_s=0).commits == ()
            assert opened.check() == []
        trees = [[version.tree for version in opened.versions.log(NAME)] for opened in (here, there)]
        assert trees[0] == trees[1]
        assert here.versions.checkout(f"{NAME}@v1").collect().equals(there.versions.checkout(f"{NAME}@v1").collect())


def test_versions_of_another_workspace_are_not_there(tmp_path):
    with (
        labelkit.open(tmp_path / "x.duckdb", workspace="one", user="ana") as one,
        labelkit.open(one.path, workspace="two", user="ana") as two,
    ):
        made = one.versions.commit(NAME, ROWS, key="example_id")
        assert refused(lambda: two.versions.checkout(made)) == "NOT_FOUND"
        assert refused(lambda: two.versions.log(NAME)) == "NOT_FOUND"


# --- looking


def test_the_log_has_the_newest_first_and_prints(ws, first):
    # given
    second = ws.versions.commit(NAME, delta(a=9), upsert=True, message="second")

    # then
    log = ws.versions.log(NAME)
    assert [version.id for version in log] == [second.id, first.id]
    assert [version.id for version in ws.versions.log(first)] == [first.id]
    assert len(ws.versions.log(NAME, limit=1)) == 1
    assert log.to_polars().select("added", "modified", "rows", "message").rows() == [(0, 1, 4, "second"), (4, 0, 4, "first")]
    assert repr(log).startswith(second.id[:12])
    assert "second" in log._repr_html_()
    assert ws.versions.list().select("name", "key", "rows", "head", "commits").rows() == [(NAME, "example_id", 4, second.id, 2)]


def test_a_diff_has_rows_and_the_fields_that_changed(ws, first):
    # given
    second = ws.versions.commit(NAME, delta(b=20, e=5), upsert=True, remove=["c"])

    # when
    found = ws.versions.diff(first, second)

    # then
    assert found.added["example_id"].to_list() == ["e"]
    assert found.removed.to_dicts() == [{"example_id": "c", "score": 3, "tier": "C"}]
    assert found.modified.to_dicts() == [
        {"example_id": "b", "fields": ["score"], "before": {"score": 2, "tier": "B"}, "after": {"score": 20, "tier": "B"}}
    ]
    assert found.changes.rows() == [("b", "score", "2", "20")]
    assert {name: found.summary[name] for name in ("added", "removed", "modified", "fields")} == {
        "added": 1,
        "removed": 1,
        "modified": 1,
        "fields": {"score": 1},
    }
    assert found.to_polars().select("key", "change").rows() == [("b", "modified"), ("c", "removed"), ("e", "added")]
    assert "score: 1 changed" in repr(found)
    assert not ws.versions.diff(first, first)


def test_what_people_wrote_is_escaped_in_html(memory):
    # given
    a = memory.versions.commit("x", pl.DataFrame({"k": ["<b>"], "<i>": ["1"]}), key="k", message="<script>")
    b = memory.versions.commit("x", pl.DataFrame({"k": ["<b>"], "<i>": ["<img>"]}))

    # then
    page = memory.versions.diff(a, b)._repr_html_() + memory.versions.log("x")._repr_html_()
    assert not any(mark in page for mark in ("<b>", "<i>", "<img>", "<script>"))


def test_columns_of_any_name_can_be_compared(memory):
    for key in ("fields", "before", "key", "change", "field"):
        a = memory.versions.commit(f"named-{key}", pl.DataFrame({key: ["a"], "v": [1]}), key=key)
        b = memory.versions.commit(f"named-{key}", pl.DataFrame({key: ["a"], "v": [2]}))
        found = memory.versions.diff(a, b)
        assert (found.modified["fields"].to_list(), found.changes["key"].to_list(), found.to_polars()["key"].to_list()) == (
            [["v"]],
            ["a"],
            ["a"],
        )


def test_a_column_more_is_said_and_is_a_minor_version(ws, first):
    # when
    wider = ws.versions.commit(NAME, ROWS.with_columns(notes=pl.lit("fine")))

    # then
    found = ws.versions.diff(first, wider)
    assert found.summary["columns_added"] == ["notes"]
    assert found.summary["fields"] == {"notes": 4}
    assert ws.versions.suggest_version(first, wider).after("1.0.3") == "1.1.0"
    assert ws.versions.suggest_version(wider, first).level == "major"
    assert ws.versions.suggest_version(first, first).level == "patch"


def test_built_datasets_are_versions_too(memory):
    # given a dataset that was built twice, the second time without a group
    packs = [*add(memory, PACKS).values()]
    a, b = built(memory, packs), built(memory, packs[:1])

    # then
    found = memory.versions.diff(a, b)
    assert found.removed.height == a.sample_count - b.sample_count > 0
    assert found.added.is_empty()
    assert memory.versions.checkout(a).collect().equals(a.to_polars())
    assert refused(lambda: memory.versions.log(a)) == "INVALID_VALUE"
    assert refused(lambda: memory.versions.diff(a, memory.versions.commit(NAME, ROWS, key="example_id"))) == "KEY_CHANGED"


# --- names


def test_a_tag_is_for_ever(ws, first):
    # given
    ws.versions.tag(NAME, "v1", first, message="released")
    second = ws.versions.commit(NAME, delta(a=9), upsert=True)

    # then
    assert scores(ws, f"{NAME}@v1")["a"] == 1
    assert ws.versions.tag(NAME, "v1", first).id == first.id
    assert refused(lambda: ws.versions.tag(NAME, "v1", second)) == "TAG_TAKEN"
    assert refused(lambda: ws.versions.branch(NAME, "v1")) == "TAG_TAKEN"
    assert refused(lambda: ws.versions.commit(NAME, ROWS, branch="v1")) == "NOT_FOUND"
    assert refused(lambda: ws.versions.tag(NAME, "main")) == "TAG_TAKEN"
    assert ws.versions.tags(NAME).select("tag", "commit", "message").rows() == [("v1", first.id, "released")]
    assert ws.versions.get(first.id[:8]).id == first.id


def test_a_branch_goes_its_own_way_until_it_is_deleted(ws, first):
    # given
    ws.versions.branch(NAME, "dev")
    there = ws.versions.commit(NAME, delta(a=9), upsert=True, branch="dev")

    # then
    assert (scores(ws, NAME)["a"], scores(ws, f"{NAME}@dev")["a"]) == (1, 9)
    assert ws.versions.branches(NAME).rows() == [("dev", there.id), ("main", first.id)]
    assert refused(lambda: ws.versions.branch(NAME, "dev")) == "TAG_TAKEN"
    ws.versions.delete_branch(NAME, "dev")
    assert refused(lambda: ws.versions.checkout(f"{NAME}@dev")) == "NOT_FOUND"
    assert ws.versions.branch(NAME, "dev", there).id == there.id


# --- going back, merging, moving


def test_going_back_is_a_new_commit(ws, first):
    # given
    second = ws.versions.commit(NAME, delta(a=9), upsert=True)

    # when
    back = ws.versions.revert(NAME, first)

    # then
    assert (back.code, back.commit.tree, back.commit.parents) == ("REVERTED", first.commit.tree, (second.id,))
    assert len(ws.versions.log(NAME)) == 3
    assert ws.versions.revert(NAME, first).code == "NO_OP_UNCHANGED"


def test_a_branch_that_only_went_on_is_merged_by_moving_the_head(ws, first):
    # given
    ws.versions.branch(NAME, "dev")
    there = ws.versions.commit(NAME, delta(a=9), upsert=True, branch="dev")

    # then
    assert ws.versions.plan_merge(NAME, "dev").code == "FAST_FORWARD"
    assert (ws.versions.merge(NAME, "dev").code, ws.versions.get(NAME).id) == ("FAST_FORWARD", there.id)
    assert ws.versions.merge(NAME, "dev").code == "NO_OP_MERGED"
    assert ws.versions.merge(NAME, first).code == "NO_OP_MERGED"


@pytest.fixture
def torn(ws, first):
    assert first.code == "COMMITTED"
    """Both sides changed a and d; only one of them b and c."""
    ws.versions.branch(NAME, "dev")
    ws.versions.commit(NAME, delta(a=10, b=20), upsert=True, remove=["d"], branch="dev")
    return ws.versions.commit(NAME, delta(a=11, c=30, d=40), upsert=True)


@pytest.mark.usefixtures("torn")
def test_conflicts_are_rows_and_nothing_is_guessed(ws):
    # given
    before = tables(ws)

    # then
    plan = ws.versions.plan_merge(NAME, "dev")
    assert not plan
    assert plan.conflicts.select("key", "field", "base", "ours", "theirs").rows() == [
        ("a", "score", "1", "11", "10"),
        ("d", None, None, None, None),
    ]
    assert refused(lambda: ws.versions.merge(NAME, "dev")) == "MERGE_CONFLICTS"
    assert refused(lambda: ws.versions.merge(NAME, "dev", resolve=delta(a=12))) == "MERGE_CONFLICTS"
    assert refused(lambda: ws.versions.merge(NAME, "dev", resolve=delta(a=12, b=1), remove=["d"])) == "INVALID_VALUE"
    assert tables(ws) == before


@pytest.mark.parametrize(
    ("decided", "result"),
    [
        pytest.param({"resolve": "ours"}, {"a": 11, "b": 20, "c": 30, "d": 40}, id="ours"),
        pytest.param({"resolve": "theirs"}, {"a": 10, "b": 20, "c": 30}, id="theirs"),
        pytest.param({"resolve": delta(a=12), "remove": ["d"]}, {"a": 12, "b": 20, "c": 30}, id="rows"),
    ],
)
def test_a_merge_with_decisions_is_a_commit_of_two_parents(ws, torn, decided, result):
    # given
    other = ws.versions.get(f"{NAME}@dev")

    # when
    made = ws.versions.merge(NAME, "dev", **decided)

    # then
    assert (made.code, made.commit.parents) == ("MERGED", (torn.id, other.id))
    assert scores(ws, NAME) == result
    assert ws.versions.merge(NAME, "dev").code == "NO_OP_MERGED"
    assert {version.id for version in ws.versions.log(NAME)} >= {torn.id, other.id}


def test_two_first_commits_at_once_have_no_common_history_but_can_be_put_together(ws, first):
    # given somebody who saw no such name when their work began
    with ws._database.reading() as tx:
        row = tx.versions.find(tx.versions.history(ws.id, NAME).id, first.id)
        tree = tx.versions.snapshots.tree(row.snapshot_id)
    cut = Chunking(ws._database).whole(canonical(delta(z=26), "example_id"))
    late = Pending(History("ver_late", NAME, "example_id"), (), cut.tree, ROWS.columns, ChangeCount(added=1), "late", "COMMITTED")

    # when
    with pytest.raises(BranchMoved) as told:
        ws.versions._committing.append(late, "main", Action.COMMIT)
    kept = str(told.value.facts["commit"])

    # then
    assert refused(lambda: ws.versions.merge(NAME, kept)) == "NO_COMMON_HISTORY"
    assert ws.versions.rebase(kept).code == "REBASED"
    assert scores(ws, NAME) == {"a": 1, "b": 2, "c": 3, "d": 4, "z": 26}
    assert ws.versions.get(first).tree == tree.digest.value


def test_the_second_of_two_writers_is_told_and_loses_nothing(ws, first):
    # given two people who start from the same version
    won = ws.versions.commit(NAME, delta(a=10), upsert=True, expected_head=first)

    # when the second one commits
    with pytest.raises(LabelkitError) as told:
        ws.versions.commit(NAME, delta(b=20), upsert=True, expected_head=first, message="mine")

    # then what they did is kept, beside the branch, and goes on top
    assert told.value.code == "BRANCH_MOVED"
    assert ws.versions.get(NAME).id == won.id
    kept = str(told.value.facts["commit"])
    assert scores(ws, kept) == {"a": 1, "b": 20, "c": 3, "d": 4}
    again = ws.versions.rebase(kept)
    assert (again.code, again.commit.parents, again.commit.message) == ("REBASED", (won.id,), "mine")
    assert scores(ws, NAME) == {"a": 10, "b": 20, "c": 3, "d": 4}
    assert ws.versions.rebase(kept).code == "NO_OP_MERGED"


def test_a_rebase_over_the_same_field_is_a_conflict(ws, first):
    # given
    ws.versions.commit(NAME, delta(a=10), upsert=True, expected_head=first)
    with pytest.raises(LabelkitError) as told:
        ws.versions.commit(NAME, delta(a=11), upsert=True, expected_head=first)
    kept = str(told.value.facts["commit"])

    # then
    assert refused(lambda: ws.versions.rebase(kept)) == "MERGE_CONFLICTS"
    ws.versions.rebase(kept, resolve="theirs")
    assert scores(ws, NAME)["a"] == 11


# --- cleaning up


def test_a_collection_removes_what_nothing_reaches_and_says_before_what_that_is(ws, first):
    # given a branch that was deleted, and one that was tagged first
    ws.versions.branch(NAME, "dev")
    gone = ws.versions.commit(NAME, delta(a=9), upsert=True, branch="dev")
    ws.versions.branch(NAME, "kept")
    kept = ws.versions.commit(NAME, delta(a=8), upsert=True, branch="kept")
    ws.versions.tag(NAME, "v1", kept)
    for branch in ("dev", "kept"):
        ws.versions.delete_branch(NAME, branch)

    # when
    young = ws.versions.gc(dry_run=True)
    tried, done = ws.versions.gc(dry_run=True, grace_s=0), ws.versions.gc(grace_s=0)

    # then
    assert young.commits == ()
    assert (tried.commits, tried.snapshots, tried.objects) == (done.commits, done.snapshots, done.objects)
    assert done.commits == (gone.id,)
    assert refused(lambda: ws.versions.checkout(gone)) == "NOT_FOUND"
    assert scores(ws, f"{NAME}@v1")["a"] == 8
    assert ws.versions.checkout(first).collect().equals(ROWS)
    assert ws.check() == []
    assert ws.versions.gc(grace_s=0).commits == ()
    assert "removed 1 commits" in repr(done)


class Model:
    """Two names that share rows, and beside them who can be reached: the parents of each commit, the heads and tags, what each holds."""

    def __init__(self, ws) -> None:
        self.ws, self.versions = ws, ws.versions
        self.parents: dict[str, tuple[str, ...]] = {}
        self.content: dict[str, dict[str, int]] = {}
        self.tops: dict[tuple[str, str], str] = {}
        for name in ("one", "two"):
            self.note(name, "main", self.versions.commit(name, ROWS, key="example_id"))

    def note(self, name: str, branch: str, made) -> None:
        self.tops[name, branch] = made.id
        if made.code == "COMMITTED":
            self.parents[made.id], self.content[made.id] = made.commit.parents, scores(self.ws, made)

    def commit(self, name: str, branch: str, step: int) -> None:
        self.note(name, branch, self.versions.commit(name, delta(a=step % 5, b=step % 3), upsert=True, branch=branch))

    def branch(self, name: str, branch: str, step: int) -> None:
        self.tops[name, f"b{step}"] = self.versions.branch(name, f"b{step}", branch).id

    def tag(self, name: str, branch: str, step: int) -> None:
        self.tops[name, f"t{step}"] = self.versions.tag(name, f"t{step}", branch).id

    def delete(self, name: str, branch: str, _: int) -> None:
        if branch != "main":
            self.versions.delete_branch(name, branch)
            del self.tops[name, branch]

    def reached(self) -> set[str]:
        found, waiting = set(), list(self.tops.values())
        while waiting:
            commit = waiting.pop()
            waiting += [] if commit in found else self.parents[commit]
            found.add(commit)
        return found

    def collect(self, *_: object) -> None:
        for file in self.ws._database.objects.root.glob("*/*"):
            os.utime(file, (0, 0))
        tried, done, reached = self.versions.gc(dry_run=True, grace_s=0), self.versions.gc(grace_s=0), self.reached()
        assert set(done.commits) == set(tried.commits) == self.parents.keys() - reached
        assert (tried.snapshots, tried.objects, tried.size_bytes) == (done.snapshots, done.objects, done.size_bytes)
        assert all(scores(self.ws, commit) == self.content[commit] for commit in reached)
        self.parents = {commit: above for commit, above in self.parents.items() if commit in reached}


@pytest.mark.parametrize("seed", range(2))
def test_a_collection_removes_exactly_what_cannot_be_reached(memory, seed):
    # given a dataset, and a model of a random history
    chance = random.Random(seed)
    dataset = built(memory, [*add(memory, PACKS).values()])
    model = Model(memory)

    # when people work, delete branches and collect, then the model agrees each time
    for step in range(16):
        name, branch = chance.choice([top for top in sorted(model.tops) if not top[1].startswith("t")])
        work = chance.choice([model.commit, model.commit, model.branch, model.tag, model.delete, model.collect])
        work(name, branch, step)
    model.collect()

    # and everything that anything else names is whole
    assert memory.check() == []
    assert memory.versions.checkout(dataset).collect().height == dataset.sample_count
