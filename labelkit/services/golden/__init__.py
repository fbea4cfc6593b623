"""`ws.golden`: golden examples. Register types, add examples, judge them, and take them out as frames, versions and exports."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from labelkit.services.golden.examples import AddReport, Examples
from labelkit.services.golden.exporting import Exporting
from labelkit.services.golden.judging import Judging
from labelkit.services.golden.label_quality import LabelQuality
from labelkit.services.golden.looking import Looking
from labelkit.services.golden.pipeline import Pipelines
from labelkit.services.golden.score_values import Explanation, LiftPlan, ScoreReport
from labelkit.services.golden.scoring import Scoring
from labelkit.services.golden.types import Types

if TYPE_CHECKING:
    from labelkit.store.acting import Gate

__all__ = ["AddReport", "Explanation", "Golden", "LiftPlan", "ScoreReport", "Types"]


class Golden(Examples, Looking, Judging, Scoring, LabelQuality, Pipelines, Exporting):
    """Every use case of golden examples, for one workspace."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @cached_property
    def types(self) -> Types:
        """The kinds of examples there are; register your own."""
        return Types(self._gate)
