"""Frames and labels of packs, joined as sets in the in-memory DuckDB into the sample rows of a dataset, batch by batch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets.samples import INDEX_DIGITS
from labelkit.core.datasets.splits import GroupCounts
from labelkit.errors import LabelkitError, StorageReadFailed
from labelkit.store.versions.snapshots import chunk_start_sql, collected, digest_sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from labelkit.core.datasets.eligibility import Verdict
    from labelkit.store.analysis import Store

KEY = "sample_key"
ROW = "content_row"
BATCH_ROWS = 600_000  # frames plus annotations that are in memory at once

_COVERED = digest_sql(KEY, "split", "group_key", "camera_type", "sha256", "width", "height", "digest")
# A frame without a picture is no sample. Each file is read once, whatever the number of packs that name it. The annotations stay out:
# they are most of the bytes, and carried through two joins and a sort they would cost more than everything else together.
SAMPLES_SQL = f"""
    WITH packs AS MATERIALIZED (
        SELECT unnest(from_json($packs::JSON, '[{{"content": "VARCHAR", "frames": "VARCHAR", "first_row": "BIGINT", "prefix": "VARCHAR",
            "split": "VARCHAR", "group_key": "VARCHAR", "camera_type": "VARCHAR", "workspace": "VARCHAR", "media": "VARCHAR"}}]'),
            max_depth := 2)
    ), pictures AS MATERIALIZED (
        SELECT p.prefix, f.index, f.name AS frame_name, f.pts_ms, f.width, f.height, f.sha256
        FROM packs p JOIN read_parquet($frames, filename = true) f ON f.filename = p.frames WHERE f.problem IS NULL
    ), labels AS MATERIALIZED (
        SELECT p.*, c.frame_index, c.flags, c.digest, p.first_row + c.file_row_number AS {ROW}
        FROM packs p JOIN read_parquet($contents, filename = true, file_row_number = true) c ON c.filename = p.content
    )
    SELECT *, {_COVERED}, {chunk_start_sql(KEY)}
    FROM (
        SELECT l.prefix || format('{{:0{INDEX_DIGITS}d}}', l.frame_index) AS {KEY}, l.split, l.group_key, l.camera_type, l.workspace,
            l.media, l.frame_index, i.frame_name, i.pts_ms, i.width, i.height, i.sha256, l.flags, l.digest, l.{ROW}
        FROM labels l JOIN pictures i ON i.prefix = l.prefix AND i.index = l.frame_index
    )
    ORDER BY {KEY}
