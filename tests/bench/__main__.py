"""`python -m tests.bench [NAME] [--quick] [--json FILE]`: one benchmark, or all. A missed goal is shown; only an error fails."""

from __future__ import annotations

import argparse
import gc
import sys
import traceback
from importlib import import_module
from pathlib import Path

import pytest

from tests import needs
from tests.bench import report

BENCHMARKS = {
    "start": "import labelkit, and open a store of 1 GB",
    "many": "eight processes saving to one store",
    "drafts": "open, save and publish a draft of 10,000 frames",
    "video": "any frame of ten minutes of video, the next, and the one before",
    "review": "drags, frames and saves in a browser, near and far",
    "build": "build a dataset of 1,000,000 samples",
    "explore": "look through 1,000,000 samples and 10,000 builds",
    "materialize": "link, copy or cut out 20,000 pictures",
    "leakage": "find 100,000 hashes among 1,000,000, within 6 bits",
    "golden": "score 1,000,000 golden examples, explain one, plan reviews",
    "versions": "commit, change, compare and check out 1,000,000 examples",
    "export": "write 1,000,000 examples and 1,000,000 boxes in seven formats",
    "import_": "read a COCO file of 1,000,000 boxes and a YOLO folder of 20,000 files",
}
RESULT = needs.ROOT / ".ci" / "artifacts" / "bench.json"


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for, print a table of each, write the JSON file; returns 1 when a benchmark did not run through."""
    listed = "\n".join(f"  {name:11} {what}" for name, what in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, epilog=listed, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, metavar="NAME", help="which one; all of them unless told")
    parser.add_argument("--quick", action="store_true", help="small sizes and no peers: checks that it runs, the figures mean nothing")
    parser.add_argument("--json", type=Path, default=RESULT, metavar="FILE", help="where the figures go (%(default)s)")
    asked = parser.parse_args(arguments)
    facts = report.machine()
    found, failed = {}, []
    for name in [asked.name] if asked.name else BENCHMARKS:
        print(f"\n== {name}: {BENCHMARKS[name]}{' (quick)' if asked.quick else ''}", flush=True)
        try:
            benchmark = import_module(f"tests.bench.{name}")
            if asked.quick:
                gc.freeze()  # each measurement collects first: of what is there already, that would be most of the time
            rows = benchmark.run(asked.quick)
        except pytest.skip.Exception as skipped:
            print(f"not run: {skipped.msg}")
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever it was, the others still run
            traceback.print_exc(file=sys.stdout)
            failed.append(name)
        else:
            found[name] = rows
            print(report.table(rows), flush=True)
        gc.unfreeze()
    report.write_json(asked.json, facts=facts, quick=asked.quick, found=found)
    print(f"\n{report.machine_line(facts, report.load())}\nwritten to {asked.json}")
    if failed:
        print(f"did not run through: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
