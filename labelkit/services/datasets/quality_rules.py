"""A team's own quality rules: see what applies, set them, look back; and the judgement of a build's content by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labelkit.core.actors import Action
from labelkit.core.datasets.quality import Evaluation, evaluate
from labelkit.core.datasets.quality_rules import own_rules
from labelkit.errors import QualityRuleInvalid, ReasonRequired, StoreConflict
from labelkit.store.datasets import quality_measures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from labelkit.core.datasets.quality import QualityPolicy, Statistics
    from labelkit.core.datasets.quality_rules import QualityRule
    from labelkit.core.versions import Tree
    from labelkit.store.acting import Gate
    from labelkit.store.objects import Objects


class QualityRules:
    """The use cases of quality policies, for one workspace."""

    _gate: Gate

    def quality_policy(self, capability: str) -> QualityPolicy:
        """Return what the next build of a capability is judged by: policy v1 with the workspace's own rules.

        `.version` is such as `v1`, or `v1+2` with the second version of own rules; `.rules` are all, `.own_rules` the workspace's.
        Raises `NOT_FOUND` for a capability that does not exist, `PERMISSION_DENIED`.
        """
        with self._gate.read() as (tx, _):
            tx.media.capability(self._gate.workspace.id, capability)
            return tx.datasets.quality_rules.policy(self._gate.workspace.id, capability)

    def set_quality_rules(
        self, capability: str, rules: Sequence[QualityRule | Mapping[str, Any]], *, reason: str | None = None
    ) -> QualityPolicy:
        """Judge builds of a capability by these own rules from now on, in place of those set before, and return the policy.

        For leads and developers. Each rule is tried on a dataset without samples first. No rules at all leave policy v1 alone. A changed
        policy makes a new build of what was built before, with the same manifest_hash. Raises `QUALITY_RULE_INVALID` with field and
        reason, `REASON_REQUIRED`, `NOT_FOUND`, `PERMISSION_DENIED`; after any of them the rules are as they were.
        """
        refused: QualityRuleInvalid | None = None
        wanted: list[QualityRule] = []
        try:
            wanted = own_rules(rules)
            if self._may_set():  # whoever may not set rules has no SQL run, not even here
                quality_measures.check([rule.rule for rule in wanted])
        except QualityRuleInvalid as invalid:
            refused = invalid
        with self._gate.act(Action.SET_QUALITY_RULES, f"quality:{capability}", on_conflict=StoreConflict) as act:
            act.tx.media.capability(act.workspace, capability)
            if not (reason or "").strip():
                raise ReasonRequired(action=f"Setting the quality rules of {capability}")
            if refused is not None:
                raise refused
            why = (reason or "").strip()
            rows = act.tx.datasets.quality_rules
            number = rows.add(act.workspace, capability, wanted, reason=why, actor=act.actor.user)
            act.record("QUALITY_RULES_SET", version=number, rules=[rule.code for rule in wanted], reason=why)
            return rows.policy(act.workspace, capability)

    def quality_rule_history(self, capability: str) -> pl.DataFrame:
        """Return every version of a capability's own rules, newest first: version, set_at, set_by, reason, rules.

        `rules` is a list of structs with code, severity, measure, below, above and message. Raises `NOT_FOUND`, `PERMISSION_DENIED`.
        """
        with self._gate.read() as (tx, _):
            tx.media.capability(self._gate.workspace.id, capability)
            return tx.datasets.quality_rules.history(self._gate.workspace.id, capability)

    def _may_set(self) -> bool:
        with self._gate.database.reading() as tx:
            return tx.workspaces.actor(self._gate.user).may(Action.SET_QUALITY_RULES, self._gate.workspace.id)


def judged(objects: Objects, policy: QualityPolicy, capability: str, statistics: Statistics, tree: Tree) -> Evaluation:
    """Return how good a build's content is by a policy; rules in SQL see its samples and labels."""
    measured = quality_measures.measured(objects, tree, statistics.numbers(), policy.rules)
    return evaluate(statistics, capability, policy, measured)
