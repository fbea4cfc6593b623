"""Frames and labels of packs, joined as sets in the in-memory DuckDB into the sample rows of a dataset, batch by batch."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets.quality import Statistics
from labelkit.core.datasets.samples import INDEX_DIGITS
from labelkit.core.datasets.splits import GroupCounts
from labelkit.store.findings import SLACK_PX
from labelkit.store.snapshots import chunk_start_sql, digest_sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from labelkit.core.datasets.eligibility import Verdict
    from labelkit.core.review.annotations import Capability
    from labelkit.store.database import Database

KEY = "sample_key"
BATCH_ROWS = 600_000  # frames plus annotations that are in memory at once

# A frame without a picture is no sample. Each file is read once, whatever the number of packs that name it.
_FRAMES = """
    FROM (SELECT unnest(from_json($packs::JSON, '[{"content": "VARCHAR", "frames": "VARCHAR", "prefix": "VARCHAR", "split": "VARCHAR",
              "group_key": "VARCHAR", "camera_type": "VARCHAR", "workspace": "VARCHAR", "media": "VARCHAR"}]'), max_depth := 2)) p
    JOIN read_parquet($contents, filename = true) c ON c.filename = p.content
    JOIN read_parquet($frames, filename = true) f ON f.filename = p.frames AND f.index = c.frame_index
    WHERE f.problem IS NULL AND len(c.annotations) >= $min_annotations
"""
_COVERED = digest_sql(KEY, "split", "group_key", "camera_type", "sha256", "width", "height", "digest")
SAMPLES_SQL = f"""
    SELECT *, {_COVERED}, {chunk_start_sql(KEY)}
    FROM (
        SELECT p.prefix || CASE WHEN c.frame_index < 1000000 THEN lpad(CAST(c.frame_index AS VARCHAR), {INDEX_DIGITS}, '0')
                           ELSE CAST(c.frame_index AS VARCHAR) END AS {KEY},
            p.split, p.group_key, p.camera_type, p.workspace, p.media, c.frame_index, f.name AS frame_name, f.pts_ms, f.width, f.height,
            f.sha256, c.flags, c.digest, c.annotations
        {_FRAMES}
    )
    ORDER BY {KEY}
"""
COUNTS_SQL = f"""
    WITH samples AS (SELECT p.group_key, c.annotations {_FRAMES})
    SELECT group_key, NULL AS label, count(*) AS found FROM samples GROUP BY group_key
    UNION ALL
    SELECT group_key, a.label, count(*) FROM (SELECT group_key, unnest(annotations) AS a FROM samples) GROUP BY group_key, a.label
"""


def _counted(db: Database, included: Sequence[Verdict], min_annotations: int) -> dict[str, GroupCounts]:
    """Return the samples and annotations of each group by reading the packs' objects."""
    samples: Counter[str] = Counter()
    classes: dict[str, Counter[str]] = {}
    for batch in batches(included):
        found = db.analyse(COUNTS_SQL, **_parameters(db, batch, {}, min_annotations))
        for group, label, number in found.iter_rows():
            if label is None:
                samples[group] += number
            else:
                classes.setdefault(group, Counter())[label] += number
    return {group: GroupCounts(number, dict(classes.get(group, {}))) for group, number in samples.items()}


def grouped(
    db: Database, included: Sequence[Verdict], class_counts: Mapping[str, Mapping[str, int]], min_annotations: int
) -> dict[str, GroupCounts]:
    """Return the samples and annotations of each group: from counts kept with revisions (by id), or from objects.

    Frames without a picture carry no annotation (publishing refuses that), so kept counts are exact while no minimum above one is asked.
    """
    kept = [v for v in included if v.revision is not None and v.pack.broken_frame_count is not None and min_annotations <= 1]
    known = {verdict.pack.pack_id for verdict in kept}
    samples: Counter[str] = Counter()
    classes: dict[str, Counter[str]] = {}
    for verdict in kept:
        if verdict.revision is not None:
            usable = verdict.revision.frame_count - (verdict.pack.broken_frame_count or 0)
            samples[verdict.pack.group_key] += verdict.revision.labeled_frame_count if min_annotations else usable
            classes.setdefault(verdict.pack.group_key, Counter()).update(class_counts.get(verdict.revision.id, {}))
    for group, counts in _counted(db, [v for v in included if v.pack.pack_id not in known], min_annotations).items():
        samples[group] += counts.samples
        classes.setdefault(group, Counter()).update(counts.classes)
    return {group: GroupCounts(number, dict(classes.get(group, {}))) for group, number in samples.items()}


def assemble(db: Database, included: Sequence[Verdict], placement: Mapping[str, str], min_annotations: int) -> Iterator[pl.DataFrame]:
    """Yield the sample rows of all packs in ascending key order, with row digests and chunk starts."""
    for batch in batches(included):
        yield db.analyse(SAMPLES_SQL, **_parameters(db, batch, placement, min_annotations))


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


def _parameters(db: Database, batch: Sequence[Verdict], placement: Mapping[str, str], min_annotations: int) -> dict[str, object]:
    packs = [
        {
            "content": db.objects.path(verdict.revision.content_object),
            "frames": db.objects.path(verdict.pack.frames_object),
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
    return {
        "packs": json.dumps(packs),
        "contents": sorted({pack["content"] for pack in packs}),
        "frames": sorted({pack["frames"] for pack in packs}),
        "min_annotations": min_annotations,
    }


class Tally:
    """Counts what the assembled rows really hold, batch by batch: the statistics that quality is judged by."""

    def __init__(self, capability: Capability) -> None:
        self._capability = capability
        self.samples = 0
        self.empty = 0
        self.errors: Counter[str] = Counter()
        self.groups: set[str] = set()
        self.splits: Counter[str] = Counter()
        self.classes: Counter[tuple[str, str]] = Counter()

    def add(self, rows: pl.DataFrame) -> None:
        """Count a batch of sample rows."""
        self.samples += rows.height
        self.empty += int((rows["annotations"].list.len() == 0).sum())
        self.groups.update(rows["group_key"].unique())
        self.splits.update(dict(rows.group_by("split").len().iter_rows()))
        found = exploded(rows.lazy(), "split", frame_size=True)
        kind = pl.when(pl.col("width").is_null()).then(pl.lit("point")).otherwise(pl.lit("box"))
        misfit = (kind != self._capability.geometry) | ~pl.col("label").is_in(list(self._capability.classes))
        counted = (
            found.group_by("split", "label").agg(
                pl.len().alias("count"), misfit.sum().alias("schema"), _misplaced().sum().alias("geometry")
            )
        ).collect()
        for split, label, number, schema, geometry in counted.iter_rows():
            self.classes[label, split] += number
            self.errors.update(schema=schema, geometry=geometry)

    @property
    def annotations(self) -> int:
        """Return the number of annotations."""
        return sum(self.classes.values())

    def class_counts(self, splits: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return the number of annotations by class and split."""
        return {name: {split: self.classes[name, split] for split in splits} for name in sorted({label for label, _ in self.classes})}

    def statistics(self, selected_frames: int) -> Statistics:
        """Return what quality is judged by; `selected_frames` counts all frames of the included packs."""
        totals: Counter[str] = Counter()
        for (label, _), number in self.classes.items():
            totals[label] += number
        return Statistics(
            samples=self.samples,
            groups=len(self.groups),
            empty_samples=self.empty,
            selected_frames=selected_frames,
            class_counts=dict(sorted(totals.items())),
            schema_errors=self.errors["schema"],
            geometry_errors=self.errors["geometry"],
        )


def exploded(samples: pl.LazyFrame, *columns: str, frame_size: bool = False) -> pl.LazyFrame:
    """Return one row an annotation with the named columns of its sample, and the frame's size in px where wanted."""
    size = [pl.col("width").alias("frame_width"), pl.col("height").alias("frame_height")] if frame_size else []
    return (
        samples.filter(pl.col("annotations").list.len() > 0)
        .select(*columns, *size, "annotations")
        .explode("annotations")
        .unnest("annotations")
    )


def _misplaced() -> pl.Expr:
    """Return whether an annotation is empty, has no finite coordinates or reaches outside its frame."""
    wide, high = pl.col("width").fill_null(0.0), pl.col("height").fill_null(0.0)
    finite = pl.all_horizontal(pl.col(name).is_finite().fill_null(value=True) for name in ("x", "y", "width", "height", "size"))
    empty = pl.col("width").is_not_null() & ((wide <= 0) | (high <= 0))
    beyond = (pl.col("x") + wide > pl.col("frame_width") + SLACK_PX) | (pl.col("y") + high > pl.col("frame_height") + SLACK_PX)
    return ~finite | empty | (pl.col("x") < 0) | (pl.col("y") < 0) | beyond
