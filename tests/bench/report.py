"""What a benchmark leaves: a table for people, JSON for later, and the machine that both belong to."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.harness import seconds_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.harness import Row

_PACKAGES = ("duckdb", "polars", "anywidget", "ipycanvas", "jupyterlab")
_COLUMNS = ("", "ours", "p95", "peer", "limit", "x peer", "x limit", "peak MB", "goal", "")


def machine() -> dict[str, object]:
    """Return what figures depend on: processors, memory, system, versions, and how busy others keep the machine now."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name)) is not None},
        "load": load(),
    }


def load() -> float:
    """Return how many processes wanted a processor in the last minute, our own included."""
    return round(os.getloadavg()[0], 2)


def machine_line(facts: Mapping[str, object], load_after: float) -> str:
    """Return the machine as one line."""
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())  # type: ignore[attr-defined]
    return (
        f"{facts['cores']} x {facts['processor']}, {facts['memory_gb']} GB, {facts['system']}, Python {facts['python']}, {packages}; "
        f"load {facts['load']} before, {load_after} after"
    )


def table(rows: Sequence[Row]) -> str:
    """Return rows as text: medians, the other sides, ratios, peak memory and goals; names of the sides and notes below each line."""
    cells = [_cells(row) for row in rows]
    widths = [max(len(line[n]) for line in [_COLUMNS, *cells]) for n in range(len(_COLUMNS))]
    lines = [_line(_COLUMNS, widths)]
    for row, line in zip(rows, cells, strict=True):
        lines.append(_line(line, widths))
        sides = [f"{side}: {row[side]}" for side in ("peer", "limit") if side in row]  # type: ignore[literal-required]
        lines += [f"    {text}" for text in (*sides, row.get("note", "")) if text]
    return "\n".join(lines)


def write_json(file: Path, *, facts: Mapping[str, object], quick: bool, found: Mapping[str, Sequence[Row]]) -> None:
    """Write every row of every benchmark with the machine; `load_after` is the load now."""
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = {"machine": {**facts, "load_after": load()}, "quick": quick, "command": sys.argv[1:], "benchmarks": found}
    file.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def _cells(row: Row) -> tuple[str, ...]:
    ours, peer, limit = row.get("ours_s"), row.get("peer_s"), row.get("limit_s")
    verdict = {True: "met", False: "MISSED", None: ""}[row.get("met")]
    return (
        row["name"],
        _seconds(ours),
        _seconds(row.get("p95_s")),
        _seconds(peer),
        _seconds(limit),
        _ratio(ours, peer),
        _ratio(ours, limit),
        f"{row['peak_mb']:.0f}" if "peak_mb" in row else "",
        row.get("goal", ""),
        verdict,
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    texts = (0, len(cells) - 2)  # names and goals stand left, figures right
    padded = [cell.ljust(width) if n in texts else cell.rjust(width) for n, (cell, width) in enumerate(zip(cells, widths, strict=True))]
    return "  ".join(padded).rstrip()


def _seconds(value: float | None) -> str:
    return "" if value is None else seconds_text(value)


def _ratio(ours: float | None, other: float | None) -> str:
    return f"{ours / other:.3g}" if ours is not None and other else ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
