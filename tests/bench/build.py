"""Datasets from 10,000 packs with 1,000,000 samples and 10,000,000 annotations: preflight, build, and a build that is there already."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

import labelkit
from labelkit import BuildRequest
from tests.bench import peers
from tests.bench.harness import Goal, Reading, Row, Times, alternate, row, timed
from tests.bench.packs import BOXES, CAPABILITY, FRAMES, USER, store_of, working_copy

if TYPE_CHECKING:
    from labelkit import Workspace

PACKS, QUICK_PACKS = 10_000, 10
DATUMARO_SHARE = 50
PREFLIGHT_GOAL, AGAIN_GOAL, BUILD_GOAL = Goal("p50", 0.5), Goal("p50", 0.3), Goal("limit", 2.0)

# The same rows from the same objects, in one file: no digests, no chunks, no statistics, no splits by balance. Frames and packs are joined
# first, because DuckDB would otherwise join every label with every frame of its index.
_PLAIN = """
    COPY (
        WITH pictures AS MATERIALIZED (
            SELECT p.*, f.index, f.name AS frame_name, f.pts_ms, f.width, f.height, f.sha256
            FROM packs p JOIN read_parquet($frames, filename = true) f ON f.filename = p.frames WHERE f.problem IS NULL
        )
        SELECT 'club-a/' || i.media || '/' || format('{{:06d}}', c.frame_index) AS sample_key,
            CASE WHEN hash(i.group_key) % 10 < 8 THEN 'train' WHEN hash(i.group_key) % 10 = 8 THEN 'val' ELSE 'test' END AS split,
            i.group_key, i.camera_type, 'club-a' AS workspace, i.media, c.frame_index, i.frame_name, i.pts_ms, i.width, i.height,
            i.sha256, c.flags, c.digest, c.annotations
        FROM read_parquet($contents, filename = true) c JOIN pictures i ON i.content = c.filename AND i.index = c.frame_index
    ) TO '{target}' (FORMAT parquet, COMPRESSION zstd)
"""


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure on a store whose files are in the page cache after the warm-up; each build has a seed of its own, so that it is a new one."""
    repetitions = 1 if quick else 5
    with (
        working_copy(store_of(QUICK_PACKS if quick else PACKS)) as folder,
        labelkit.open(folder / "labels.duckdb", workspace="club-a", user=USER) as ws,
    ):
        packs = ws.datasets.candidates(CAPABILITY)["pack_id"].to_list()
        size = f"{len(packs):,} packs, {len(packs) * FRAMES:,} samples, {len(packs) * FRAMES * BOXES:,} annotations"
        return [
            *_reads(ws, packs, size, repetitions, None if quick else _datumaro(PACKS * FRAMES)),
            _build(ws, packs, size, repetitions, folder),
        ]


def _request(packs: list[str], seed: int) -> BuildRequest:
    return BuildRequest(capability=CAPABILITY, label_pack_ids=packs, name=f"bench-{seed}", seed=seed)


def _datumaro(samples: int) -> tuple[str, Times] | None:
    """Return what datumaro takes to split and count as many samples, counted up from a share of them; None where it is not installed."""
    python = peers.python(peers.DATUMARO)
    if python is None:
        return None
    command = [python, Path(__file__).with_name("build_peers.py"), samples // DATUMARO_SHARE, BOXES]
    readings = []
    for _ in range(3):
        done = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
        seconds, peak_mb = json.loads(done.stdout.splitlines()[-1])
        readings.append(Reading(seconds * DATUMARO_SHARE, peak_mb))
    return f"datumaro: split and statistics, 1 of {DATUMARO_SHARE} samples counted up", Times(tuple(readings))


def _reads(ws: Workspace, packs: list[str], size: str, repetitions: int, peer: tuple[str, Times] | None) -> list[Row]:
    there, new = _request(packs, 1), _request(packs, 2)
    ws.datasets.build(there)
    times = alternate(
        {
            "preflight": timed(lambda: ws.datasets.preflight(new).split_samples),
            "again": timed(lambda: ws.datasets.build(there)),
        },
        repetitions=repetitions if repetitions == 1 else 7,
    )
    return [
        row(f"preflight of {size}", times["preflight"], peer=peer, goal=PREFLIGHT_GOAL),
        row("a build that is there already", times["again"], goal=AGAIN_GOAL, note=size),
    ]


def _build(ws: Workspace, packs: list[str], size: str, repetitions: int, scratch: Path) -> Row:
    seeds = itertools.count(2)
    with ws._database.reading() as tx:
        facts = tx.datasets.sources.pack_facts(packs)
    paths = ws._database.objects.path
    rows = [(p.media, p.group_key, p.camera_type, paths(p.approved.content_object), paths(p.frames_object)) for p in facts if p.approved]
    with duckdb.connect() as con:
        con.execute("CREATE TABLE packs (media VARCHAR, group_key VARCHAR, camera_type VARCHAR, content VARCHAR, frames VARCHAR)")
        con.executemany("INSERT INTO packs VALUES (?, ?, ?, ?, ?)", rows)
        files = {"contents": [row[3] for row in rows], "frames": [row[4] for row in rows]}
        plain = _PLAIN.format(target=scratch / "plain.parquet")
        times = alternate(
            {
                "ours": timed(lambda: ws.datasets.build(_request(packs, next(seeds)))),
                "limit": timed(lambda: con.execute(plain, files)),
            },
            repetitions=repetitions,
        )
    note = "ours also has row digests, chunks that are synced one by one, statistics, quality and audit"
    return row(f"build of {size}", times["ours"], limit=("DuckDB joins and writes the rows", times["limit"]), goal=BUILD_GOAL, note=note)
