"""Golden examples: input, expected output and labels, known by their content; their states, and what an added row became."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from labelkit.core.golden.json_texts import canonical_text
from labelkit.core.hashing import sha256_hex
from labelkit.core.states import Machine
from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ID_PREFIX = "ex_"
ID_DIGITS = 32


class Status(StrEnum):
    """How far an example is trusted."""

    PENDING = "pending"
    VALIDATED = "validated"
    REJECTED = "rejected"


class Step(StrEnum):
    """What people do with an example."""

    RELABEL = "relabel"
    VALIDATE = "validate"
    REJECT = "reject"
    REOPEN = "reopen"


# Labels are corrected before the judgement, not behind its back: what was judged is reopened first.
EXAMPLE: Machine[Status, Step] = Machine(
    "example",
    {
        Status.PENDING: {Step.RELABEL: Status.PENDING, Step.VALIDATE: Status.VALIDATED, Step.REJECT: Status.REJECTED},
        Status.VALIDATED: {Step.REOPEN: Status.PENDING},
        Status.REJECTED: {Step.REOPEN: Status.PENDING},
    },
)
NEEDS_REASON = frozenset({Step.REJECT, Step.REOPEN})


class RowOutcome(StrEnum):
    """What became of one row that was to be added."""

    ADDED = "ADDED"
    PRESENT = "PRESENT"  # its content is there already, with these labels
    PRESENT_OTHER_LABELS = "PRESENT_OTHER_LABELS"  # its content is there, its labels differ and were not taken over
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Example:
    """One record of a golden dataset. `input`, `expected_output` and `labels` are JSON values.

    `example_id` and `content_digest` follow from type, input and expected output alone; labels may be corrected. `version` counts the
    steps taken, from 1. Times are UTC. `quality_score` and `tier` are those of the newest scoring, None before one.
    """

    type: str
    input: Any
    expected_output: Any
    labels: Mapping[str, Any] = field(default_factory=dict)
    source_decision_id: str | None = None
    status: Status = Status.PENDING
    version: int = 1
    reason: str | None = None
    validator: str | None = None
    validated_at: datetime | None = None
    created_at: datetime | None = None
    created_by: str | None = None
    quality_score: float | None = None
    tier: str | None = None

    @property
    def content_digest(self) -> str:
        """Return the sha256 of the canonical JSON of type, input and expected output, as hex. Raises `INVALID_VALUE`."""
        return content_digest(self.type, text_of("input", self.input), text_of("expected_output", self.expected_output))

    @property
    def example_id(self) -> str:
        """Return the id, which equal content has everywhere."""
        return example_id(self.content_digest)

    def as_row(self) -> dict[str, object]:
        """Return the example as a row of the relation `examples`: input, expected output and labels as canonical JSON."""
        texts = {name: text_of(name, getattr(self, name)) for name in ("input", "expected_output", "labels")}
        digest = content_digest(self.type, texts["input"], texts["expected_output"])
        state = {name: getattr(self, name) for name in _STATE}
        return {"example_id": example_id(digest), "type": self.type} | texts | state | {"content_digest": digest}

    def __str__(self) -> str:
        lines = [f"{self.example_id} ({self.type}, {self.status}, version {self.version})"]
        lines += [f"  {name}: {_shown(getattr(self, name))}" for name in ("input", "expected_output", "labels")]
        if self.quality_score is not None:
            lines.append(f"  quality: {self.quality_score:.2f}, {self.tier}")
        if self.validator is not None:
            lines.append(f"  {self.status} by {self.validator}{'' if self.reason is None else f': {self.reason}'}")
        return "\n".join(lines)

    __repr__ = __str__


_STATE = (
    "source_decision_id",
    "status",
    "version",
    "reason",
    "validator",
    "validated_at",
    "created_at",
    "created_by",
    "quality_score",
    "tier",
)


def content_digest(type: str, input: str, expected_output: str) -> str:
    """Return what an example is known by; input and expected output are canonical JSON texts."""
    return sha256_hex(f'{{"expected_output":{expected_output},"input":{input},"type":{canonical_text(type)}}}'.encode())


def example_id(digest: str) -> str:
    """Return the id of an example by its content digest."""
    return ID_PREFIX + digest[:ID_DIGITS]


def text_of(what: str, value: object) -> str:
    """Return the canonical JSON of a value. Raises `INVALID_VALUE` with the reason."""
    try:
        return canonical_text(value)
    except ValueError as error:
        raise InvalidValue(what=what, reason=str(error), fix="Use JSON values: text, finite numbers, lists, objects.") from error


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:297]}..."
