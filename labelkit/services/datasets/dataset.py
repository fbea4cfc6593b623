"""A dataset version as a value to explore: frames of everything, quality, lineage, samples by page, export."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets.samples import Answer, Page, Sample, findings_meant, frame_of
from labelkit.errors import DatasetNotReady, NotFound
from labelkit.formats import writer
from labelkit.formats.exporting.losses import losses_frame
from labelkit.services.datasets.exploring.described import Described
from labelkit.services.datasets.exploring.facts import DatasetFacts
from labelkit.services.datasets.exploring.lineage import Lineage, answer
from labelkit.services.datasets.exporting.samples import SampleExport
from labelkit.services.datasets.freezing.guarded import Guarded
from labelkit.services.datasets.materializing.materials import Materialized
from labelkit.store.datasets import facets
from labelkit.store.datasets.facets import Wanted
from labelkit.store.datasets.samples import exploded
from labelkit.store.versions import snapshots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from labelkit.core.datasets.eligibility import Verdict
    from labelkit.core.datasets.freezing import Purpose
    from labelkit.core.review.annotations import Capability
    from labelkit.core.versions import Tree
    from labelkit.formats.exporting import Progress
    from labelkit.formats.exporting.reports import ExportReport
    from labelkit.services.datasets.materializing.assets import SampleAssets
    from labelkit.store.acting import Gate
    from labelkit.store.datasets.rows import BuildRow
    from labelkit.store.runs import Run

SAMPLES, SIDE_PX = 60, 640  # of a page: some 3 MB


class Dataset(Described, Guarded, Materialized):
    """One version of a dataset. Its content never changes; while it is built, and after a failed build, it has none."""

    def __init__(self, gate: Gate, row: BuildRow) -> None:
        self._gate = gate
        self._row = row

    @cached_property
    def lineage(self) -> Lineage:
        """Return the packs that went in, with their revisions, and those that stayed out, with their reasons."""
        with self._gate.read() as (tx, _):
            verdicts, origins = tx.datasets.sources.verdicts(self._row.id), tx.datasets.lists.origins(self._row.id)
        return Lineage(tuple(v for v in verdicts if v.included), tuple(v for v in verdicts if not v.included), origins)

    @property
    def facts(self) -> DatasetFacts:
        """Return what is known, as named texts: `.provenance`, `.status`, `.sources`, `.materialization`, `.freezing`, `.lineage_rows`."""
        return DatasetFacts(self.title, self._row, self.lineage, self.freezing, self.materialized)

    @cached_property
    def run(self) -> Run | None:
        """Return the run of a recipe that started this build; None where no recorded run did."""
        with self._gate.read() as (tx, _):
            return tx.runs.of_build(self._row.id)

    def again(self) -> Dataset:
        """Return this version as it is now: a build that was running may have ended."""
        with self._gate.read() as (tx, _):
            return Dataset(self._gate, tx.datasets.build(self._gate.workspace.id, self.id) or self._row)

    # --- content

    def to_polars(self, split: str | None = None) -> pl.DataFrame:
        """Return one row a sample, in key order.

        Columns: sample_key, split, group_key, camera_type, workspace, media, frame_index, frame_name, pts_ms, width and height in px,
        sha256, flags, digest, annotations (a list of structs). Raises `DATASET_NOT_READY`, and `NOT_FOUND` for a split.
        """
        return snapshots.collected(self._rows(split))

    def annotations(self, split: str | None = None) -> pl.DataFrame:
        """Return one row an annotation, in key and drawing order.

        Columns: sample_key, split, media, frame_index, id, label, x, y, width, height and size in px, score, source, attributes.
        """
        return snapshots.collected(exploded(self._rows(split), "sample_key", "split", "media", "frame_index"))

    def samples(
        self,
        *,
        split: str | None = None,
        label: str | None = None,
        camera_type: str | None = None,
        group: str | None = None,
        finding: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Sample]:
        """Return up to `limit` samples after `cursor` in key order that have everything that is asked for; `label` is a class on the frame.

        `finding` is a code of `SampleFinding`; `ANY` is whichever. A page costs the same however far into the dataset it is. Raises
        `DATASET_NOT_READY`, and `NOT_FOUND` for a finding that does not exist.
        """
        given = {"split": split, "camera_type": camera_type, "group_key": group}
        equal = tuple((column, value) for column, value in given.items() if value is not None)
        wanted = Wanted(equal, label, None if finding is None else findings_meant(finding, self.quality), self.judged_by)
        found = facets.page(self._gate.database.objects, self._tree, wanted, after=cursor, limit=limit + 1)
        items = tuple(Sample.from_row(row) for row in found.head(limit).iter_rows(named=True))
        return Page(items, items[-1].key if found.height > limit else None)

    def sample(self, key: str) -> Sample:
        """Return the sample of that key. Raises `NOT_FOUND`; `why_not(key)` says why."""
        rows = snapshots.row(self._gate.database.objects, self._tree, key)
        if rows.is_empty():
            raise NotFound(kind="sample", name=key, near=str(self.why_not(key)), listing="dataset.samples()")
        return Sample.from_row(facets.with_findings(rows, self.judged_by).row(0, named=True))

    @cached_property
    def assets(self) -> SampleAssets:
        """Return where pictures of samples were materialized to: `.bytes(sample)`, `.url(sample)`; as it was when first asked."""
        from labelkit.services.datasets.materializing.assets import SampleAssets

        return SampleAssets(self.materialized, self._gate.database.objects, lambda: self._tree)

    def findings(self, split: str | None = None) -> pl.DataFrame:
        """Return one row a finding, in key order: sample_key, split, media, frame_index, finding (a code of `SampleFinding`)."""
        rows = facets.with_findings(snapshots.collected(self._rows(split)), self.judged_by)
        return rows.select("sample_key", "split", "media", "frame_index", finding="findings").explode("finding").drop_nulls("finding")

    def why(self, pack_id: str) -> Answer:
        """Return why a pack is in the dataset or not: the rule, and the row that decided."""
        for verdict in (*self.lineage.included, *self.lineage.excluded):
            if verdict.pack_id == pack_id:
                return answer(verdict)
        return Answer("NOT_REQUESTED", "The build did not name this pack.", {})

    def why_not(self, sample_key: str) -> Answer:
        """Return why a frame, by its sample key, is not in the dataset, or that it is."""
        found = snapshots.row(self._gate.database.objects, self._tree, sample_key)
        if not found.is_empty():
            row = found.drop("annotations", snapshots.ROW_DIGEST).row(0, named=True)
            return Answer("INCLUDED", f"It is in split {row['split']}.", row)
        parts = frame_of(sample_key)
        verdicts = [v for v in (*self.lineage.included, *self.lineage.excluded) if parts and v.pack.media and v.pack.prefix == parts[0]]
        if parts is None or not verdicts:
            return Answer("NOT_REQUESTED", "No pack that the build named labels this media.", {})
        return self._why_not_frame(verdicts[0], parts[1]) if verdicts[0].included else answer(verdicts[0])

    def _why_not_frame(self, verdict: Verdict, frame: int) -> Answer:
        objects = self._gate.database.objects
        known = objects.read_frame(verdict.pack.frames_object).filter(pl.col("index") == frame)
        if known.is_empty():
            return Answer("FRAME_UNKNOWN", f"The media has no frame {frame}.", {"frame_count": verdict.pack.frame_count})
        row = known.row(0, named=True)
        if row["problem"] is not None:
            return Answer(row["problem"], "The frame has no picture.", row)
        least = self._row.asked.min_annotations
        return Answer(
            "BELOW_MIN_ANNOTATIONS", f"The frame has fewer annotations than the {least} asked for.", {"min_annotations": least} | row
        )

    def export(
        self,
        format: str,
        out: str | Path,
        *,
        split: str | None = None,
        purpose: str = "training",
        progress: Progress | None = None,
        storage_options: Mapping[str, object] | None = None,
    ) -> ExportReport:
        """Write the dataset, or one split, in a format to `out`, a folder or URL, whole or not at all, and record it with its file digests.

        An export for training passes the guard of `for_training`; one for `purpose="evaluation"` stands in the holdout ledger.
        `losses` lists beforehand what the format has no place for. `progress(done, total)` is told the samples after each chunk, and may
        raise to cancel: then nothing is left. Raises `UNKNOWN_FORMAT`, `EXPORT_TARGET_TAKEN`, `STORAGE_WRITE_FAILED`, `DATASET_NOT_READY`,
        `NOT_FOUND` for a split, `FROZEN_DATASET_TRAINING_FORBIDDEN` and `FROZEN_SOURCE_LEAKAGE_FORBIDDEN`.
        """
        writer(format)  # a format that is not there is said before anything is counted as a look
        passed = self._pass(purpose, split)
        return self._write_export(format, out, split=split, purpose=passed, progress=progress, storage_options=storage_options)

    def losses(self, format: str, split: str | None = None) -> pl.DataFrame:
        """Return what the dataset holds and a format has no place for, one row each: facet, count, sentence. Nothing is written."""
        writer(format)
        return losses_frame(self._exported(split).losses(format))

    def _write_export(
        self,
        format: str,
        out: str | Path,
        *,
        split: str | None,
        purpose: Purpose,
        progress: Progress | None = None,
        storage_options: Mapping[str, object] | None = None,
    ) -> ExportReport:
        """Write and record an export that a guard has let through."""
        return self._exported(split).write(format, out, purpose, progress, storage_options)

    def _exported(self, split: str | None) -> SampleExport:
        self._check_split(split)
        with self._gate.read() as (tx, _):
            capability = tx.media.capability(self._gate.workspace.id, self.capability)
        return SampleExport(self._gate, self._row, self._tree, lambda rows: self._of(rows, split), capability, split, lambda: self.assets)

    def to_page(self, path: str | Path, *, samples: int | Sequence[str] = SAMPLES, side_px: int = SIDE_PX) -> Path:
        """Write what is known of this version as one HTML file that needs no kernel and no network, and return its path.

        `samples` is how many are shown, evenly spread in key order, or which (keys); pictures are at most `side_px` px on a
        side. Raises `STORAGE_WRITE_FAILED`, `INVALID_VALUE`, and `NOT_FOUND` for a key.
        """
        from labelkit.services.datasets.exporting.page import Shown, write_page

        tree = None if self._row.snapshot_id is None else self._tree
        shown = Shown(self.facts, tree, self.judged_by, self.assets, self.sample)
        return write_page(self._gate, shown, path, samples, side_px)

    @cached_property
    def judged_by(self) -> Capability | None:
        """Return the capability that the labels are judged by; None where the workspace does not know it any more."""
        with suppress(NotFound), self._gate.read() as (tx, _):
            return tx.media.capability(self._gate.workspace.id, self.capability)
        return None

    @cached_property
    def _tree(self) -> Tree:
        if self._row.snapshot_id is None:
            because = f": {self.failure}" if self.failure else ""
            raise DatasetNotReady(dataset=self.title, status=self.status, because=because)
        with self._gate.read() as (tx, _):
            return tx.datasets.snapshots.tree(self._row.snapshot_id)

    def _rows(self, split: str | None) -> pl.LazyFrame:
        self._check_split(split)
        return self._of(snapshots.scan(self._gate.database.objects, self._tree), split)

    @staticmethod
    def _of(rows: pl.LazyFrame, split: str | None) -> pl.LazyFrame:
        wanted = rows if split is None else rows.filter(pl.col("split") == split)
        return wanted.drop(snapshots.ROW_DIGEST)

    def _check_split(self, split: str | None) -> None:
        """Refuse a split that the dataset does not have; one without a version has no content at all."""
        if self._tree and split is not None and split not in self.split_counts:
            raise NotFound.among("split", split, self.split_counts, "dataset.split_counts")
