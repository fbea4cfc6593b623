"""A lifecycle is a table: drawings, tests over every pair and the refusal of an illegal step all come from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from labelkit.errors import IllegalStep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Machine(Generic[S, T]):
    """A named table `state -> step -> next state`; an end has an empty row."""

    name: str
    table: Mapping[S, Mapping[T, S]]
    _steps: tuple[T, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        steps = {step: None for row in self.table.values() for step in row}
        object.__setattr__(self, "_steps", tuple(steps))

    def move(self, state: S, step: T) -> S:
        """Return the state after `step`. Raises `IllegalStep` where the table has no such step."""
        row = self.table[state]
        if step not in row:
            possible = ", ".join(sorted(row)) or "nothing"
            raise IllegalStep(machine=self.name, state=state.value, step=step.value, possible=possible)
        return row[step]

    def can(self, state: S, step: T) -> bool:
        """Say whether the table has this step in this state."""
        return step in self.table[state]

    def every_pair(self) -> Iterator[tuple[S, T, S | None]]:
        """Yield every state with every step and the next state, None where the step is illegal."""
        for state, row in self.table.items():
            for step in self._steps:
                yield state, step, row.get(step)

    def mermaid(self) -> str:
        """Return the table as a Mermaid state diagram; the first state is the start."""
        lines = ["stateDiagram-v2", f"    [*] --> {next(iter(self.table))}"]
        for state, row in self.table.items():
            lines.extend(f"    {state} --> {after}: {step}" for step, after in row.items())
            if not row:
                lines.append(f"    {state} --> [*]")
        return "\n".join(lines)
