"""Packs, revisions, workspaces and people in any order of steps, and builds from them, against a model in plain Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

import labelkit
from labelkit import BuildRequest, LabelkitError, workspace
from labelkit.core.actors import Action, Actor
from labelkit.core.datasets import eligibility
from labelkit.core.geometry import Box
from labelkit.store.ids import new_id
from labelkit.store.review.content import Content, rows_of
from labelkit.workspace import Workspace
from tests.services.packs import NO_DIFF, PROVENANCE, Pack, add, frame

PLAYERS, BALLS = "player_detection", "ball_detection"
BOX = Box(10.0, 20.0, 30.0, 40.0)
FRAMES = 2
# The contents that are published, by number: labels by frame. The first has none.
CONTENTS = ({}, {0: [("player", BOX)]}, {0: [("player", BOX)], 1: [("referee", BOX), ("player", BOX)]})
RATIOS = {"train": 0.5, "test": 0.5}
NUMBERS = count()
CONTENT = st.integers(0, len(CONTENTS) - 1)

# The lifecycles, written down once more.
PACK_STEPS = {
    ("pending", "approve"): "approved",
    ("rejected", "approve"): "approved",
    ("revoked", "approve"): "approved",
    ("pending", "reject"): "rejected",
    ("approved", "revoke"): "revoked",
}
ELIGIBILITY_STEPS = {("REVIEWED", "APPROVED"), ("REVOKED", "APPROVED"), ("APPROVED", "REVOKED")}


@cache
def store() -> Workspace:
    """One store for all examples: each makes workspaces of its own in it, which costs less than a new store."""
    return labelkit.open(":memory:", workspace="first", user="ana")


@cache
def published(number: int) -> tuple[Content, str]:
    """A content and its object, the same for every pack."""
    content = Content(rows_of([frame(index, CONTENTS[number].get(index, [])) for index in range(FRAMES)]))
    return content, store()._database.objects.put_frame(content.rows)


@dataclass
class ModelRevision:
    id: str
    content: int
    state: str
    version: int = 1


@dataclass
class ModelPack:
    """What the model knows of a pack; its revisions oldest first."""

    id: str
    home: str
    media: str
    group: str
    capability: str
    review: str
    validation: str
    revisions: list[ModelRevision] = field(default_factory=list)


@dataclass
class ModelDataset:
    """What a build that was made must stay: its rows, its hash, and what it says it was made from."""

    name: str
    version: int
    rows: object
    manifest: str
    included: dict[str, str]
    excluded: dict[str, str]


class Builds(RuleBasedStateMachine):
    """Ana rules two workspaces, `a` and `b`. Cal builds in `a`, from packs of both."""

    @initialize(packs=st.lists(st.sampled_from("ab"), min_size=1, max_size=3), is_developer=st.booleans())
    def begin(self, packs, is_developer) -> None:
        ana, self.number = store(), next(NUMBERS)
        self.database = ana._database
        rows = {home: workspace._made(self.database, f"{home}{self.number}", "ana", create=True) for home in "ab"}
        self.admin = {home: Workspace(self.database, row, "ana") for home, row in rows.items()}
        self.user = f"cal{self.number}"
        self.cal = Workspace(self.database, rows["a"], self.user)
        self.expected = {home: [("ana", "WORKSPACE_CREATED", True)] for home in "ab"}
        self.roles: dict[str, str | None] = {"a": None, "b": None}
        self.open_to_training = dict.fromkeys("ab", True)
        self.set_flag(is_developer=is_developer)
        self.packs: dict[str, ModelPack] = {}
        self.placed: dict[str, dict[str, str]] = {"x": {}, "y": {}}
        self.heads: dict[object, str] = {}
        self.datasets: dict[str, ModelDataset] = {}
        self.change_role("a", "reviewer")
        for place, home in enumerate(packs):
            self.add_pack(ModelPack("", home, f"m{place}", f"g{place}", PLAYERS, "approved", "passed"), 1, "APPROVED")

    def teardown(self) -> None:
        """Look at every dataset once more at the end, and at the whole audit trail."""
        if not hasattr(self, "datasets"):
            return
        for version, made in self.datasets.items():
            now = self.admin["a"].datasets.get(version)
            assert (now.name, now.version, now.status, now.manifest_hash) == (made.name, made.version, "success", made.manifest)
            assert now.to_polars().equals(made.rows), "a dataset has changed"
            assert {v.pack_id: v.revision.id for v in now.lineage.included if v.revision} == made.included
            assert {v.pack_id: str(v.reason) for v in now.lineage.excluded} == made.excluded
        for home, rows in self.expected.items():
            trail = self.admin[home].audit(limit=100_000).reverse().select("actor", "code", "allowed").rows()
            assert trail == rows, home

    # --- the model

    def newest(self, pack: ModelPack, *, override: bool) -> ModelRevision | None:
        accepted = ("APPROVED", "REVIEWED") if override else ("APPROVED",)
        return next((one for one in reversed(pack.revisions) if one.state in accepted), None)

    def reason(self, id_: str, *, override: bool) -> str | None:
        """Why a pack stays out."""
        pack = self.packs.get(id_)
        if pack is None:
            return "LABEL_PACK_NOT_FOUND"
        newest = self.newest(pack, override=override)
        in_order = {
            "LABEL_PACK_ACCESS_DENIED": self.roles[pack.home] is None and not self.is_developer,
            "WORKSPACE_TRAINING_OPT_OUT": not self.open_to_training[pack.home],
            "LABEL_PACK_CAPABILITY_MISMATCH": pack.capability != PLAYERS,
            "LABEL_PACK_REVOKED": pack.review == "revoked" or (newest is None and any(one.state == "REVOKED" for one in pack.revisions)),
            "LABEL_PACK_NOT_APPROVED": pack.review != "approved" or newest is None,
            "LABEL_PACK_VALIDATION_NOT_PASSED": pack.validation != "passed",
        }
        return next((code for code, applies in in_order.items() if applies), None)

    def keys(self, pack: ModelPack, revision: ModelRevision, least: int) -> set[str]:
        """The samples that a pack gives."""
        frames = [index for index in range(FRAMES) if len(CONTENTS[revision.content].get(index, [])) >= least]
        return {f"{pack.home}{self.number}/{pack.media}/{index:06d}" for index in frames}

    def refusal(self, included: dict[str, ModelRevision], samples: set[str], *, override: bool) -> str:
        """What a build would be refused by; nothing where it goes ahead."""
        if self.roles["a"] != "reviewer":
            return "PERMISSION_DENIED"
        if override and not self.is_developer:
            return "ELIGIBILITY_OVERRIDE_FORBIDDEN"
        if not samples:
            return "NO_ELIGIBLE_LABEL_DATA"
        media = Counter((self.packs[id_].home, self.packs[id_].media) for id_ in included)
        return "LABEL_PACKS_OVERLAP" if max(media.values()) > 1 else ""

    def pack(self, data) -> ModelPack:
        return list(self.packs.values())[data.draw(st.integers(0, len(self.packs) - 1))]

    def expect(self, home: str, actor: str, codes: list[str], call, *, refused: str = "") -> object:
        """Run a call that leaves audit rows of these codes, or is refused and leaves that."""
        self.expected[home] += [(actor, code, code not in (refused, "")) for code in codes]
        if not refused:
            return call()
        with pytest.raises(LabelkitError) as error:
            call()
        assert error.value.code == refused
        return None

    # --- packs and revisions

    @rule(
        data=st.data(),
        home=st.sampled_from("ab"),
        group=st.sampled_from(["g0", "g1", "g2", "g3"]),
        capability=st.sampled_from([PLAYERS, PLAYERS, PLAYERS, BALLS]),
        validation=st.sampled_from(["passed", "passed", "failed", "pending"]),
        state=st.sampled_from(["REVIEWED", "APPROVED", "APPROVED"]),
        review=st.sampled_from(["pending", "approved", "approved"]),
    )
    def a_media_with_a_pack_comes(self, data, home, group, capability, validation, state, review) -> None:
        self.add_pack(ModelPack("", home, f"m{len(self.packs)}", group, capability, review, validation), data.draw(CONTENT), state)
        self.look(data)

    @rule(data=st.data())
    def a_second_pack_of_a_media_comes(self, data) -> None:
        self.add_pack(replace(self.pack(data), review="approved", validation="passed", revisions=[]), data.draw(CONTENT), "APPROVED")
        self.look(data)

    def add_pack(self, pack: ModelPack, content: int, state: str) -> None:
        made = Pack(pack.media, [], FRAMES, group=pack.group, capability=pack.capability, review=pack.review, validation=pack.validation)
        (pack.id,) = add(self.admin[pack.home], [made]).values()
        self.packs[pack.id] = pack
        self.write_revision(pack, content, state)

    @rule(data=st.data(), times=st.sampled_from([1, 1, 2]))
    def somebody_publishes(self, data, times) -> None:
        pack = self.pack(data)
        for _ in range(times):
            self.write_revision(pack, data.draw(CONTENT), "REVIEWED")
        self.look(data)

    def write_revision(self, pack: ModelPack, content: int, state: str) -> None:
        """Write a revision as a publish does."""
        rows, digest = published(content)
        id_ = new_id("rev")
        with self.database.transaction() as tx:
            counts = {"frame_count": FRAMES, "labeled_frame_count": rows.labeled_frame_count, "annotation_count": rows.annotation_count}
            named = {"id": id_, "pack_id": pack.id, "number": len(pack.revisions) + 1, "content_object": digest, **counts}
            tx.insert(
                "revisions",
                [
                    named
                    | {
                        "content_hash": rows.hash(pack.capability),
                        "provenance": PROVENANCE,
                        "diff": NO_DIFF,
                        "created_at": tx.now,
                    }
                ],
            )
            tx.insert("revision_classes", [one | {"revision_id": id_} for one in rows.class_counts().to_dicts()])
            tx.insert("eligibility", [{"revision_id": id_, "state": state, "version": 1}])
        pack.revisions.append(ModelRevision(id_, content, state))

    @rule(data=st.data(), legal=st.sampled_from([True, True, False]))
    def somebody_decides_on_a_pack(self, data, legal) -> None:
        pack = self.pack(data)
        step = data.draw(st.sampled_from([step for before, step in PACK_STEPS if before == pack.review or not legal]))
        after = PACK_STEPS.get((pack.review, step))
        code = "ILLEGAL_STEP" if after is None else "LABEL_PACK_NOT_APPROVED" if step == "approve" and pack.validation != "passed" else ""
        review = self.admin[pack.home].review
        call = {"approve": review.approve_pack, "reject": review.reject_pack, "revoke": review.revoke_pack}[step]
        self.expect(pack.home, "ana", [code or f"PACK_{after.upper()}"], lambda: call(pack.id, reason="see"), refused=code)
        pack.review = pack.review if code else after
        self.look(data)

    @rule(data=st.data(), legal=st.sampled_from([True, True, True, False]), stale=st.sampled_from([0, 0, 0, 1]))
    def somebody_decides_on_a_revision(self, data, legal, stale) -> None:
        pack = self.pack(data)
        revision = pack.revisions[data.draw(st.integers(-len(pack.revisions), -1))]
        state = "REVOKED" if (revision.state == "APPROVED") is legal else "APPROVED"
        code = (
            "ELIGIBILITY_VERSION_CONFLICT"
            if stale
            else "ILLEGAL_STEP"
            if (revision.state, state) not in ELIGIBILITY_STEPS
            else "REVISION_NOT_ELIGIBLE"
            if state == "APPROVED" and (pack.review, pack.validation) != ("approved", "passed")
            else ""
        )
        version = revision.version + stale
        review = self.admin[pack.home].review
        call = lambda: review.set_eligibility(revision.id, state, expected_version=version, reason="see")  # noqa: E731 - it is short
        self.expect(pack.home, "ana", [code or "ELIGIBILITY_SET"], call, refused=code)
        if not code:
            revision.state, revision.version = state, version + 1
        self.look(data)

    # --- workspaces and people

    @rule(data=st.data(), home=st.sampled_from("ab"))
    def a_workspace_opts_out_or_in(self, data, home) -> None:
        is_open = not self.open_to_training[home]
        policy = "allowed" if is_open else "opted_out"
        self.expect(home, "ana", ["TRAINING_POLICY_SET"], lambda: self.admin[home].set_training_policy(policy))
        self.open_to_training[home] = is_open
        self.look(data)

    @rule(data=st.data(), home=st.sampled_from("abbbb"))
    def cal_gets_another_role(self, data, home) -> None:
        roles = ("reviewer", "annotator") if home == "a" else ("viewer", None, "owner")
        self.change_role(home, roles[(roles.index(self.roles[home]) + 1) % len(roles)])
        self.look(data)

    def change_role(self, home: str, role: str | None) -> None:
        self.expect(home, "ana", ["ROLE_SET"], lambda: self.admin[home].set_role(self.user, role))
        self.roles[home] = role

    @rule(data=st.data())
    def cal_becomes_a_developer_or_none(self, data) -> None:
        self.set_flag(is_developer=not self.is_developer)
        self.look(data, override=data.draw(st.booleans()))

    def set_flag(self, *, is_developer: bool) -> None:
        with self.database.transaction() as tx:
            tx.workspaces.set_flags(self.user, is_developer=is_developer, is_support=False)
        self.is_developer = is_developer

    # --- builds

    @rule(data=st.data(), least=st.sampled_from([0, 1]), override=st.booleans(), force=st.booleans())
    def cal_builds_from_some(self, data, least, override, force) -> None:
        known = ["lpk_nobody", *self.packs]
        chosen = [known[place] for place in data.draw(st.lists(st.integers(0, len(known) - 1), min_size=1, max_size=6))]
        self.build(chosen, data.draw(st.sampled_from("xy")), least, override=override, force=force)

    def look(self, data, *, override: bool | None = None) -> None:
        """Build from every pack but those that would stop it, after each change: it must be seen at once."""
        override = self.is_developer and data.draw(st.booleans()) if override is None else override
        of_media: dict[tuple[str, str], str] = {}
        for id_, pack in self.packs.items():
            if (pack.home, pack.media) not in of_media or self.reason(id_, override=override) is None:
                of_media[pack.home, pack.media] = id_
        self.build([*of_media.values()], "x", 0, override=override, force=data.draw(st.integers(0, 5)) == 5)

    def build(self, chosen: list[str], name: str, least: int, *, override: bool, force: bool) -> None:
        granted = override and self.is_developer
        reasons = {id_: self.reason(id_, override=granted) for id_ in sorted(set(chosen))}
        included = {id_: self.newest(self.packs[id_], override=granted) for id_, reason in reasons.items() if reason is None}
        excluded = {id_: reason for id_, reason in reasons.items() if reason is not None}
        samples = {key for id_, revision in included.items() for key in self.keys(self.packs[id_], revision, least)}
        groups = {self.packs[id_].group for id_, revision in included.items() if self.keys(self.packs[id_], revision, least)}
        asked = BuildRequest(
            capability=PLAYERS,
            label_pack_ids=chosen,
            name=name,
            ratios=RATIOS,
            min_annotations=least,
            include_reviewed_override=override,
            force=force,
        )
        code = self.refusal(included, samples, override=override)
        if code:
            codes = [code, code] if code == "ELIGIBILITY_OVERRIDE_FORBIDDEN" else [code]
            self.expect("a", self.user, codes, lambda: self.cal.datasets.build(asked), refused=code)
            return
        placement = self.placement(asked, name, groups)
        identity = (frozenset((id_, one.content) for id_, one in included.items()), least, tuple(sorted(placement.items())))
        head = None if force else self.heads.get(identity)
        codes = [*(["ELIGIBILITY_OVERRIDE"] if override else []), *(["reused_success"] if head else ["created", "BUILD_SUCCEEDED"])]
        result = self.expect("a", self.user, codes, lambda: self.cal.datasets.build(asked))

        assert (result.outcome, result.build_status) == ("reused_success" if head else "created", "success")
        assert result.included_label_pack_ids == sorted(included)
        assert result.excluded_label_pack_ids == excluded
        assert list(result.excluded_label_pack_ids) == sorted(excluded)
        if head:
            assert result.dataset.id == head
            return
        rows = result.dataset.to_polars()
        assert set(rows["sample_key"]) == samples
        assert set(rows.select("group_key", "split").unique().rows()) == set(placement.items())
        self.placed[name] |= placement
        version = 1 + sum(one.name == name for one in self.datasets.values())
        assert (result.dataset.name, result.dataset.version) == (name, version)
        revisions = {id_: one.id for id_, one in included.items()}
        self.datasets[result.dataset.id] = ModelDataset(name, version, rows, result.dataset.manifest_hash, revisions, excluded)
        if not force:
            self.heads[identity] = result.dataset.id

    def placement(self, asked: BuildRequest, name: str, groups: set[str]) -> dict[str, str]:
        """The split of each group: where it was placed before, and for new ones what the preflight says."""
        known = {group: split for group, split in self.placed[name].items() if group in groups}
        if known.keys() == groups:
            return known
        said = dict(self.cal.datasets.preflight(asked).plan.placement)
        assert said.keys() == groups
        assert set(said.values()) <= set(RATIOS)
        return said | known  # growth moves no group


SETTINGS = settings(max_examples=9, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
TestBuilds = Builds.TestCase
TestBuilds.settings = SETTINGS


# --- that it would find out

RULES = dict(eligibility.RULES)
MAY = Actor.may


def swapped(one: str, other: str):
    """The rules of exclusion with two of them in each other's place."""
    order = [{one: other, other: one}.get(str(reason), str(reason)) for reason in RULES]
    return tuple((eligibility.ExclusionReason(code), RULES[eligibility.ExclusionReason(code)]) for code in order)


# Those that are found within a few examples.
BROKEN = {
    "two reasons in the wrong order": (
        "labelkit.core.datasets.eligibility.RULES",
        swapped("LABEL_PACK_REVOKED", "LABEL_PACK_NOT_APPROVED"),
    ),
    "anybody reads any workspace": (
        "labelkit.core.actors.Actor.may",
        lambda who, what, where: what == Action.READ or MAY(who, what, where),
    ),
    "a group moves when the dataset grows": ("labelkit.store.datasets.rows.DatasetRows.placements", lambda *_: {}),
    "every request is built anew": ("labelkit.services.datasets.building.builder.reusable", lambda *_: None),
    "a deny leaves no trace": ("labelkit.store.acting.Gate.deny", lambda *_: None),
}


@pytest.mark.slow
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_rule_that_is_broken_is_found_out(monkeypatch, broken):
    monkeypatch.setattr(*broken)
    until_found = settings(SETTINGS, max_examples=60, phases=[Phase.generate], derandomize=True, database=None)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run_state_machine_as_test(Builds, settings=until_found)
