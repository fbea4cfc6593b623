"""What is written about building datasets from approved packs, row by row: selection, eligibility, outcomes, reproduction, quality."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations, count
from typing import TYPE_CHECKING

import pytest

import labelkit
from labelkit import BuildRequest, LabelkitError
from labelkit.core.geometry import Box, Point
from labelkit.services.datasets.building.builder import ENFORCEMENT
from labelkit.workspace import Workspace, _made
from tests.services.packs import Pack, add, change
from tests.services.worlds import as_user, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from labelkit.services.datasets import BuildResult, Dataset

PLAYERS, BALLS = "player_detection", "ball_detection"
BOX = Box(10.0, 20.0, 30.0, 40.0)
NUMBERS = count()
BOTH = {0: [("player", BOX), ("ball", BOX)], 1: [("player", BOX)]}
GOOD = Pack("good", [("APPROVED", BOTH)], frames=2)
REVIEWED = GOOD.with_(media="reviewed", revisions=[("REVIEWED", BOTH)])
MANY = [GOOD.with_(media=f"m{n}", group=f"g{n}") for n in range(4)]


@dataclass
class World:
    """A workspace of ana, who is its owner and a developer, and what was arranged in it: packs by the name of their media."""

    ws: Workspace
    folder: Path
    setenv: Callable[[str, str], None]
    ids: dict[str, str] = field(default_factory=dict)
    made: BuildResult | None = None

    def have(self, *packs: Pack, home: Workspace | None = None) -> World:
        self.ids |= add(home or self.ws, packs)
        return self

    def other(self) -> Workspace:
        """Another workspace of the same store."""
        return workspace_of(self.ws)

    def plain(self) -> World:
        """Ana is no developer any more."""
        with self.ws._database.transaction() as tx:
            tx.workspaces.set_flags("ana", is_developer=False, is_support=False)
        return self

    def asked(self, *media: str, **more: object) -> BuildRequest:
        packs = [self.ids.get(name, name) for name in media] or list(self.ids.values())
        return BuildRequest(**{"capability": PLAYERS, "label_pack_ids": packs, "name": "players"} | more)

    def build(self, *media: str, **more: object) -> BuildResult:
        return self.ws.datasets.build(self.asked(*media, **more))

    def first(self, *media: str, **more: object) -> World:
        self.made = self.build(*media, **more)
        return self

    def reasons(self, result: BuildResult) -> dict[str, str]:
        """The excluded packs of a result by the name of their media."""
        names = {pack: name for name, pack in self.ids.items()}
        return {names.get(pack, pack): code for pack, code in result.excluded_label_pack_ids.items()}

    def excluded(self, **more: object) -> dict[str, str]:
        """What a build of everything, with one good pack in it, leaves out."""
        return self.reasons(self.have(GOOD).build(**more))

    def candidate(self, media: str) -> tuple[object, ...]:
        return next(row[1:] for row in self.candidates() if row[0] == media)

    def candidates(self) -> list[tuple[object, ...]]:
        """Every candidate of the workspace: media, whether it is included, and why not. Ana may read those of other workspaces too."""
        rows = self.ws.datasets.candidates(PLAYERS)
        return rows.filter(rows["workspace"] == self.ws.name).select("media", "included", "reason").rows()

    def revision(self, media: str):
        return self.ws.review.history(media, PLAYERS)[0]

    def eligible(self, media: str, state: str) -> None:
        revision = self.revision(media)
        self.ws.review.set_eligibility(revision.id, state, expected_version=revision.eligibility_version, reason="see")


def workspace_of(ws: Workspace) -> Workspace:
    """A new workspace in the store of this one, of which ana is the owner."""
    return Workspace(ws._database, _made(ws._database, f"club-{next(NUMBERS)}", "ana", create=True), "ana")


@dataclass(frozen=True)
class Row:
    """One thing that is promised: how it comes about, what is done, and what comes of it (a refusal counts as code and status)."""

    says: str
    arrange: Callable[[World], object]
    act: Callable[[World], object]
    gives: object


def told(call: Callable[[], object]) -> object:
    try:
        return call()
    except LabelkitError as refused:
        return refused.code, refused.status


def outcomes_while_building(world: World) -> tuple[str, ...]:
    seen: list[str] = []

    def look(_done: int, _all: int) -> None:
        again = world.build(name="another")
        seen.extend([again.outcome, again.build_status, str(world.ws.datasets.preflight(world.asked()).outcome)])

    made = world.ws.datasets.build(world.asked(), progress=look)
    return (*seen, made.outcome, made.build_status, str(world.build().dataset.id == made.dataset.id))


def written_by(world: World, call: Callable[[], object]) -> bool:
    """Whether a call changes any table, the audit trail too."""
    before = tables(world.ws, but=())
    call()
    return tables(world.ws, but=()) != before


def codes(quality) -> list[str]:
    return [one.code for one in quality.indicators]


def only(code: str, dataset: Dataset) -> tuple[str, bool]:
    """The code where it fired, and whether it is a hard fail."""
    (found,) = [one for one in dataset.quality.indicators if one.code == code]
    return found.code, found in dataset.quality.hard_fails


def same_as_first(world: World, **more: object) -> tuple[str, bool]:
    again = world.build(**more)
    return again.outcome, again.dataset.manifest_hash == world.made.dataset.manifest_hash


SELECTION = [
    Row("a request names its packs", World.have, lambda _: BuildRequest(capability=PLAYERS, name="x"), ("INVALID_VALUE", 400)),
    Row("a request that names none has nothing to build from", World.have, World.build, ("NO_ELIGIBLE_LABEL_DATA", 400)),
    *(
        Row(
            f"a selector by {name} is refused",
            lambda w: w.have(GOOD),
            lambda w, name=name: w.build(**{name: "x"}),
            ("FILTERS_NOT_SUPPORTED_V1", 400),
        )
        for name in (
            "filters",
            "filter",
            "query",
            "where",
            "media_ids",
            "group_key",
            "camera_type",
            "tags",
            "review_status",
            "workspace_id",
        )
    ),
    Row(
        "any other unknown field is an error too",
        lambda w: w.have(GOOD),
        lambda w: w.build(splits={"train": 1}),
        ("UNKNOWN_ARGUMENT", 400),
    ),
    Row(
        "candidates are the packs of one capability with what a build would do by default",
        lambda w: w.have(GOOD, REVIEWED, GOOD.with_(media="balls", capability=BALLS)),
        World.candidates,
        [("good", True, None), ("reviewed", False, "LABEL_PACK_NOT_APPROVED")],
    ),
    Row(
        "a preflight counts packs and groups and names what is left out",
        lambda w: w.have(*MANY, REVIEWED),
        lambda w: [(p.selected_count, p.group_count, w.reasons(p), p.ok) for p in [w.ws.datasets.preflight(w.asked())]],
        [(4, 4, {"reviewed": "LABEL_PACK_NOT_APPROVED"}, True)],
    ),
    Row(
        "a preflight makes no dataset",
        lambda w: w.have(*MANY),
        lambda w: written_by(w, lambda: w.ws.datasets.preflight(w.asked())),
        gives=False,
    ),
    Row(
        "a preflight says what would refuse the build",
        lambda w: w.have(REVIEWED),
        lambda w: [(one.code, one.blocking) for one in w.ws.datasets.preflight(w.asked()).issues if one.blocking],
        [("NO_ELIGIBLE_LABEL_DATA", True)],
    ),
    Row(
        "approved packs alone make no dataset",
        lambda w: w.have(REVIEWED).eligible("reviewed", "APPROVED"),
        lambda w: w.ws.datasets.list().height,
        0,
    ),
]

ELIGIBILITY = [
    Row("a pack that passes every check goes in", World.have, World.excluded, {}),
    Row(
        "its capability must be that of the dataset",
        lambda w: w.have(GOOD.with_(media="balls", capability=BALLS)),
        World.excluded,
        {"balls": "LABEL_PACK_CAPABILITY_MISMATCH"},
    ),
    *(
        Row(
            f"a pack that is {status} stays out",
            lambda w, status=status: w.have(GOOD.with_(media="it", review=status)),
            World.excluded,
            {"it": code},
        )
        for status, code in (
            ("pending", "LABEL_PACK_NOT_APPROVED"),
            ("rejected", "LABEL_PACK_NOT_APPROVED"),
            ("revoked", "LABEL_PACK_REVOKED"),
        )
    ),
    *(
        Row(
            f"a pack whose validation is {status} stays out",
            lambda w, status=status: w.have(GOOD.with_(media="it", validation=status)),
            World.excluded,
            {"it": "LABEL_PACK_VALIDATION_NOT_PASSED"},
        )
        for status in ("pending", "failed")
    ),
    Row(
        "the training-use policy of its workspace must allow it",
        lambda w: (home := w.other(), w.have(GOOD.with_(media="theirs"), home=home), home.set_training_policy("opted_out")),
        World.excluded,
        {"theirs": "WORKSPACE_TRAINING_OPT_OUT"},
    ),
    Row(
        "a workspace that opts in again is in again",
        lambda w: (
            home := w.other(),
            w.have(GOOD.with_(media="theirs"), home=home),
            home.set_training_policy("opted_out"),
            home.set_training_policy("allowed"),
        ),
        World.excluded,
        {},
    ),
    Row(
        "the caller must have access to the workspace of the pack",
        lambda w: (home := w.other(), w.have(GOOD.with_(media="theirs"), home=home), home.set_role("ana", None), w.plain()),
        World.excluded,
        {"theirs": "LABEL_PACK_ACCESS_DENIED"},
    ),
    Row(
        "a viewer of the other workspace has access",
        lambda w: (home := w.other(), w.have(GOOD.with_(media="theirs"), home=home), home.set_role("ana", "viewer"), w.plain()),
        World.excluded,
        {},
    ),
    Row(
        "a pack that does not exist is named",
        World.have,
        lambda w: w.reasons(w.have(GOOD).build("good", "lpk_nobody")),
        {"lpk_nobody": "LABEL_PACK_NOT_FOUND"},
    ),
    Row("a revision that is APPROVED goes in by default", lambda w: w.have(GOOD), lambda w: w.candidate("good"), (True, None)),
    Row("a revision that is REVIEWED does not", lambda w: w.have(REVIEWED), World.excluded, {"reviewed": "LABEL_PACK_NOT_APPROVED"}),
    Row("the override lets a developer include it", lambda w: w.have(REVIEWED), lambda w: w.excluded(include_reviewed_override=True), {}),
    Row(
        "the override is refused to anybody else, an owner too",
        lambda w: w.have(GOOD, REVIEWED).plain(),
        lambda w: w.build(include_reviewed_override=True),
        ("ELIGIBILITY_OVERRIDE_FORBIDDEN", 403),
    ),
    Row(
        "the override is refused even where it would change nothing",
        lambda w: w.have(GOOD).plain(),
        lambda w: w.build(include_reviewed_override=True),
        ("ELIGIBILITY_OVERRIDE_FORBIDDEN", 403),
    ),
    Row(
        "the override admits no revision that was revoked",
        lambda w: w.have(GOOD.with_(media="it", revisions=[("REVOKED", BOTH)])),
        lambda w: w.excluded(include_reviewed_override=True),
        {"it": "LABEL_PACK_REVOKED"},
    ),
    Row(
        "a reviewed revision that is approved for datasets goes in",
        lambda w: w.have(REVIEWED).eligible("reviewed", "APPROVED"),
        World.excluded,
        {},
    ),
    Row(
        "an approved revision that is revoked goes out",
        lambda w: w.have(GOOD.with_(media="it")).eligible("it", "REVOKED"),
        World.excluded,
        {"it": "LABEL_PACK_REVOKED"},
    ),
    Row(
        "the newest approved revision is taken",
        lambda w: w.have(GOOD.with_(revisions=[("APPROVED", {}), ("APPROVED", BOTH), ("REVIEWED", {})])),
        lambda w: w.build().dataset.why(w.ids["good"]).row["revision_number"],
        2,
    ),
    Row(
        "an approved pack without an approved revision stays out",
        lambda w: w.have(REVIEWED.with_(review="approved")),
        lambda w: w.candidate("reviewed"),
        (False, "LABEL_PACK_NOT_APPROVED"),
    ),
    Row(
        "an approved revision in a pack that is not approved stays out",
        lambda w: w.have(GOOD.with_(review="pending")),
        lambda w: w.candidate("good"),
        (False, "LABEL_PACK_NOT_APPROVED"),
    ),
    Row(
        "revoking the pack takes it out",
        lambda w: w.have(GOOD.with_(media="it")).ws.review.revoke_pack(w.ids["it"], reason="see"),
        World.excluded,
        {"it": "LABEL_PACK_REVOKED"},
    ),
    Row(
        "approving it again takes it in",
        lambda w: w.have(GOOD.with_(media="it", review="revoked")).ws.review.approve_pack(w.ids["it"], reason="see"),
        World.excluded,
        {},
    ),
    Row(
        "where no requested pack is eligible the build fails fast", lambda w: w.have(REVIEWED), World.build, ("NO_ELIGIBLE_LABEL_DATA", 400)
    ),
    Row("a build that fails fast leaves nothing", lambda w: w.have(REVIEWED), lambda w: (told(w.build), w.ws.datasets.list().height)[1], 0),
]

OUTCOMES = [
    Row(
        "a new selection is created",
        lambda w: w.have(*MANY),
        lambda w: [(r.outcome, r.build_status, r.dataset.version) for r in [w.build()]],
        [("created", "success", 1)],
    ),
    Row(
        "an equal build that runs is reused while it runs and afterwards",
        lambda w: w.have(GOOD),
        outcomes_while_building,
        ("reused_in_progress", "running", "reused_in_progress", "created", "success", "True"),
    ),
    Row("an equal dataset that is ready is reused", lambda w: w.have(*MANY).first(), same_as_first, ("reused_success", True)),
    Row(
        "a reused dataset is there whatever its name",
        lambda w: w.have(*MANY).first(),
        lambda w: w.build(name="other").dataset.id == w.made.dataset.id,
        gives=True,
    ),
    Row(
        "a preflight says that it would be reused",
        lambda w: w.have(*MANY).first(),
        lambda w: [(p.outcome, p.dataset_id == w.made.dataset.id) for p in [w.ws.datasets.preflight(w.asked())]],
        [("reused_success", True)],
    ),
    Row(
        "included packs are listed in order, each once",
        lambda w: w.have(*MANY),
        lambda w: (w.build("m3", "m0", "m0", "m2", "m1").included_label_pack_ids) == sorted(w.ids.values()),
        gives=True,
    ),
    Row(
        "excluded packs are listed in order with their reasons",
        lambda w: w.have(GOOD, REVIEWED),
        lambda w: (
            list(w.build("reviewed", "lpk_z", "good", "lpk_a").excluded_label_pack_ids.items())
            == sorted(
                {w.ids["reviewed"]: "LABEL_PACK_NOT_APPROVED", "lpk_z": "LABEL_PACK_NOT_FOUND", "lpk_a": "LABEL_PACK_NOT_FOUND"}.items()
            )
        ),
        gives=True,
    ),
    Row(
        "a build has an id that can be waited for",
        lambda w: w.have(*MANY).first(),
        lambda w: w.ws.datasets.wait(w.made.build_id).dataset.id == w.made.dataset.id,
        gives=True,
    ),
]

REPRODUCTION = [
    Row(
        "the order of packs makes no difference",
        lambda w: w.have(*MANY).first(),
        lambda w: w.build("m3", "m1", "m0", "m2").dataset.id == w.made.dataset.id,
        gives=True,
    ),
    Row(
        "name and description make no difference",
        lambda w: w.have(*MANY).first(),
        lambda w: same_as_first(w, name="n", description="d"),
        ("reused_success", True),
    ),
    Row(
        "a pack that would be left out anyway makes no difference",
        lambda w: w.have(*MANY).first("m0", "m1", "m2", "m3").have(REVIEWED),
        same_as_first,
        ("reused_success", True),
    ),
    Row(
        "force makes a new build of the same content",
        lambda w: w.have(*MANY).first(),
        lambda w: same_as_first(w, force=True),
        ("created", True),
    ),
    Row(
        "force makes a build and a version of its own",
        lambda w: w.have(*MANY).first(),
        lambda w: [(r.build_id != w.made.build_id, r.dataset.version) for r in [w.build(force=True)]],
        [(True, 2)],
    ),
    Row(
        "after force the first one is still what is reused",
        lambda w: (w.have(*MANY).first(), w.build(force=True)),
        lambda w: w.build().dataset.id == w.made.dataset.id,
        gives=True,
    ),
    Row("other sources make a new build", lambda w: w.have(*MANY).first(), lambda w: w.build("m0", "m1").outcome, "created"),
    Row(
        "a new revision of a source makes a new build",
        lambda w: w.have(*MANY).first(),
        lambda w: (change(w.ws, "UPDATE revisions SET content_hash = 'other' WHERE pack_id = $p", p=w.ids["m0"]), w.build().outcome)[1],
        "created",
    ),
    Row("another seed makes a new build", lambda w: w.have(*MANY).first(), lambda w: w.build(seed=1, name="n").outcome, "created"),
    Row(
        "other ratios make a new build",
        lambda w: w.have(*MANY).first(),
        lambda w: w.build(ratios={"train": 0.5, "test": 0.5}, name="n").outcome,
        "created",
    ),
    Row(
        "another split policy makes a new build",
        lambda w: w.have(*MANY).first(),
        lambda w: w.build(split_strategy="group_ratio", name="n").outcome,
        "created",
    ),
    Row(
        "other options make a new build", lambda w: w.have(*MANY).first(), lambda w: w.build(min_annotations=1, name="n").outcome, "created"
    ),
    Row(
        "the reuse fingerprint knows what decides the content alone",
        lambda w: w.have(*MANY).first(),
        lambda w: w.build(force=True, description="d").dataset.reuse_fingerprint == w.made.dataset.reuse_fingerprint,
        gives=True,
    ),
    Row(
        "the build fingerprint knows the whole request",
        lambda w: w.have(*MANY).first(),
        lambda w: w.build(force=True, description="d").dataset.build_fingerprint == w.made.dataset.build_fingerprint,
        gives=False,
    ),
    Row(
        "fingerprints are kept",
        lambda w: w.have(*MANY).first(),
        lambda w: [
            (d.reuse_fingerprint, d.build_fingerprint) == (w.made.dataset.reuse_fingerprint, w.made.dataset.build_fingerprint)
            for d in [w.ws.datasets.get(w.made.dataset.id)]
        ],
        [True],
    ),
]

OUTSIDE = {0: [("player", Box(1270.0, 0.0, 30.0, 40.0))]}
WELL = [
    GOOD.with_(
        media=f"w{n}", group=f"g{n}", frames=40, revisions=[("APPROVED", {index: [("player", BOX), ("ball", BOX)] for index in range(40)})]
    )
    for n in range(3)
]
CROWD = GOOD.with_(media="crowd", revisions=[("APPROVED", {0: [("player", BOX)] * 21 + [("ball", BOX)]})])
HATS = GOOD.with_(media="hats", capability="hats", revisions=[("APPROVED", {0: [("hat", BOX)]})])

QUALITY = [
    Row(
        "LOW_SAMPLE_COUNT warns",
        lambda w: w.have(*MANY),
        lambda w: only("LOW_SAMPLE_COUNT", w.build().dataset),
        ("LOW_SAMPLE_COUNT", False),
    ),
    Row("LOW_GROUP_COUNT warns", lambda w: w.have(GOOD), lambda w: only("LOW_GROUP_COUNT", w.build().dataset), ("LOW_GROUP_COUNT", False)),
    Row(
        "HIGH_EMPTY_LABEL_RATE warns",
        lambda w: w.have(GOOD.with_(frames=4)),
        lambda w: only("HIGH_EMPTY_LABEL_RATE", w.build().dataset),
        ("HIGH_EMPTY_LABEL_RATE", False),
    ),
    Row(
        "LOW_LABEL_COVERAGE warns",
        lambda w: w.have(GOOD.with_(frames=4)),
        lambda w: only("LOW_LABEL_COVERAGE", w.build(min_annotations=1).dataset),
        ("LOW_LABEL_COVERAGE", False),
    ),
    Row("CLASS_IMBALANCE warns", lambda w: w.have(CROWD), lambda w: only("CLASS_IMBALANCE", w.build().dataset), ("CLASS_IMBALANCE", False)),
    Row(
        "MATERIALIZATION_PARTIAL warns",
        lambda w: w.have(GOOD),
        lambda w: only("MATERIALIZATION_PARTIAL", w.build(materialization="copy", materialize_to=str(w.folder)).dataset),
        ("MATERIALIZATION_PARTIAL", False),
    ),
    Row(
        "MISSING_MATERIALIZED_ASSETS fails",
        lambda w: w.have(GOOD),
        lambda w: only("MISSING_MATERIALIZED_ASSETS", w.build(materialization="copy", materialize_to=str(w.folder)).dataset),
        ("MISSING_MATERIALIZED_ASSETS", True),
    ),
    Row(
        "INVALID_LABEL_SCHEMA fails on a class that does not exist",
        lambda w: w.have(GOOD.with_(revisions=[("APPROVED", {0: [("hat", BOX)]})])),
        lambda w: only("INVALID_LABEL_SCHEMA", w.build().dataset),
        ("INVALID_LABEL_SCHEMA", True),
    ),
    Row(
        "INVALID_GEOMETRY fails on a box beyond its frame",
        lambda w: w.have(GOOD.with_(revisions=[("APPROVED", OUTSIDE)])),
        lambda w: only("INVALID_GEOMETRY", w.build().dataset),
        ("INVALID_GEOMETRY", True),
    ),
    Row(
        "balls are judged by policy v1 too",
        lambda w: w.have(GOOD.with_(capability=BALLS, revisions=[("APPROVED", {0: [("ball", Point(5.0, 6.0))]})])),
        lambda w: w.build(capability=BALLS).dataset.quality.policy_version,
        "v1",
    ),
    Row("a good dataset passes", lambda w: w.have(*WELL), lambda w: w.build().dataset.quality.badge, "Pass"),
    Row("the badge counts warnings", lambda w: w.have(GOOD), lambda w: w.build().dataset.quality.badge, "Warnings (2)"),
    Row(
        "the badge counts hard fails before warnings",
        lambda w: w.have(GOOD.with_(revisions=[("APPROVED", OUTSIDE)])),
        lambda w: w.build().dataset.quality.badge,
        "Hard fail (1)",
    ),
    Row(
        "a list shows the same badge", lambda w: w.have(GOOD).first(), lambda w: w.ws.datasets.list()["quality"].to_list(), ["Warnings (2)"]
    ),
    Row(
        "indicators come hard fails first and then by code",
        lambda w: w.have(GOOD.with_(revisions=[("APPROVED", OUTSIDE)])),
        lambda w: codes(w.build().dataset.quality),
        ["INVALID_GEOMETRY", "HIGH_EMPTY_LABEL_RATE", "LOW_GROUP_COUNT", "LOW_SAMPLE_COUNT"],
    ),
    Row(
        "the version of the policy is kept with the evaluation",
        lambda w: w.have(GOOD).first(),
        lambda w: w.ws.datasets.get(w.made.dataset.id).quality.policy_version,
        "v1",
    ),
    Row(
        "a capability without a policy is not evaluated",
        lambda w: (w.ws.capabilities.add("hats", geometry="box", classes=["hat"]), w.have(HATS)),
        lambda w: w.build(capability="hats").dataset.quality.badge,
        "Not evaluated",
    ),
    Row(
        "a dataset from before there was a policy is not evaluated",
        lambda w: (w.have(GOOD).first(), change(w.ws, "DELETE FROM build_quality")),
        lambda w: w.ws.datasets.get(w.made.dataset.id).quality.badge,
        "Not evaluated",
    ),
]

BAD = GOOD.with_(media="bad", revisions=[("APPROVED", OUTSIDE)])


def failed_build(world: World) -> tuple[object, ...]:
    failed = (told(world.build), world.ws.datasets.get("players"))[1]
    return failed.status, failed.failure, failed.version, failed.quality.badge, [one.code for one in failed.quality.hard_fails]


ENFORCED = [
    Row(
        "without the flag a dataset with hard fails is made",
        lambda w: w.have(BAD),
        lambda w: [(r.outcome, r.dataset.quality.badge) for r in [w.build()]],
        [("created", "Hard fail (1)")],
    ),
    *(
        Row(
            f"the flag {value!r} lets it be made",
            lambda w, value=value: (w.setenv(ENFORCEMENT, value), w.have(BAD)),
            lambda w: w.build().outcome,
            "created",
        )
        for value in ("false", "0", "")
    ),
    *(
        Row(
            f"the flag {value!r} fails the build",
            lambda w, value=value: (w.setenv(ENFORCEMENT, value), w.have(BAD)),
            World.build,
            ("DATASET_QUALITY_HARD_FAIL", 422),
        )
        for value in ("true", "TRUE", "1")
    ),
    Row(
        "the request fails the build without the flag",
        lambda w: w.have(BAD),
        lambda w: w.build(enforce_quality=True),
        ("DATASET_QUALITY_HARD_FAIL", 422),
    ),
    Row(
        "the request goes before the flag",
        lambda w: (w.setenv(ENFORCEMENT, "true"), w.have(BAD)),
        lambda w: w.build(enforce_quality=False).outcome,
        "created",
    ),
    Row(
        "a build that failed by its quality keeps the summary",
        lambda w: (w.setenv(ENFORCEMENT, "true"), w.have(BAD)),
        failed_build,
        ("failed", "DATASET_QUALITY_HARD_FAIL", None, "Hard fail (1)", ["INVALID_GEOMETRY"]),
    ),
    Row(
        "warnings never fail a build",
        lambda w: (w.setenv(ENFORCEMENT, "true"), w.have(GOOD)),
        lambda w: [(r.outcome, r.dataset.quality.badge) for r in [w.build()]],
        [("created", "Warnings (2)")],
    ),
    Row(
        "quality is evaluated whether it is enforced or not",
        lambda w: w.have(GOOD),
        lambda w: len(w.build(enforce_quality=False).dataset.quality.checks),
        10,
    ),
]

TABLE = [*SELECTION, *ELIGIBILITY, *OUTCOMES, *REPRODUCTION, *QUALITY, *ENFORCED]


@pytest.fixture(scope="module")
def store() -> Iterator[Workspace]:
    """One store for all rows: each has a workspace of its own in it, which costs less than a new store."""
    with labelkit.open(":memory:", workspace="first", user="ana") as ws:
        yield ws


@pytest.fixture
def world(store, tmp_path, monkeypatch):
    monkeypatch.delenv(ENFORCEMENT, raising=False)
    with store._database.transaction() as tx:
        tx.workspaces.set_flags("ana", is_developer=True, is_support=False)
    return World(workspace_of(store), tmp_path / "files", monkeypatch.setenv)


@pytest.mark.parametrize("row", TABLE, ids=[row.says for row in TABLE])
def test_the_document_is_kept(world, row):
    # given
    row.arrange(world)

    # when, then
    assert told(lambda: row.act(world)) == row.gives


# --- the order of reasons

# What is wrong with a pack, by the reason that it gives alone, in the order in which reasons are looked for.
WRONG: dict[str, list[dict[str, object]]] = {
    "LABEL_PACK_ACCESS_DENIED": [{"home": "closed"}],
    "WORKSPACE_TRAINING_OPT_OUT": [{"home": "opted out"}],
    "LABEL_PACK_CAPABILITY_MISMATCH": [{"capability": BALLS}],
    "LABEL_PACK_REVOKED": [{"review": "revoked"}, {"revisions": [("REVOKED", BOTH)]}],
    "LABEL_PACK_NOT_APPROVED": [{"review": "pending"}, {"review": "rejected"}, {"revisions": [("REVIEWED", BOTH)]}],
    "LABEL_PACK_VALIDATION_NOT_PASSED": [{"validation": "failed"}, {"validation": "pending"}],
}


def pairs() -> dict[str, tuple[str, dict[str, object]]]:
    """Packs with one thing wrong and with two things that can be wrong at once, and the reason that must be given, by name."""
    found = {}
    ways = [(code, way) for code, all_ways in WRONG.items() for way in all_ways]
    for (code, one), (later, other) in [*((way, way) for way in ways), *combinations(ways, 2)]:
        both = one | other
        if one.get("home") and other.get("home") and one != other:
            both["home"] = "closed and opted out"
        elif any(one[name] != other[name] for name in one.keys() & other.keys()):
            continue  # one thing cannot be in two states
        found[f"{code} before {later}, {len(found)}" if one != other else f"{code} alone, {len(found)}"] = (code, both)
    return found


PAIRS = pairs()


@pytest.fixture(scope="module")
def given_reasons(store) -> dict[str, str]:
    """The reason that one build of all of them gives for each, asked for by somebody who is no developer."""
    ws = workspace_of(store)
    homes = {"": ws}
    for name in ("closed", "opted out", "closed and opted out"):
        homes[name] = workspace_of(store)
        homes[name].set_role("cal", None if "closed" in name else "viewer")
        homes[name].set_training_policy("opted_out" if "opted out" in name else "allowed")
    ids: dict[str, str] = {}
    for home, where in homes.items():
        wanted = {
            name: {k: v for k, v in wrong.items() if k != "home"} for name, (_, wrong) in PAIRS.items() if wrong.get("home", "") == home
        }
        ids |= add(where, [GOOD.with_(media=name, **wrong) for name, wrong in wanted.items()])
    ids |= add(ws, [GOOD])
    asked = BuildRequest(capability=PLAYERS, label_pack_ids=list(ids.values()), name="players")
    result = as_user(ws, "cal", "reviewer").datasets.build(asked)
    assert result.included_label_pack_ids == [ids["good"]]
    return {name: result.excluded_label_pack_ids[ids[name]] for name in PAIRS}


@pytest.mark.parametrize("name", PAIRS)
def test_of_two_reasons_the_earlier_one_is_given(given_reasons, name):
    assert given_reasons[name] == PAIRS[name][0]


def test_every_two_reasons_that_can_hold_at_once_are_in_the_table():
    seen = {tuple(name.split(", ")[0].split(" before ")) for name in PAIRS if " before " in name}
    assert set(combinations(WRONG, 2)) <= seen
