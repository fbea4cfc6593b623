"""Measuring: both sides in turn after a warm-up, medians and 95th percentiles, peak memory, and rows that say it all."""

from __future__ import annotations

import gc
import math
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

REPETITIONS = 5  # the least that a median may rest on
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Row(TypedDict, total=False):
    """One line of a benchmark. Seconds are medians; `p95_s` is ours; `ratio` is ours over the peer, else over the limit."""

    name: str
    ours_s: float
    p95_s: float
    peer: str
    peer_s: float
    limit: str
    limit_s: float
    ratio: float
    peak_mb: float
    goal: str
    met: bool
    note: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement: seconds, and the greatest resident memory meanwhile in MB where the platform tells."""

    seconds: float
    peak_mb: float | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """What one side came to."""

    readings: tuple[Reading, ...]

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Times:
        """Return the times of bare seconds."""
        return cls(tuple(Reading(one) for one in seconds))

    @property
    def seconds(self) -> list[float]:
        """Return the seconds in the order of measuring."""
        return [reading.seconds for reading in self.readings]

    @property
    def median(self) -> float:
        """Return the median in seconds."""
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """Return the smallest time that 95 % of the measurements do not exceed, in seconds."""
        ordered = sorted(self.seconds)
        return ordered[math.ceil(0.95 * len(ordered)) - 1]

    @property
    def peak_mb(self) -> float | None:
        """Return the greatest peak, None where none is known."""
        known = [reading.peak_mb for reading in self.readings if reading.peak_mb is not None]
        return max(known, default=None)


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal of the performance plan: `of` is what is compared with `most`.

    `p50` and `p95` are seconds of ours; `peer`, `peer p95` and `limit` are the ratio of ours to that side.
    """

    of: str
    most: float

    def __str__(self) -> str:
        return f"{self.of} <= {seconds_text(self.most)}" if self.of in ("p50", "p95") else f"<= {self.most:g}x {self.of}"

    def met(self, ours: Times, *, peer: Times | None = None, limit: Times | None = None) -> bool | None:
        """Say whether the goal is met, None where the other side was not measured."""
        values = {
            "p50": ours.median,
            "p95": ours.p95,
            "peer": None if peer is None else ours.median / peer.median,
            "peer p95": None if peer is None else ours.p95 / peer.p95,
            "limit": None if limit is None else ours.median / limit.median,
        }
        value = values[self.of]
        return None if value is None else value <= self.most


def timed(work: Callable[[], object], *, before: Callable[[], object] | None = None) -> Callable[[], Reading]:
    """Return a side that measures one call of `work` in this process; `before` runs first, outside the measurement."""

    def side() -> Reading:
        if before is not None:
            before()
        gc.collect()
        knows = _forget_peak()
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
        return Reading(seconds, peak_mb() if knows else None)

    return side


def alternate(
    sides: Mapping[str, Callable[[], Reading]], *, repetitions: int = REPETITIONS, warmups: int | None = None
) -> dict[str, Times]:
    """Measure every side in turn, first forwards, then backwards, and so on; returns the times of each without its warm-ups.

    Unless told, there is one warm-up, but none before a single repetition: that one only shows that the side runs.
    """
    warmups = int(repetitions > 1) if warmups is None else warmups
    found: dict[str, list[Reading]] = {name: [] for name in sides}
    for turn in range(warmups + repetitions):
        for name in sides if turn % 2 == 0 else reversed(sides):
            reading = sides[name]()
            if turn >= warmups:
                found[name].append(reading)
    return {name: Times(tuple(readings)) for name, readings in found.items()}


def row(
    name: str,
    ours: Times,
    *,
    peer: tuple[str, Times] | None = None,
    limit: tuple[str, Times] | None = None,
    goal: Goal | None = None,
    note: str = "",
) -> Row:
    """Return the line of one work, with the other sides and the goal where there are such."""
    made = Row(name=name, ours_s=ours.median, p95_s=ours.p95)
    if limit is not None:
        made |= Row(limit=limit[0], limit_s=limit[1].median, ratio=ours.median / limit[1].median)
    if peer is not None:
        made |= Row(peer=peer[0], peer_s=peer[1].median, ratio=ours.median / peer[1].median)
    if ours.peak_mb is not None:
        made["peak_mb"] = ours.peak_mb
    if goal is not None:
        made["goal"] = str(goal)
        met = goal.met(ours, peer=None if peer is None else peer[1], limit=None if limit is None else limit[1])
        if met is not None:
            made["met"] = met
    if note:
        made["note"] = note
    return made


def seconds_text(seconds: float) -> str:
    """Return seconds as people read them: `1.24 s`, `35 ms`, `4.2 ms`."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def _forget_peak() -> bool:
    """Make the kernel's mark of peak memory start at the present memory; False where it has no such mark."""
    try:
        _CLEAR.write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def peak_mb() -> float:
    """Return the greatest resident memory of this process since its start, or since `timed` forgot it, in MB."""
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
