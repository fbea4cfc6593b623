"""One export or import of ours alone in a process, for its peak memory: `STORE WORK ARGUMENTS...`; prints seconds and MB as JSON."""

from __future__ import annotations

import json
import sys
import time

import labelkit
from tests.bench.harness import peak_mb
from tests.bench.packs import CAPABILITY, USER


def main(store: str, work: str, *arguments: str) -> tuple[float, float]:
    """Return the seconds of the work, and the peak memory of the process in MB."""
    with labelkit.open(store, workspace="club-a", user=USER) as ws:
        started = time.perf_counter()
        if work == "version":
            ws.versions.export(*arguments)
        elif work == "dataset":
            name, *rest = arguments
            ws.datasets.get(name).export(*rest)
        else:
            form, source, media = arguments
            ws.prelabels.import_(form, source, media=media, capability=CAPABILITY)
        seconds = time.perf_counter() - started
    return seconds, peak_mb()  # getrusage would remember the process that started this one


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
