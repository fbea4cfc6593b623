"""What the SQL of quality rules gives for one dataset, computed in a process of its own that can neither hold up nor harm this one."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from labelkit.core.datasets.quality import MEASURES, Measured
from labelkit.errors import QualityRuleInvalid
from labelkit.store.datasets import quality_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from labelkit.core.datasets.quality import Rule
    from labelkit.core.versions import Tree
    from labelkit.store.objects import Objects

LIMIT_S = 60.0  # for one rule
CHECK_S = 10.0  # for one rule that is being set: there is nothing to read
START_S = 60.0  # for the process itself, on a machine that is busy


def check(rules: Sequence[Rule]) -> None:
    """Run the SQL of rules over a dataset without samples. Raises `QUALITY_RULE_INVALID` for one that does not give one number."""
    asked = [rule for rule in rules if rule.is_sql]
    found = _answers(None, dict.fromkeys(MEASURES), [rule.measure for rule in asked], CHECK_S)
    for rule, (_, problem) in zip(asked, found, strict=True):
        if problem:
            raise QualityRuleInvalid(rule=rule.code, field="measure", reason=problem)


def measured(objects: Objects, tree: Tree, numbers: Mapping[str, float | None], rules: Sequence[Rule]) -> dict[str, Measured]:
    """Return what the SQL of each rule gives for a snapshot of samples, by code; `numbers` is the row of `measures`."""
    asked = [rule for rule in rules if rule.is_sql]
    lost = next((digest for digest in tree.objects if not objects.exists(digest)), None) if asked else None
    if lost is not None:
        return {rule.code: Measured(None, f"object {lost} of the dataset is missing") for rule in asked}
    files = [objects.path(digest) for digest in tree.objects]
    found = _answers(files, numbers, [rule.measure for rule in asked], LIMIT_S)
    return {rule.code: _number(value, problem) for rule, (value, problem) in zip(asked, found, strict=True)}


def _number(value: float | None, problem: str) -> Measured:
    if problem:
        return Measured(None, problem)
    if value is None:
        return Measured(None, "it gives NULL")
    if not math.isfinite(value):
        return Measured(None, f"it gives {value}")
    return Measured(int(value) if value.is_integer() and abs(value) < 2**53 else value)


def _answers(
    files: Sequence[str] | None, numbers: Mapping[str, float | None], measures: Sequence[str], limit_s: float
) -> Iterator[tuple[float | None, str]]:
    """Yield the value and the problem of each measure. Where one ends the process, the next one starts another."""
    waiting = list(measures)
    while waiting:
        job = {"files": files, "numbers": numbers, "measures": waiting, "limit_s": limit_s}
        answers, why = _run(json.dumps(job), START_S + len(waiting) * limit_s)
        answers += [] if len(answers) == len(waiting) else [{"problem": why.format(limit_s=limit_s)}]
        for answer in answers:
            yield answer.get("value"), answer.get("problem") or ""
        waiting = waiting[len(answers) :]


def _run(job: str, timeout_s: float) -> tuple[list[dict[str, Any]], str]:
    """Return the answers that came, and why there are no more of them."""
    command = [sys.executable, "-P", quality_sandbox.__file__]  # -P: no module beside the script takes the place of one of Python
    try:
        done = subprocess.run(command, input=job, capture_output=True, text=True, timeout=timeout_s, check=False)  # noqa: S603 - our own script
    except subprocess.TimeoutExpired:
        return [], "it took too long"
    why = "it took more than {limit_s:.0f} s" if done.returncode == quality_sandbox.OUT_OF_TIME else "it needs too much memory"
    return [json.loads(line) for line in done.stdout.splitlines()], why
