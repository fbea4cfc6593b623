"""What preflight and build share: load the facts in one consistent view, decide outside any lock, look for an equal build."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from labelkit.core.actors import Action
from labelkit.core.datasets.builds import BuildStatus
from labelkit.core.datasets.eligibility import Policy, judge
from labelkit.core.datasets.near_duplicates import NO_EVIDENCE, Evidence
from labelkit.core.datasets.plans import BuildPlan, make_plan
from labelkit.core.datasets.quality import POLICY
from labelkit.core.datasets.splits import SplitStrategy
from labelkit.services.datasets.building import promised
from labelkit.store.datasets.samples import grouped, is_counted

if TYPE_CHECKING:
    from labelkit.core.actors import Actor
    from labelkit.core.datasets.builds import BuildRequest
    from labelkit.core.datasets.eligibility import Verdict
    from labelkit.core.datasets.fingerprint import Fingerprint
    from labelkit.core.datasets.quality import QualityPolicy
    from labelkit.core.review.annotations import Capability
    from labelkit.store.database import Database
    from labelkit.store.datasets.rows import BuildRow
    from labelkit.store.transaction import Transaction

RECIPE_DIGEST = "LABELKIT_RECIPE_DIGEST"  # what a recipe's kernel is told: the digest of the recipe, and the run that it is
RUN = "LABELKIT_RUN"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a plan is made of, as it was at one moment; `class_counts` of counted packs and `placed` by group."""

    request: BuildRequest
    actor: Actor
    workspace: str
    capability: Capability
    verdicts: tuple[Verdict, ...]
    class_counts: dict[str, dict[str, int]]
    placed: dict[str, str]
    near_duplicates: Evidence = NO_EVIDENCE
    quality: QualityPolicy = POLICY

    @property
    def override_refused_to(self) -> str | None:
        """Return the user who asked for REVIEWED revisions and may not have them."""
        refused = self.request.include_reviewed_override and not self.actor.may(Action.INCLUDE_REVIEWED, self.workspace)
        return self.actor.user if refused else None


def load(tx: Transaction, workspace: str, actor: Actor, request: BuildRequest, *, classes: bool = False) -> Facts:
    """Return the facts of a request. Raises `NOT_FOUND` for a capability that does not exist.

    Classes decide where new groups go; where every group has its place, or it is predefined, they are counted only when `classes` asks
    for them.
    """
    capability = tx.media.capability(workspace, request.capability)
    packs = tx.datasets.sources.pack_facts(request.pack_ids)
    readable = frozenset(pack.workspace_id for pack in packs if actor.may(Action.READ, pack.workspace_id))
    override = request.include_reviewed_override and actor.may(Action.INCLUDE_REVIEWED, workspace)
    verdicts = judge(packs, Policy(request.capability, readable, override))
    stable = request.split_strategy == SplitStrategy.GROUP_STABLE
    placed = tx.datasets.placements(workspace, request.name) if stable else {}
    counted = [one for one in verdicts if one.revision is not None and is_counted(one, request.min_annotations)]
    balanced = request.split_strategy != SplitStrategy.PREDEFINED
    needed = classes or (balanced and any(one.pack.group_key not in placed for one in counted))
    counts = tx.datasets.sources.class_counts([one.revision.id for one in counted if one.revision is not None]) if needed else {}
    media = sorted({one.pack.media_id for one in verdicts if one.included})
    near = NO_EVIDENCE if request.join_near_duplicates is False else tx.datasets.near_duplicates.evidence(workspace, media)
    quality = tx.datasets.quality_rules.policy(workspace, request.capability)
    return Facts(request, actor, workspace, capability, tuple(verdicts), counts, placed, near, quality)


def plan(database: Database, facts: Facts) -> BuildPlan:
    """Decide; reads objects only where kept counts say too little."""
    included = [verdict for verdict in facts.verdicts if verdict.included]
    groups = grouped(database, included, facts.class_counts, facts.request.min_annotations)
    planned = make_plan(
        facts.request,
        facts.verdicts,
        groups,
        facts.placed,
        evidence=facts.near_duplicates,
        quality=facts.quality.identity,
        override_refused_to=facts.override_refused_to,
    )
    return replace(planned, refusals=(*planned.refusals, *promised.refusals(facts.request, facts.capability, database.path)))


def build_fingerprint(planned: BuildPlan, actor: str) -> Fingerprint:
    """Return the fingerprint of what decides the content, the whole request, who asks, and the versions of what computes."""
    provenance = {"actor": actor, "recipe": os.environ.get(RECIPE_DIGEST), "versions": _versions()}
    return planned.reuse.extended(request=planned.request.model_dump(mode="json"), provenance=provenance)


def reusable(tx: Transaction, workspace: str, planned: BuildPlan) -> BuildRow | None:
    """Return the successful or living build of an equal plan; None where there is none or the request forces a new one."""
    head = None if planned.request.force else tx.datasets.head(workspace, planned.reuse.value)
    return None if head is None or head.status is BuildStatus.FAILED or head.is_lost(tx.now) else head


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("labelkit", "duckdb", "polars"):
        with suppress(PackageNotFoundError):  # labelkit itself may run from a checkout
            found[name] = version(name)
    return found
