"""What two datasets share: label packs in SQL, pictures by sha256 as a semi join over Parquet objects, and pictures that look alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labelkit.core.datasets.freezing import SharedSource, Way
from labelkit.core.datasets.samples import sample_key
from labelkit.errors import LabelkitError, StorageReadFailed
from labelkit.store.datasets.near_duplicates import near_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

    from labelkit.store.analysis import Store
    from labelkit.store.datasets.freezing import VersionRow
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
# Pictures that both have are found as such; here is what remains to be compared by its looks.
_OWN_PICTURES = """
    SELECT workspace, media, frame_index, sha256 FROM read_parquet($ours)
    WHERE ($split::VARCHAR IS NULL OR split = $split) AND sha256 NOT IN (SELECT sha256 FROM read_parquet($theirs))
"""
_PICTURES = "SELECT workspace, media, frame_index, sha256 FROM read_parquet($theirs)"


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


def shared(db: Store, ours: Sources, frozen: Sequence[Sources], *, complete: bool) -> list[SharedSource]:
    """Return the paths from a dataset, or from its split, to these frozen ones; of a frozen one all splits count.

    Unless they are to be `complete`, near-duplicates are looked for only where no pack and no picture is shared: that search takes the
    longest. Reads keys and sha256 only. Raises `STORAGE_READ_FAILED`.
    """
    if not frozen:
        return []
    found = [*_packs(db, ours, frozen), *_frames(db, ours, frozen)]
    return [*found, *_near_duplicates(db, ours, frozen)] if complete or not found else found


def unsearched(db: Store, ours: Sources, frozen: Sequence[Sources]) -> int:
    """Return how many pictures of these datasets have no hashes, so that nobody knows what they are near-duplicates of."""
    if not frozen:
        return 0
    paths = [path for one in (ours, *frozen) for path in _paths(db, one)]
    with db.reading() as tx:
        found = tx.one(
            """SELECT count(DISTINCT p.sha256) AS missing FROM read_parquet($paths) p
               WHERE p.sha256 NOT IN (SELECT sha256 FROM frame_hashes)""",
            paths=paths,
        )
    return int(found["missing"]) if found else 0


def _packs(db: Store, ours: Sources, frozen: Sequence[Sources]) -> Iterator[SharedSource]:
    """Yield the shared label packs of each frozen set; of a split, those that have frames in it."""
    mine = set(ours.packs)
    if ours.split is not None and any(mine & set(one.packs) for one in frozen):
        media = set(_read(db, _MEDIA, ours=_paths(db, ours), split=ours.split).iter_rows())
        mine = {pack for pack, of in ours.packs.items() if of in media}
    for one in frozen:
        both = sorted(mine & set(one.packs))
        if both:
            yield SharedSource(one.version.version_id, one.version.title, Way.PACK, len(both), both[0], both[0])


def _frames(db: Store, ours: Sources, frozen: Sequence[Sources]) -> Iterator[SharedSource]:
    objects = {path: None for one in frozen for path in _paths(db, one)}
    found = _read(db, _FRAMES, ours=_paths(db, ours), theirs=[*objects], split=ours.split)
    chunks = {name: (frames, here, there) for name, frames, here, there in found.iter_rows()}
    for one in frozen:
        hits = [chunks[path] for path in _paths(db, one) if path in chunks]
        if hits:
            yield SharedSource(one.version.version_id, one.version.title, Way.FRAME, sum(hit[0] for hit in hits), *hits[0][1:])


def _near_duplicates(db: Store, ours: Sources, frozen: Sequence[Sources]) -> Iterator[SharedSource]:
    """Yield the near-duplicates in each frozen set that the reviewers of its own workspace have not ruled out."""
    with db.reading() as tx:
        if not tx.rows("SELECT sha256 FROM frame_hashes LIMIT 1"):
            return
    for one in frozen:
        paths = _paths(db, one)
        mine = _read(db, _OWN_PICTURES, ours=_paths(db, ours), theirs=paths, split=ours.split)
        theirs = _read(db, _PICTURES, theirs=paths)
        swapped = mine.height > theirs.height  # the search looks the left side up under many keys, so the smaller one goes there
        pairs = near_pairs(db, one.version.workspace_id, *((theirs, mine) if swapped else (mine, theirs)))
        if not pairs.is_empty():
            first = pairs.row(0, named=True)
            sides = ("right", "left") if swapped else ("left", "right")
            keys = (sample_key(first[f"{side}_workspace"], first[f"{side}_media"], first[f"{side}_frame"]) for side in sides)
            count = int(pairs["frame_pairs"].sum())
            yield SharedSource(one.version.version_id, one.version.title, Way.NEAR_DUPLICATE, count, *keys)


def _paths(db: Store, of: Sources) -> list[str]:
    return [db.objects.path(digest) for digest in of.objects]


def _read(db: Store, sql: str, **params: object) -> pl.DataFrame:
    try:
        return db.analyse(sql, **params)
    except StorageReadFailed:
        raise
    except LabelkitError as error:  # the queries are always the same ones, so what fails in them is their input
        raise StorageReadFailed(what="The samples of a dataset", reason=error.detail) from error
