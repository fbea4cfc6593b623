"""QualityPanel: every check of a dataset's quality in the policy's order, each value against its threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelkit.widgets import static
from labelkit.widgets.base import CommandWidget, command
from labelkit.widgets.quality_badge import NOT_EVALUATED, quality_row

if TYPE_CHECKING:
    from labelkit.core.datasets.quality import Evaluation
    from labelkit.services.datasets import Dataset
    from labelkit.widgets.base import Json


class QualityPanel(CommandWidget):
    """The quality of a dataset version: hard fails first, then by code, fired or not; `.value` is the evaluation.

    A build that failed by its quality keeps it and shows it with the code it failed by. What was never evaluated says so.
    """

    _browser = "quality_panel"
    _styles = ("shared/lists.css", "shared/quality.css")

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset.again()
        super().__init__(key=dataset.id)
        self.python = f"ws.datasets.get({self.dataset.id!r}).quality"

    @property
    def value(self) -> Evaluation:
        """Return the evaluation: badge, policy version, and every check with value and threshold."""
        return self.dataset.quality

    @command("ready")
    def ready(self) -> Json:
        """Return the evaluation as a view shows it, and what the build failed by."""
        dataset = self.dataset
        failed = {"failure": dataset.failure or "", "reason": dataset.reason or ""}
        return {"title": dataset.title, "name": dataset.name, "version": dataset.version, **quality_row(self.value, ordered=True), **failed}

    @command("refresh")
    def refresh(self) -> Json:
        """Read the dataset anew, as after a build that was running, and send it to every view."""
        self.dataset = self.dataset.again()
        self.tell("state", self.ready())
        return {}

    def describe(self) -> str:
        """Return the dataset with its badge."""
        return f"Quality of {self.dataset.title}: {self.value.badge}"

    def to_html(self) -> str:
        """Return every check as a plain table."""
        return static.card(self.describe(), *quality_html(self.value))


def quality_html(evaluation: Evaluation) -> list[str]:
    """Return an evaluation as parts of a static card: the policy, and a table of its checks in order."""
    if not evaluation.checks:
        return [NOT_EVALUATED]
    row = quality_row(evaluation, ordered=True)
    checks = [(c["severity"] if c["fired"] else "Passed", c["code"], c["value"], c["threshold"], c["message"]) for c in row["checks"]]
    fired = f"Policy {evaluation.policy_version}: {len(evaluation.indicators)} of {len(checks)} checks fired."
    return [fired, static.table(("Severity", "Indicator", "Value", "Wanted", "Meaning"), checks)]
