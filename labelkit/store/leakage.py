"""What two datasets share: label packs in SQL, pictures by their sha256 as a semi join over Parquet objects in the in-memory DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labelkit.core.datasets.freezing import SharedSource, Way
from labelkit.errors import LabelkitError, StorageReadFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

    from labelkit.store.database import Database
    from labelkit.store.freezing import VersionRow
    from labelkit.store.statements import Statements

# One row a chunk of a frozen set that has pictures of ours: how many, and the first of them on either side.
_FRAMES = """
    WITH theirs AS MATERIALIZED (
        SELECT sha256, sample_key, filename FROM read_parquet($theirs, filename = true)
    ), shared AS (
        SELECT sha256, min(sample_key) AS ours FROM read_parquet($ours)
        WHERE ($split::VARCHAR IS NULL OR split = $split) AND sha256 IN (SELECT sha256 FROM theirs)
        GROUP BY sha256
    )
    SELECT t.filename, count(*)::INTEGER AS frames, arg_min(s.ours, t.sample_key) AS ours, min(t.sample_key) AS theirs
    FROM theirs t JOIN shared s ON s.sha256 = t.sha256
    GROUP BY t.filename
    ORDER BY theirs
"""
_MEDIA = "SELECT DISTINCT workspace, media FROM read_parquet($ours) WHERE split = $split"


@dataclass(frozen=True, slots=True)
class Sources:
    """What a built dataset version, or one split of it, rests on: packs, each with (workspace, media), and the objects of its samples."""

    version: VersionRow
    packs: Mapping[str, tuple[str, str]]
    objects: tuple[str, ...]
    split: str | None = None


def sources(tx: Statements, version: VersionRow, split: str | None = None) -> Sources:
    """Return the packs that went into a version, and its chunks."""
    packs = tx.rows(
        "SELECT pack_id, workspace, media FROM build_sources WHERE build_id = $build AND reason IS NULL ORDER BY pack_id",
        build=version.build_id,
    )
    chunks = tx.rows(
        "SELECT chunk_object FROM snapshot_chunks WHERE snapshot_id = $snapshot ORDER BY position", snapshot=version.snapshot_id
    )
    named = {row["pack_id"]: (row["workspace"], row["media"]) for row in packs}
    return Sources(version, named, tuple(row["chunk_object"] for row in chunks), split)


def shared(db: Database, ours: Sources, frozen: Sequence[Sources]) -> list[SharedSource]:
    """Return every path from a dataset, or from its split, to these frozen ones; of a frozen one all splits count.

    Reads keys and sha256 only. Raises `STORAGE_READ_FAILED`.
    """
    if not frozen:
        return []
    return [*_packs(db, ours, frozen), *_frames(db, ours, frozen)]


def _packs(db: Database, ours: Sources, frozen: Sequence[Sources]) -> Iterator[SharedSource]:
    """Yield the shared label packs of each frozen set; of a split, those that have frames in it."""
    mine = set(ours.packs)
    if ours.split is not None and any(mine & set(one.packs) for one in frozen):
        media = set(_read(db, _MEDIA, ours=_paths(db, ours), split=ours.split).iter_rows())
        mine = {pack for pack, of in ours.packs.items() if of in media}
    for one in frozen:
        both = sorted(mine & set(one.packs))
        if both:
            yield SharedSource(one.version.version_id, one.version.title, Way.PACK, len(both), both[0], both[0])


def _frames(db: Database, ours: Sources, frozen: Sequence[Sources]) -> Iterator[SharedSource]:
    objects = {path: None for one in frozen for path in _paths(db, one)}
    found = _read(db, _FRAMES, ours=_paths(db, ours), theirs=[*objects], split=ours.split)
    chunks = {name: (frames, here, there) for name, frames, here, there in found.iter_rows()}
    for one in frozen:
        hits = [chunks[path] for path in _paths(db, one) if path in chunks]
        if hits:
            yield SharedSource(one.version.version_id, one.version.title, Way.FRAME, sum(hit[0] for hit in hits), *hits[0][1:])


def _paths(db: Database, of: Sources) -> list[str]:
    return [db.objects.path(digest) for digest in of.objects]


def _read(db: Database, sql: str, **params: object) -> pl.DataFrame:
    try:
        return db.analyse(sql, **params)
    except StorageReadFailed:
        raise
    except LabelkitError as error:  # the queries are always the same ones, so what fails in them is their input
        raise StorageReadFailed(what="The samples of a dataset", reason=error.detail) from error
