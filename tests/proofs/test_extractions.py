"""Extractions under fire: killed at any moment, a run is there with all its examples or not at all, and doing it again completes it."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from typing import TYPE_CHECKING

import labelkit
from tests.store.processes import finish, start

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 5
LONGEST_S = 0.35  # from the beginning of a run to the kill: longer than a run takes
ROWS = 300

# For each line a child is made that extracts a source of its own, larger than one statement, and says when it begins and when it is done.
WORKER = """
import json, os, sys, warnings
import polars as pl
import labelkit
import labelkit.services.golden, labelkit.workspace

warnings.simplefilter("ignore", DeprecationWarning)  # threads of numpy, which a child never uses

def work(mark, rows):
    with labelkit.open(sys.argv[1], user="ana", deadline_s=60) as ws:
        frame = pl.DataFrame({"id": [f"{mark}-{n}" for n in range(rows)], "score": [n % 100 for n in range(rows)]})
        mapping = {"input.company_quality": "id", "expected_output.lead_score": "score"}
        pipeline = ws.golden.pipeline(frame, "lead_score", mapping, decision_id="id", source_name=mark)
        print(json.dumps(["begins", os.getpid()]), flush=True)
        report = pipeline.extract()
        print(json.dumps(["done", report.kept]), flush=True)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        work(*json.loads(line))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("\\n" + json.dumps(["ended", status]), flush=True)
"""


def test_a_kill_at_any_moment_leaves_a_whole_run_or_none(tmp_path: Path):
    # given
    path, chance, found = tmp_path / "labels.duckdb", random.Random(20261121), set[bool]()
    with labelkit.open(path, user="ana", deadline_s=60) as ws:
        worker = start(WORKER, path)
        try:
            for number in range(KILLS):
                # when a child is killed at work
                mark = f"w{number}"
                worker.stdin.write(json.dumps([mark, ROWS]) + "\n")
                worker.stdin.flush()
                said = [json.loads(worker.stdout.readline())]
                time.sleep(LONGEST_S * (number + chance.random()) / KILLS)
                os.kill(said[0][1], signal.SIGKILL)
                while said[-1][0] != "ended":
                    line = worker.stdout.readline()
                    said += [json.loads(line)] if line.strip() else []

                # then its run is there with every example and link, or nothing of it is
                runs = ws.golden.extractions().filter(source=mark)
                there = ws.golden.to_polars("lead_score")["source_decision_id"].str.starts_with(f"{mark}-").sum()
                assert (runs.height, there) in {(0, 0), (1, ROWS)}
                assert (["done", ROWS] in said) <= (there == ROWS)
                found.add(there == ROWS)

                # and another one completes it
                worker.stdin.write(json.dumps([mark, ROWS]) + "\n")
                worker.stdin.flush()
                again = [json.loads(line) for line in iter(worker.stdout.readline, json.dumps(["ended", 0]) + "\n") if line.strip()]
                assert again[-1] == ["done", ROWS - there]
            finish(worker)
        finally:
            worker.kill()
            worker.wait(timeout=60)
        assert False in found
        assert ws.golden.to_polars("lead_score").height == KILLS * ROWS
        assert ws.check() == []
