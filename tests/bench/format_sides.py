"""Sides of the benchmarks of exports and imports: a peer's work in its own interpreter, and ours alone in a process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests import needs
from tests.bench import peers
from tests.bench.harness import Goal, Reading, Row, Times, row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_S = 900
PEERS = {  # of each work the library, and the share of it that is done where the whole would take too long
    "datasets jsonl": ("Hugging Face datasets", 1),
    "datasets csv": ("Hugging Face datasets", 1),
    "datasets parquet": ("Hugging Face datasets", 1),
    "tfrecord tfrecord": ("tfrecord", 20),
    "datumaro coco": ("datumaro", 10),
    "datumaro yolo": ("datumaro", 10),
    "supervision coco": ("supervision", 10),
    "supervision yolo": ("supervision", 10),
    "pycocotools read coco": ("pycocotools", 1),
    "datumaro read coco": ("datumaro", 1),
    "supervision read coco": ("supervision", 1),
    "datumaro read yolo": ("datumaro", 1),
    "supervision read yolo": ("supervision", 1),
}


class Peers:
    """What other libraries do with a folder; those that are not to be had, or fail, are left out, and it is said once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._failed: set[str] = set()

    def sides(self, *works: str) -> dict[str, Callable[[], Reading]]:
        """Return a side for each work whose library is there."""
        found = {work: peers.python(peers.DATUMARO if work.startswith("datumaro") else peers.FORMATS) for work in works}
        return {work: self._side(python, work) for work, python in found.items() if python is not None}

    def _side(self, python: Path, work: str) -> Callable[[], Reading]:
        share = PEERS[work][1]
        command = [str(python), str(Path(__file__).with_name("format_peers.py")), str(self._folder), work, str(share)]

        def side() -> Reading:
            if work in self._failed:
                return Reading(0.0)
            done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_S, check=False, stdin=subprocess.DEVNULL)
            if done.returncode:
                self._failed.add(work)
                print(f"{work}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                return Reading(0.0)
            seconds, peak_mb = json.loads(done.stdout.splitlines()[-1])
            return Reading(seconds * share, peak_mb)

        return side


def beside(name: str, ours: Times, times: dict[str, Times], works: Sequence[str], goal: Goal | None = None) -> list[Row]:
    """Return a line for each of these works that was measured, the first with the goal."""
    lines = []
    for work in works:
        if work not in times or not times[work].median:
            continue
        library, share = PEERS[work]
        told = library if share == 1 else f"{library}, 1 of {share} counted up"
        peak = times[work].peak_mb
        note = f"peak memory of the peer {peak:.0f} MB" if peak else ""
        lines.append(row(name, ours, peer=(told, times[work]), goal=goal if work == works[0] else None, note=note))
    return lines


def alone(*arguments: str | Path) -> Reading:
    """Return what a work of ours takes alone in a process (see `formats_alone`)."""
    command = [sys.executable, "-m", "tests.bench.formats_alone", *map(str, arguments)]
    done = subprocess.run(command, cwd=needs.ROOT, capture_output=True, text=True, timeout=MOST_S, check=True, stdin=subprocess.DEVNULL)
    return Reading(*json.loads(done.stdout.splitlines()[-1]))


def memory(name: str, reading: Reading, most_mb: float) -> Row:
    """Return the line of a work's peak memory, whose goal is `most_mb`."""
    made = row(name, Times((reading,)), note="alone in a process, once")
    made["goal"] = f"peak < {most_mb:g} MB"
    made["met"] = (reading.peak_mb or 0) < most_mb
    return made
