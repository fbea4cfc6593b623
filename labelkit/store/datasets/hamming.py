"""Exact search for 64-bit hashes that differ in few bits, as one join in the in-memory DuckDB: nothing is missed, nothing is guessed.

A hash is cut into four bands of 16 bits. Where two hashes differ in at most 6 bits, they differ in at most one bit in at least one band,
for else there were 8. So each hash of one side is looked up, band by band, under its own 16 bits and under the 16 that differ in one
bit; what is found is kept if all 64 bits are near enough.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets.near_duplicates import MOST_BITS

if TYPE_CHECKING:
    from labelkit.store.analysis import Store

_BANDS = "(VALUES (0), (1), (2), (3)) bands(band)"
_FLIPS = f"(SELECT unnest({[0, *(1 << bit for bit in range(16))]}) AS flip)"


def _band(column: str, flip: str = "0") -> str:
    """Return the SQL of the key under which a hash is found in a band: its 16 bits, one of them flipped, and the band's number."""
    return f"xor(CAST(({column} >> (16 * band)) & 65535 AS INTEGER), {flip}) | CAST(band << 16 AS INTEGER)"


def _distance(column: str) -> str:
    return f"CAST(bit_count(xor(l.{column}, r.{column})) AS INTEGER)"


def _near(left: str, right: str, most: str) -> str:
    """Return the SQL of the pairs (l, r) of hashes of two queries, each with distinct values in `hash`, that differ in `most` bits or less.

    A pair that several bands find is taken in the first of them, so that it comes once without a list of all that came. The CASE keeps
    that question away from the many candidates that are too far apart.
    """
    in_no_band_before = " AND ".join(
        f"(l.key < {(band + 1) << 16} OR bit_count((xor(l.hash, r.hash) >> {16 * band}) & 65535) > 1)" for band in range(3)
    )
    return f"""
        SELECT l.hash AS l, r.hash AS r
        FROM (SELECT hash, {_band("hash", "flip")} AS key FROM ({left}), {_BANDS}, {_FLIPS}) l
        JOIN (SELECT hash, {_band("hash")} AS key FROM ({right}), {_BANDS}) r
            ON r.key = l.key AND CASE WHEN {_distance("hash")} <= {most} THEN {in_no_band_before} ELSE false END
    """


_WITHIN = f"""
    SELECT l AS "left", r AS "right", CAST(bit_count(xor(l, r)) AS INTEGER) AS distance FROM ({
    _near("SELECT DISTINCT hash FROM read_parquet($left)", "SELECT DISTINCT hash FROM read_parquet($right)", "$most")
})
"""

# Pictures with both hashes equal are one *look*, so that a hundred thousand black frames are compared once. Looks that one and the same
# group has on both sides say nothing where only pairs across groups count, and are left out at once. Where a pair of looks would make
# more than $full pairs of media, each media is paired with the first one of the other side only: all hang together as before.
_LOOKS = "SELECT dhash, phash, min(grp) AS g1, max(grp) AS g2, min(media) AS first, count(*) AS held_by FROM {side} GROUP BY dhash, phash"
_ALIKE = f"""
    WITH lefts AS MATERIALIZED (
        SELECT dhash, phash, media, any_value(grp) AS grp, min(frame_index) AS frame, count(*) AS n
        FROM read_parquet($left) GROUP BY dhash, phash, media
    ), rights AS MATERIALIZED (
        SELECT dhash, phash, media, any_value(grp) AS grp, any_value(on_left) AS on_left, min(frame_index) AS frame, count(*) AS n
        FROM read_parquet($right) GROUP BY dhash, phash, media
    ), left_looks AS MATERIALIZED (
        {_LOOKS.format(side="lefts")}
    ), right_looks AS MATERIALIZED (
        {_LOOKS.format(side="rights")}
    ), near AS (
        {_near("SELECT DISTINCT phash AS hash FROM left_looks", "SELECT DISTINCT phash AS hash FROM right_looks", str(MOST_BITS))}
    ), looks AS MATERIALIZED (
        SELECT l.dhash AS ld, l.phash AS lp, r.dhash AS rd, r.phash AS rp, l.first AS first_left, r.first AS first_right,
            l.held_by * r.held_by <= $full AS is_full,
            {_distance("dhash")} AS dhash_distance, {_distance("phash")} AS phash_distance
        FROM near JOIN left_looks l ON l.phash = near.l JOIN right_looks r ON r.phash = near.r
        WHERE {_distance("dhash")} <= {MOST_BITS} AND (NOT $across OR l.g1 <> l.g2 OR r.g1 <> r.g2 OR l.g1 <> r.g1)
    )
    SELECT l.media AS left_media, r.media AS right_media, CAST(sum(l.n * r.n) AS BIGINT) AS frame_pairs,
        unnest(arg_min(
            struct_pack(left_frame := l.frame, right_frame := r.frame, dhash_distance := dhash_distance, phash_distance := phash_distance),
            struct_pack(bits := dhash_distance + phash_distance, l := l.frame, r := r.frame)))
    FROM looks k JOIN lefts l ON l.dhash = k.ld AND l.phash = k.lp JOIN rights r ON r.dhash = k.rd AND r.phash = k.rp
    WHERE (NOT $across OR l.grp <> r.grp) AND (NOT r.on_left OR l.media < r.media)
        AND (is_full OR l.media = first_left OR r.media = first_right)
    GROUP BY l.media, r.media ORDER BY l.media, r.media
"""
FULL = 10_000  # pairs of media a pair of looks; a hundred media that share a title card still have every pair as evidence


def within(db: Store, left: pl.DataFrame, right: pl.DataFrame, *, most: int = MOST_BITS) -> pl.DataFrame:
    """Return every pair of hashes (column `hash`, UInt64) that differ in at most `most` bits, which is 7 at the most.

    Columns: left, right, distance; equal hashes of one side count once. Rows are in no order.
    """
    if not 0 <= most < 2 * 4:
        raise ValueError(f"four bands find what differs in at most 7 bits, not {most}")
    return _searched(db, _WITHIN, left.select(pl.col("hash").cast(pl.UInt64)), right.select(pl.col("hash").cast(pl.UInt64)), most=most)


def alike(db: Store, left: pl.DataFrame, right: pl.DataFrame, *, across: bool = False, full: int | None = FULL) -> pl.DataFrame:
    """Return every pair of media with frames of which neither hash differs in more than `MOST_BITS` bits.

    Rows given have media and grp (numbers; a media has one group), frame_index, dhash and phash (UInt64); on the right also on_left, true
    where all frames of the media are on the left too, so that each pair comes once. `across` leaves out pairs within a group; with `full`
    None every media is paired with every other even where thousands share a look.

    Columns: left_media, right_media, frame_pairs (how many), left_frame and right_frame (the closest, the first among equals),
    dhash_distance, phash_distance; in order of the media.
    """
    return _searched(db, _ALIKE, left, right, across=across, full=2**62 if full is None else full)


def _searched(db: Store, sql: str, left: pl.DataFrame, right: pl.DataFrame, **params: object) -> pl.DataFrame:
    with tempfile.TemporaryDirectory(prefix="labelkit-alike-") as folder:
        sides = {name: str(Path(folder, f"{name}.parquet")) for name in ("left", "right")}
        left.write_parquet(sides["left"])
        right.write_parquet(sides["right"])
        return db.analyse(sql, **sides, **params)