"""


def is_counted(verdict: Verdict, min_annotations: int) -> bool:
    """Say whether the counts kept with an included pack's revision tell its samples, so that no object need be read.

    Frames without a picture carry no annotation (publishing refuses that), so they do as long as no minimum above one is asked.
    """
    return verdict.pack.broken_frame_count is not None and min_annotations <= 1


def grouped(
    db: Store, included: Sequence[Verdict], class_counts: Mapping[str, Mapping[str, int]], min_annotations: int
) -> dict[str, GroupCounts]:
    """Return the samples and annotations of each group: kept ones, `class_counts` by group among them, and the others from objects."""
    samples: dict[str, int] = {}
    classes = {group: dict(counts) for group, counts in class_counts.items()}
    unknown = []
    for verdict in included:
        pack, revision = verdict.pack, verdict.revision
        if revision is None or not is_counted(verdict, min_annotations):
            unknown.append(verdict)
            continue
        usable = revision.labeled_frame_count if min_annotations else revision.frame_count - (pack.broken_frame_count or 0)
        samples[pack.group_key] = samples.get(pack.group_key, 0) + usable
    for rows in assemble(db, unknown, {}, min_annotations):
        for group, number in rows.group_by("group_key").len().iter_rows():
            samples[group] = samples.get(group, 0) + number
        for group, label, number in exploded(rows.lazy(), "group_key").group_by("group_key", "label").len().collect().iter_rows():
            counts = classes.setdefault(group, {})
            counts[label] = counts.get(label, 0) + number
    return {group: GroupCounts(number, classes.get(group, {})) for group, number in samples.items()}


def assemble(db: Store, included: Sequence[Verdict], placement: Mapping[str, str], min_annotations: int) -> Iterator[pl.DataFrame]:
    """Yield the sample rows of all packs in ascending key order, with row digests and chunk starts. Raises `STORAGE_READ_FAILED`."""
    for batch in batches(included):
        first_rows: dict[str, int] = {}
        end = 0
        for verdict in batch:
            if verdict.revision is not None and verdict.revision.content_object not in first_rows:
                first_rows[verdict.revision.content_object] = end
                end += verdict.revision.frame_count
        rows = _joined(db, _parameters(db, batch, placement, first_rows))
        labels = collected(db.objects.scan(first_rows).select("frame_index", "annotations"))
        yield _with_annotations(rows, labels, min_annotations)


def _joined(db: Store, parameters: Mapping[str, object]) -> pl.DataFrame:
    try:
        return db.analyse(SAMPLES_SQL, **parameters)
    except StorageReadFailed:
        raise
    except LabelkitError as error:  # the query is always the same one, so what fails in it is its input
        raise StorageReadFailed(what="The labels or frames of a pack", reason=error.detail) from error


def batches(included: Sequence[Verdict]) -> Iterator[list[Verdict]]:
    """Yield the packs in key order, as many at once as memory takes; packs whose keys could interleave stay together.

    That is so where one prefix starts with another, as `a/b/` and `a/b/0/`; all other keys of two packs are on either side.
    """
    batch: list[Verdict] = []
    rows = 0
    root = ""
    for verdict in sorted(included, key=lambda one: one.pack.prefix):
        prefix = verdict.pack.prefix
        if batch and rows > BATCH_ROWS and not prefix.startswith(root):
            yield batch
            batch, rows = [], 0
        if not batch or not prefix.startswith(root):
            root = prefix
        batch.append(verdict)
        rows += 0 if verdict.revision is None else verdict.revision.annotation_count + verdict.revision.frame_count
    if batch:
        yield batch


def _parameters(db: Store, batch: Sequence[Verdict], placement: Mapping[str, str], first_rows: Mapping[str, int]) -> dict[str, object]:
    packs = [
        {
            "content": db.objects.path(verdict.revision.content_object),
            "frames": db.objects.path(verdict.pack.frames_object),
            "first_row": first_rows[verdict.revision.content_object],
            "prefix": verdict.pack.prefix,
            "split": placement.get(verdict.pack.group_key, ""),
            "group_key": verdict.pack.group_key,
            "camera_type": verdict.pack.camera_type,
            "workspace": verdict.pack.workspace,
            "media": verdict.pack.media,
        }
        for verdict in batch
        if verdict.revision is not None
    ]
    contents, frames = ([*dict.fromkeys(pack[name] for pack in packs)] for name in ("content", "frames"))
    return {"packs": json.dumps(packs), "contents": contents, "frames": frames}


def _with_annotations(rows: pl.DataFrame, labels: pl.DataFrame, min_annotations: int) -> pl.DataFrame:
    """Put its annotations beside each sample, by the row of its content, and leave out samples that have too few."""
    at = rows[ROW]
    in_place = at.len() == labels.height and bool((at == pl.int_range(labels.height, eager=True)).all())
    found = labels if in_place else labels[at.clip(upper_bound=labels.height - 1)]
    if not (found["frame_index"] == rows["frame_index"]).all():
        raise StorageReadFailed(what="The content of a revision", reason="it has not one row a frame, in order")
    made = rows.drop(ROW).insert_column(rows.columns.index(ROW), found["annotations"])
    return made if min_annotations == 0 else made.filter(pl.col("annotations").list.len() >= min_annotations)


def exploded(samples: pl.LazyFrame, *columns: str, frame_size: bool = False) -> pl.LazyFrame:
    """Return one row an annotation with the named columns of its sample, and the frame's size in px where wanted."""
    size = [pl.col("width").alias("frame_width"), pl.col("height").alias("frame_height")] if frame_size else []
    return (
        samples.filter(pl.col("annotations").list.len() > 0)
        .select(*columns, *size, "annotations")
        .explode("annotations")
        .unnest("annotations")
    )
