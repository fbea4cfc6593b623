"""Exports of versions in any format of rows, what each would lose, and the way back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.versions import MAIN, Ref
from labelkit.errors import InvalidValue, StoreReadOnly
from labelkit.formats import exporting, row_reader, writer
from labelkit.formats.exporting.losses import losses, losses_frame
from labelkit.formats.exporting.reports import ExportReport
from labelkit.formats.exporting.splitting import check_group, checked_shares, with_splits
from labelkit.formats.exports import About
from labelkit.formats.keyed.row_batches import in_order
from labelkit.formats.keyed.row_sources import key_of, local_copy
from labelkit.services.versions.reading import resolved, text_of
from labelkit.store.ids import new_id
from labelkit.store.versions import snapshots
from labelkit.store.versions.chunking import read_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from labelkit.core.versions import Chunk, Tree
    from labelkit.formats.exporting import Progress
    from labelkit.formats.exports import Format
    from labelkit.services.versions.committing import Committing
    from labelkit.services.versions.reading import Reading, RefLike
    from labelkit.services.versions.values import CommitOutcome
    from labelkit.store.acting import Gate
    from labelkit.store.versions.commits import CommitRow

FIRST_ROWS = 1_000  # looked at before all rows are asked whether a column of text is JSON


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A commit to be exported, its rows as a tree and what the ref calls it."""

    commit: CommitRow
    tree: Tree
    version: str


class Exporting:
    """Writes versions out and reads rows in."""

    def __init__(self, gate: Gate, reading: Reading, committing: Committing) -> None:
        self._gate = gate
        self._reading = reading
        self._committing = committing

    def export(
        self,
        ref: RefLike,
        format: str,
        out: str | Path,
        splits: Mapping[str, float] | None,
        by: str | None,
        progress: Progress | None,
        storage_options: Mapping[str, object] | None,
    ) -> ExportReport:
        """Write a version in a format; `Versions.export` says all about it."""
        kind, chosen = writer(format), self._chosen(ref)
        shares = None if splits is None else checked_shares(splits)
        about = self._about(chosen, kind, tuple(shares or ()))
        check_group(by, about.columns)
        if shares is not None and "split" in about.columns:
            fix = "Leave splits out, or commit the rows under another name of that column."
            raise InvalidValue(what="splits", reason="the rows have a column named split already", fix=fix)
        if by is not None and shares is None:
            raise InvalidValue(what="by", reason="there are no splits", fix="Give splits too, such as train=0.8 and val=0.2.")
        lost = losses(kind, self._rows(chosen), about)
        chunks = self._chunks(chosen, shares, by)
        total = chosen.commit.rows
        written = exporting.export(kind, chunks, out, about, total=total, losses=lost, progress=progress, storage_options=storage_options)
        report = ExportReport.of(new_id("exp"), format, None, written)
        with suppress(StoreReadOnly), self._gate.act(Action.READ, f"versions:{chosen.commit.history.name}") as act:
            act.tx.exports.add(report.as_row("version", chosen.commit.id, act.actor.user))
            facts = {"commit": chosen.commit.id, "format": format, "path": str(report.path), "files": len(report.files)}
            act.record("EXPORTED", **facts, losses=[str(loss.facet) for loss in lost])
        return report

    def losses(self, ref: RefLike, format: str) -> pl.DataFrame:
        """Return what a format would lose; `Versions.losses` says all about it."""
        kind, chosen = writer(format), self._chosen(ref)
        return losses_frame(losses(kind, self._rows(chosen), self._about(chosen, kind, ())))

    def exports(self, ref: RefLike) -> pl.DataFrame:
        """Return the records of the exports of a version."""
        with self._gate.read() as (tx, _):
            return tx.exports.of(self._reading.commit(tx, ref).id)

    def import_(
        self,
        name: str,
        format: str,
        source: str | Path,
        *,
        key: str | None,
        message: str,
        branch: str,
        storage_options: Mapping[str, object] | None,
    ) -> CommitOutcome:
        """Commit the rows of files; `Versions.import_` says all about it."""
        read = row_reader(format)
        with local_copy(source, storage_options) as path:
            frames = list(read(path))
            told = key_of(path)
        rows = pl.concat(frames, how="vertical_relaxed")
        with self._gate.read() as (tx, _):
            known = tx.versions.history(self._gate.workspace.id, name)
        return self._committing.commit(
            name,
            rows,
            key=key if known is not None else key or told,
            message=message or f"Import {format} from {source}",
            upsert=False,
            remove=(),
            branch=branch,
            expected_head=None,
        )

    def _chosen(self, ref: RefLike) -> _Chosen:
        with self._gate.read() as (tx, _):
            commit = resolved(tx, self._gate, ref).commit
            if commit is None:
                fix = f"Export it by its door: ws.datasets.get({text_of(ref)!r}).export(...)."
                raise InvalidValue(what=f"The ref {text_of(ref)}", reason="a dataset version is exported as a dataset", fix=fix)
            at = Ref.parse(text_of(ref)).at
            tagged = at in tx.versions.tags(commit.history.id) and at != MAIN
            return _Chosen(commit, self._reading.tree(tx, commit.snapshot_id), at if tagged else commit.id[:12])

    def _about(self, chosen: _Chosen, format: Format, splits: tuple[str, ...]) -> About:
        commit, value = chosen.commit, chosen.commit.value
        columns = dict(self._rows(chosen).collect_schema())
        return About(
            title=commit.history.name,
            description=value.message,
            version=chosen.version,
            key=commit.history.key,
            columns=columns,
            json_columns=self._json_columns(chosen, columns) if format.embeds else (),
            splits=splits,
            creator=value.author,
            published=f"{value.committed_at:%Y-%m-%dT%H:%M:%SZ}",
            source=f"commit:{commit.id}",
        )

    def _json_columns(self, chosen: _Chosen, columns: Mapping[str, pl.DataType]) -> tuple[str, ...]:
        """Return the columns of text in which every value is a JSON object or array by its first and last character."""
        rows, names = (
            self._rows(chosen),
            [name for name, kind in columns.items() if kind == pl.String and name != chosen.commit.history.key],
        )
        for part in (rows.head(FIRST_ROWS), rows):
            nested = [
                (pl.col(name).str.contains(r"^\{(?s:.)*\}$|^\[(?s:.)*\]$").all() & (pl.col(name).count() > 0)).alias(name) for name in names
            ]
            found = snapshots.collected(part.select(nested)).row(0, named=True) if names else {}
            names = [name for name in names if found[name]]
        return tuple(names)

    def _rows(self, chosen: _Chosen) -> pl.LazyFrame:
        objects = self._gate.database.objects
        rows = snapshots.scan(objects, chosen.tree) if chosen.tree.chunks else read_chunks(objects, chosen.tree, []).lazy()
        return rows.select(chosen.commit.columns)

    def _chunks(self, chosen: _Chosen, shares: Mapping[str, float] | None, by: str | None) -> Iterator[pl.DataFrame]:
        objects, commit = self._gate.database.objects, chosen.commit

        def rows_of(chunk: Chunk) -> pl.DataFrame:
            rows = snapshots.collected(objects.scan([chunk.object]).select(commit.columns))
            return rows if shares is None else with_splits(rows, shares, commit.history.key, by)

        return in_order(chosen.tree.chunks, rows_of)
