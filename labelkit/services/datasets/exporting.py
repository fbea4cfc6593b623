"""Exports of a dataset: what a writer must know of its samples and their pictures, what it would lose, and the record in the store."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from labelkit.core.actors import Action
from labelkit.core.media import MediaKind
from labelkit.errors import LabelkitError, StoreReadOnly
from labelkit.formats import exporting, writer
from labelkit.formats.export_reports import ExportReport
from labelkit.formats.exports import About
from labelkit.formats.losses import losses
from labelkit.media.sources import open_frames
from labelkit.store import snapshots
from labelkit.store.ids import new_id
from labelkit.store.media import Frames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import polars as pl

    from labelkit.core.datasets.freezing import Purpose
    from labelkit.core.review.annotations import Capability
    from labelkit.core.versions import Tree
    from labelkit.formats.exporting import Progress
    from labelkit.formats.exports import Loss
    from labelkit.media.sources import FrameSource
    from labelkit.store.acting import Gate
    from labelkit.store.datasets import BuildRow
    from labelkit.store.materials import MediaSource


@dataclass(frozen=True, slots=True)
class SampleExport:
    """Samples of a version that are to be exported: all of them, or those that `keep` leaves of each chunk, which are of one split."""

    gate: Gate
    row: BuildRow
    tree: Tree
    keep: Callable[[pl.LazyFrame], pl.LazyFrame]
    capability: Capability
    split: str | None

    def losses(self, format: str) -> tuple[Loss, ...]:
        """Return what the samples hold and a format has no place for."""
        return losses(writer(format), self._rows, self._about)

    def write(
        self,
        format: str,
        out: str | Path,
        purpose: Purpose,
        progress: Progress | None = None,
        storage_options: Mapping[str, object] | None = None,
    ) -> ExportReport:
        """Write the samples and record that with the digest of each file; a store that cannot be written keeps no record."""
        counts = self.row.split_samples
        written = exporting.export(
            writer(format),
            snapshots.chunks(self.gate.database.objects, self.tree, self.keep),
            out,
            self._about,
            total=sum(counts.values()) if self.split is None else counts[self.split],
            losses=self.losses(format),
            progress=progress,
            storage_options=storage_options,
        )
        report = ExportReport.of(new_id("exp"), format, self.split, written)
        version = self.row.version_id
        with suppress(StoreReadOnly), self.gate.act(Action.READ, f"dataset:{version}") as act:
            act.tx.exports.add(report.as_row("dataset", version, act.actor.user))
            act.record("EXPORTED", purpose=purpose, format=format, path=str(report.path), files=len(report.files))
        return report

    @property
    def _rows(self) -> pl.LazyFrame:
        return self.keep(snapshots.scan(self.gate.database.objects, self.tree))

    @property
    def _about(self) -> About:
        row = self.row
        return About(
            title=f"{row.name} v{row.number}",
            description=row.asked.description or "",
            version=str(row.number),
            key="sample_key",
            columns=dict(self._rows.collect_schema()),
            splits=tuple(row.split_samples) if self.split is None else (self.split,),
            capability=self.capability,
            picture=SamplePictures(self.gate, row.id),
            creator=row.created_by,
            published=f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}",
            source=f"dataset:{row.manifest_hash}",
        )


class SamplePictures:
    """Gives the pictures of samples as they are stored, if they are still those that were labelled and the user may read them."""

    def __init__(self, gate: Gate, build: str) -> None:
        self._gate = gate
        self._build = build
        self._open: dict[tuple[object, object], tuple[FrameSource, Frames]] = {}

    def __call__(self, row: Mapping[str, object]) -> tuple[bytes, str] | None:
        """Return the bytes and MIME type of the picture of a sample row, None where there is none."""
        place = row["workspace"], row["media"]
        if place not in self._media:
            return None
        try:
            if place not in self._open:
                media = self._media[place]
                frames = Frames(self._gate.database.objects.read_frame(media.frames_object))
                self._open[place] = open_frames(MediaKind(media.kind), media.root, frames.rows), frames
            source, frames = self._open[place]
            frame = frames[int(str(row["frame_index"]))]
            return source.bytes(frame) if frame.sha256 == row["sha256"] else None
        except LabelkitError:
            return None

    @cached_property
    def _media(self) -> dict[tuple[object, object], MediaSource]:
        with self._gate.read() as (tx, actor):
            sources = tx.datasets.materials.sources(self._build)
        return {(one.workspace, one.media): one for one in sources if actor.may(Action.READ, one.workspace_id)}
