"""QualityBadge: how good a dataset is, by which rules of which policy, with every number beside its threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labelkit.core.datasets.quality import BELOW, Severity
from labelkit.widgets import static
from labelkit.widgets.base import CommandWidget, command

if TYPE_CHECKING:
    from labelkit.core.datasets.quality import Evaluation, Indicator
    from labelkit.services.datasets import Dataset
    from labelkit.widgets.base import Json
    from labelkit.workspace import Workspace

WORDS = {Severity.HARD_FAIL: "Hard fail", Severity.WARNING: "Warning"}
RATES = ("empty_label_rate", "label_coverage")
NOT_EVALUATED = "No quality policy covers this dataset's capability, or it was not built to its end."


class QualityBadge(CommandWidget):
    """The badge of a dataset version with its indicators in order; `.value` is the evaluation.

    `dataset` is a version's id, a name for its newest version, or the dataset itself. Raises `NOT_FOUND` with the nearest name.
    """

    _browser = "quality_badge"
    _styles = ("shared/lists.css", "shared/quality.css")

    def __init__(self, ws: Workspace, dataset: str | Dataset) -> None:
        self._ws = ws
        self.dataset = ws.datasets.get(dataset if isinstance(dataset, str) else dataset.id)
        super().__init__(key=(ws.path, self.dataset.id))
        self.python = f"ws.datasets.get({self.dataset.id!r}).quality"

    @property
    def value(self) -> Evaluation:
        """Return the evaluation: badge, policy version, and every check with value and threshold."""
        return self.dataset.quality

    @command("ready")
    def ready(self) -> Json:
        """Return the evaluation as a view shows it."""
        return {"title": self.dataset.title, "name": self.dataset.name, "version": self.dataset.version, **quality_row(self.value)}

    @command("refresh")
    def refresh(self) -> Json:
        """Read the dataset anew, as after a build that was running, and send it to every view."""
        self.dataset = self._ws.datasets.get(self.dataset.id)
        self.tell("state", self.ready())
        return {}

    def describe(self) -> str:
        """Return the dataset with its badge."""
        return f"Quality of {self.dataset.title}: {self.value.badge}"

    def to_html(self) -> str:
        """Return badge and indicators as a plain table."""
        rows = [(WORDS[i.severity], i.code, shown(i, i.value), shown(i, i.threshold), i.message) for i in self.value.indicators]
        policy = f"Policy {self.value.policy_version}, {len(self.value.checks)} checks." if self.value.checks else NOT_EVALUATED
        table = static.table(("Severity", "Indicator", "Value", "Threshold", "Meaning"), rows, empty="No indicator fired.")
        return static.card(self.describe(), policy, *([table] if self.value.checks else []))


def quality_row(evaluation: Evaluation, *, ordered: bool = False) -> dict[str, Any]:
    """Return an evaluation as a view shows it: the badge with its tone, and the checks, those that fired first unless `ordered`."""
    checks = evaluation.checks if ordered else [*evaluation.indicators, *(check for check in evaluation.checks if not check.fired)]
    tone = "plain" if not evaluation.checks else "bad" if evaluation.hard_fails else "warn" if evaluation.warnings else "good"
    return {
        "badge": evaluation.badge,
        "tone": tone,
        "policy_version": evaluation.policy_version,
        "note": "" if evaluation.checks else NOT_EVALUATED,
        "checks": [
            {
                "code": check.code,
                "severity": WORDS[check.severity],
                "value": shown(check, check.value),
                "threshold": f"{'≥' if check.fires == BELOW else '≤'} {shown(check, check.threshold)}",
                "message": check.message,
                "fired": check.fired,
            }
            for check in checks
        ],
    }


def shown(check: Indicator, value: float | None) -> str:
    """Return a check's number as people read it: shares in per cent, counts with separators, a dash for no number."""
    if value is None:
        return "–"
    if check.measure in RATES:
        return f"{value:.1%}"
    return f"{int(value):,}" if value == int(value) else f"{value:,.6g}" if check.own else f"{value:,.2f}"
