"""Frames that look alike: an exact search for hashes within 6 of 64 bits, and for media with such frames by both hashes."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labelkit.core.datasets.near_duplicates import MOST_BITS
from labelkit.store.database import Database
from labelkit.store.datasets.hamming import alike, within
from tests.bench import peers
from tests.bench.harness import Goal, Reading, Row, Times, alternate, row, timed

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 20_240_608
SIZES = {False: (100_000, 1_000_000, 1_000), True: (1_000, 20_000, 100)}  # hashes sought, hashes held, planted pairs
FAISS_SHARE = 10  # faiss compares every pair, so its time is in proportion to the hashes sought: a tenth of them is measured
LOOP_SIZE = (20, 10_000)  # the loop too; the whole would take days
FRAMES = 100  # frames a media
FAISS_GOAL = Goal("peer", 1.0)

# The join alone: how many candidates the bands give, without distances, without telling pairs apart.
_CANDIDATES = """
    WITH sought AS (
        SELECT xor(CAST((hash >> (16 * band)) & 65535 AS INTEGER), flip) | CAST(band << 16 AS INTEGER) AS key
        FROM read_parquet($left), (VALUES (0), (1), (2), (3)) bands(band), (SELECT unnest([0] || [1 << bit FOR bit IN range(16)]) AS flip)
    ), held AS (
        SELECT CAST((hash >> (16 * band)) & 65535 AS INTEGER) | CAST(band << 16 AS INTEGER) AS key
        FROM read_parquet($right), (VALUES (0), (1), (2), (3)) bands(band)
    )
    SELECT count(*) AS candidates FROM sought JOIN held USING (key)
"""


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure on random hashes among which near pairs are planted; ours and faiss must find the same ones."""
    sought, held, planted = SIZES[quick]
    with tempfile.TemporaryDirectory(prefix="labelkit-bench-") as folder, Database.open(":memory:", user="bench") as db:
        left, right = hashes(sought, held, planted)
        return [*_hashes(db, Path(folder), left, right, quick=quick), _media(db, left, right, repetitions=1 if quick else 5)]


def hashes(sought: int, held: int, planted: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random 64-bit hashes; at as many places of both sides as are `planted`, they differ in 0 to 9 bits."""
    random = np.random.default_rng(SEED)
    left, right = (random.integers(0, 2**64, count, dtype=np.uint64) for count in (sought, held))
    for number in range(planted):
        bits = random.choice(64, number % 10, replace=False)
        right[number * (held // planted)] = int(left[number * (sought // planted)]) ^ sum(1 << int(bit) for bit in bits)
    return left, right


def _hashes(db: Database, folder: Path, left: np.ndarray, right: np.ndarray, *, quick: bool) -> list[Row]:
    sides = [pl.DataFrame({"hash": side}) for side in (left, right)]
    files = {}
    for name, side in zip(("left", "right"), sides, strict=True):
        files[name] = str(folder / f"{name}.parquet")
        side.write_parquet(files[name])
    python = None if quick else peers.python()
    work: dict[str, Callable[[], Reading]] = {
        "ours": timed(lambda: within(db, *sides)),
        "limit": timed(lambda: db.analyse(_CANDIDATES, **files)),
    }
    if python is not None:
        some = left[: len(left) // FAISS_SHARE]
        work["faiss"] = _peer(python, folder, "faiss", some, right)
        work["imagehash"] = _peer(python, folder, "imagehash", left[: LOOP_SIZE[0]], right[: LOOP_SIZE[1]])
    times = alternate(work, repetitions=1 if quick else 5)
    found = within(db, *sides)
    limit = ("DuckDB joins the keys and counts the candidates", times["limit"])
    name = f"{len(left):,} hashes sought among {len(right):,}"
    if python is None:
        return [row(name, times["ours"], limit=limit, goal=FAISS_GOAL, note=f"{found.height:,} pairs within {MOST_BITS} bits")]
    _must_agree(found.filter(pl.col("left").is_in(some.tolist())), np.load(folder / "faiss.npy"))
    faiss = _scaled(times["faiss"], FAISS_SHARE)
    loop = _scaled(times["imagehash"], len(left) * len(right) / (LOOP_SIZE[0] * LOOP_SIZE[1]))
    return [
        row(
            name,
            times["ours"],
            peer=("faiss-cpu IndexBinaryFlat.range_search", faiss),
            limit=limit,
            goal=FAISS_GOAL,
            note=f"{found.height:,} pairs within {MOST_BITS} bits; faiss on {len(some):,} of the hashes sought, times {FAISS_SHARE}:"
            f" the same pairs; its peak {times['faiss'].peak_mb or 0:.0f} MB",
        ),
        row(
            name,
            times["ours"],
            peer=("a loop over ImageHash values", loop),
            note=f"measured on {LOOP_SIZE[0]} x {LOOP_SIZE[1]:,} and counted up in proportion to the pairs",
        ),
    ]


def _media(db: Database, left: np.ndarray, right: np.ndarray, repetitions: int) -> Row:
    """Measure what `find_near_duplicates` asks: new media against all, both hashes, the frames that show it."""
    new, old = (_frames(side) for side in (left, right))
    old = old.with_columns(pl.col("media", "grp") + len(left), pl.lit(value=False).alias("on_left"))
    everything = pl.concat([old, new.with_columns(pl.lit(value=True).alias("on_left"))])
    times = alternate({"ours": timed(lambda: alike(db, new, everything, across=True))}, repetitions=repetitions)
    found = alike(db, new, everything, across=True)
    size = f"{new['media'].n_unique():,} new media with {new.height:,} frames against {everything.height:,} frames"
    return row(f"{size}, both hashes", times["ours"], note=f"{found.height:,} pairs of media, each with its closest frames")


def _frames(side: np.ndarray) -> pl.DataFrame:
    media = pl.int_range(len(side), eager=True).cast(pl.UInt32) // FRAMES
    index = pl.int_range(len(side), eager=True).cast(pl.Int32) % FRAMES
    return pl.DataFrame({"media": media, "grp": media, "frame_index": index, "dhash": side, "phash": side})


def _peer(python: Path, folder: Path, name: str, left: np.ndarray, right: np.ndarray) -> Callable[[], Reading]:
    sides = [folder / f"{name}-{side}.npy" for side in ("left", "right")]
    for file, values in zip(sides, (left, right), strict=True):
        np.save(file, values)
    program = Path(__file__).with_name("leakage_peers.py")
    command = [str(python), str(program), name, *map(str, sides), str(MOST_BITS), str(folder / f"{name}.npy")]

    def side() -> Reading:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
        return Reading(*json.loads(done.stdout.splitlines()[-1]))

    return side


def _scaled(times: Times, factor: float) -> Times:
    return Times(tuple(Reading(reading.seconds * factor, reading.peak_mb) for reading in times.readings))


def _must_agree(ours: pl.DataFrame, theirs: np.ndarray) -> None:
    if set(ours.select("left", "right").iter_rows()) != {(int(a), int(b)) for a, b in theirs}:
        raise AssertionError("faiss found other pairs")
