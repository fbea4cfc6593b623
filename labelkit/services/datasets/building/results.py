"""What a build request came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labelkit.core.datasets.builds import BuildOutcome

if TYPE_CHECKING:
    from labelkit.core.datasets.builds import BuildStatus
    from labelkit.core.datasets.eligibility import Verdict
    from labelkit.services.datasets.dataset import Dataset


@dataclass(frozen=True)
class BuildResult:
    """What a build request came to; `excluded_label_pack_ids` maps a pack to the code of its reason. Both are sorted by pack id."""

    outcome: BuildOutcome
    dataset: Dataset
    build_id: str
    build_status: BuildStatus
    included_label_pack_ids: list[str]
    excluded_label_pack_ids: dict[str, str]

    @classmethod
    def of(cls, dataset: Dataset, outcome: BuildOutcome, verdicts: tuple[Verdict, ...]) -> BuildResult:
        """Return the result with what was decided about each requested pack."""
        included = [verdict.pack_id for verdict in verdicts if verdict.included]
        excluded = {verdict.pack_id: str(verdict.reason) for verdict in verdicts if not verdict.included}
        return cls(outcome, dataset, dataset.build_id, dataset.status, included, excluded)

    @classmethod
    def reused(cls, dataset: Dataset) -> BuildResult:
        """Return the result of a build that is there, with what it decided."""
        lineage = dataset.lineage
        return cls.of(dataset, BuildOutcome.REUSED_SUCCESS, (*lineage.included, *lineage.excluded))

    def __repr__(self) -> str:
        packs = f"{len(self.included_label_pack_ids)} packs included, {len(self.excluded_label_pack_ids)} excluded"
        return f"<{self.outcome}: {self.dataset.title}, build {self.build_status}, {packs}>"
