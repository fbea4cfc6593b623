"""Exports of a dataset: what a writer must know of its samples and their pictures, what it would lose, and the record in the store."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labelkit.core.actors import Action
from labelkit.errors import StoreReadOnly
from labelkit.formats import exporting, writer
from labelkit.formats.exporting.losses import losses
from labelkit.formats.exporting.reports import ExportReport
from labelkit.formats.exports import About, Facet
from labelkit.formats.keyed.row_batches import ahead
from labelkit.services.datasets.exporting.pictures import ExportedPictures
from labelkit.store.ids import new_id
from labelkit.store.versions import snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import polars as pl

    from labelkit.core.datasets.freezing import Purpose
    from labelkit.core.review.annotations import Capability
    from labelkit.core.versions import Tree
    from labelkit.formats.exporting import Progress
    from labelkit.formats.exports import Loss
    from labelkit.services.datasets.materializing.assets import SampleAssets
    from labelkit.store.acting import Gate
    from labelkit.store.datasets.rows import BuildRow


@dataclass(frozen=True, slots=True)
class SampleExport:
    """Samples of a version that are to be exported: all of them, or those that `keep` leaves of each chunk, which are of one split."""

    gate: Gate
    row: BuildRow
    tree: Tree
    keep: Callable[[pl.LazyFrame], pl.LazyFrame]
    capability: Capability
    split: str | None
    assets: Callable[[], SampleAssets]

    def losses(self, format: str) -> tuple[Loss, ...]:
        """Return what the samples hold and a format has no place for, and which pictures it will not have as they are stored."""
        kind = writer(format)
        found = losses(kind, self._rows, self._about)
        if Facet.PICTURES not in kind.carries:
            return found
        with self._pictures([]) as pictures:
            return (*found, *pictures.expected(self._rows))

    def write(
        self,
        format: str,
        out: str | Path,
        purpose: Purpose,
        progress: Progress | None = None,
        storage_options: Mapping[str, object] | None = None,
    ) -> ExportReport:
        """Write the samples and record that with the digest of each file; a store that cannot be written keeps no record."""
        kind, counts = writer(format), self.row.split_samples
        lost = [*losses(kind, self._rows, self._about)]
        with self._pictures(lost) as pictures:
            written = exporting.export(
                kind,
                ahead(snapshots.chunks(self.gate.database.objects, self.tree, self.keep)),
                out,
                replace(self._about, picture=pictures) if Facet.PICTURES in kind.carries else self._about,
                total=sum(counts.values()) if self.split is None else counts[self.split],
                losses=lost,  # grows while pictures are found missing, and is looked at when all are written
                progress=progress,
                storage_options=storage_options,
            )
        report = ExportReport.of(new_id("exp"), format, self.split, written)
        version = self.row.version_id
        with suppress(StoreReadOnly), self.gate.act(Action.READ, f"dataset:{version}") as act:
            act.tx.exports.add(report.as_row("dataset", version, act.actor.user))
            act.record("EXPORTED", purpose=purpose, format=format, path=str(report.path), files=len(report.files))
        return report

    def _pictures(self, lost: list[Loss]) -> ExportedPictures:
        return ExportedPictures(self.gate, self.row.id, self.assets, lost)

    @property
    def _rows(self) -> pl.LazyFrame:
        return self.keep(snapshots.scan(self.gate.database.objects, self.tree))

    @property
    def _about(self) -> About:
        row = self.row  # who built it and when is left out: equal builds, as of a replay, are equal files
        return About(
            title=f"{row.name} v{row.number}",
            description=row.asked.description or "",
            version=str(row.number),
            key="sample_key",
            columns=dict(self._rows.collect_schema()),
            splits=tuple(row.split_samples) if self.split is None else (self.split,),
            capability=self.capability,
            source=f"dataset:{row.manifest_hash}",
        )
