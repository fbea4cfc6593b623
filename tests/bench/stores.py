"""Stores that benchmarks work on, made from a seed through labelkit's own door."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import labelkit
from tests.bench.peers import cached

if TYPE_CHECKING:
    from labelkit.store.transaction import Transaction

SEED = 20_240_607
USER = "bench"
BATCH = 250_000  # saves in one transaction
BOXES = 12  # of each saved frame

# A save as autosave leaves it: its name, its frame, the frame's boxes and its audit row. The values come from `hash`.
_SAVES = """
    INSERT INTO draft_saves
    SELECT 'sav_' || md5(s::VARCHAR), 'drf_' || s % 500, CAST(s // 500 + 2 AS INTEGER), 'user-' || hash(s) % 8, $now + to_seconds(s)
    FROM range($first, $end) t(s)
"""
_FRAMES = """
    INSERT INTO draft_frames
    SELECT 'drf_' || s % 500, 1, CAST(s // 500 + 2 AS INTEGER), CAST(hash(s, $seed) % 3000 AS INTEGER), 'edited', '[]', sha256(s::VARCHAR)
    FROM range($first, $end) t(s)
"""
_ANNOTATIONS = """
    INSERT INTO draft_annotations
    SELECT 'drf_' || s % 500, 1, CAST(s // 500 + 2 AS INTEGER), CAST(hash(s, $seed) % 3000 AS INTEGER), CAST(p AS INTEGER),
        'ann_' || substr(md5(s || ':' || p), 1, 20), ['player', 'goalkeeper', 'referee', 'ball'][CAST(hash(s, p) % 4 AS INTEGER) + 1],
        hash(s, p, 1) % 12000000 / 10000, hash(s, p, 2) % 6000000 / 10000, hash(s, p, 3) % 600000 / 10000, hash(s, p, 4) % 1200000 / 10000,
        NULL, hash(s, p, 5) % 1000 / 1000, 'model', NULL
    FROM range($first, $end) t(s), range($boxes) u(p)
"""
_AUDIT = """
    INSERT INTO audit
    SELECT 'aud_' || md5(s::VARCHAR), $now + to_seconds(s), $workspace, 'user-' || hash(s) % 8, 'edit', 'DRAFT_SAVED', true,
        'draft:drf_' || s % 500, '{"frames":1,"version":' || (s // 500 + 2) || '}'
    FROM range($first, $end) t(s)
"""


def large_store(saves: int) -> Path:
    """Return the file of a store whose drafts were saved that often, 12 boxes a save; 1,900,000 saves are about 1 GB.

    It is made once and kept in the benchmarks' cache until the schema changes.
    """
    schema = b"".join(file.read_bytes() for file in sorted(Path(labelkit.__file__).parent.glob("store/migrations/*.sql")))
    key = hashlib.sha256(schema + f"{SEED} {saves} {_SAVES}{_FRAMES}{_ANNOTATIONS}{_AUDIT}".encode()).hexdigest()[:12]
    folder, making = cached(f"store-{key}"), cached(f"store-{key}.part")
    if not folder.exists():
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        with labelkit.open(making / "labels.duckdb", user=USER) as ws:
            for first in range(0, saves, BATCH):
                with ws._database.transaction() as tx:
                    _fill(tx, ws.id, first, min(first + BATCH, saves))
        making.rename(folder)
    return folder / "labels.duckdb"


def _fill(tx: Transaction, workspace: str, first: int, end: int) -> None:
    span = {"first": first, "end": end}
    tx.execute(_SAVES, **span, now=tx.now)
    tx.execute(_FRAMES, **span, seed=SEED)
    tx.execute(_ANNOTATIONS, **span, seed=SEED, boxes=BOXES)
    tx.execute(_AUDIT, **span, now=tx.now, workspace=workspace)
