"""Exports of examples in any format of rows, what each would lose, and their records."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from polars import selectors as cs

from labelkit.core.actors import Action
from labelkit.core.golden.tiers import Tier
from labelkit.errors import StoreReadOnly
from labelkit.formats import exporting, golden_lines, writer
from labelkit.formats.exporting.losses import losses, losses_frame
from labelkit.formats.exporting.reports import ExportReport
from labelkit.formats.exporting.splitting import check_group, checked_shares, with_splits
from labelkit.formats.exports import About
from labelkit.services.golden.looking import checked_status
from labelkit.services.golden.types import type_of
from labelkit.store.golden import scores as golden_scores
from labelkit.store.golden.encode import Style, encoded
from labelkit.store.golden.examples import COLUMNS, SCORES
from labelkit.store.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labelkit.formats.exporting import Progress
    from labelkit.formats.exports import Format
    from labelkit.store.acting import Gate

KEY = "example_id"
CHUNK_ROWS = 65_536
EVERY_TYPE = "every type"
_TEXTS = ("input", "output", "labels")  # JSON texts, in all formats but CSV by these names
_FLAT = (KEY, "type", "input", "output", "quality_score", "labels", "tier", "status", "source_decision_id")
_CSV = {"input": "input_json", "output": "output_json"}
_METADATA = (KEY, "type", "quality_score", "tier", "status", "source_decision_id")


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Examples to be exported: what they are called, their rows with scores, in order of ids and read when asked for, and how many."""

    title: str
    rows: pl.LazyFrame
    count: int

    def chunks(self) -> Iterator[pl.DataFrame]:
        """Yield the rows, so many at a time."""
        for start in range(0, self.count, CHUNK_ROWS):
            yield self.rows.slice(start, CHUNK_ROWS).collect()


class Exporting:
    """The use cases that write examples out, for one workspace."""

    _gate: Gate

    def export(
        self,
        format: str,
        out: str | Path,
        type: str | None = None,
        status: str | None = None,
        tier: str | None = None,
        splits: Mapping[str, float] | None = None,
        by: str | None = None,
        progress: Progress | None = None,
        storage_options: Mapping[str, object] | None = None,
    ) -> ExportReport:
        """Write examples, those of a type, status and tier where these are given, to `out`, a folder or a URL, whole or not at all.

        A line of `jsonl` is `{"input":…,"output":…,"metadata":{…}}`. Rows of other formats have example_id, type, input, output,
        quality_score, labels, tier, status and source_decision_id, of which input, output and labels are canonical JSON texts; `csv` calls
        the first two input_json and output_json. `splits` and `by` are as in `ws.versions.export`: a hash of the id, or of the value of a
        column of `to_polars()`, chooses. The same examples give the same bytes; `add_file` reads them back with the ids they have. Raises
        `UNKNOWN_FORMAT`, `NOT_FOUND`, `INVALID_VALUE`, `EXPORT_TARGET_TAKEN`, `STORAGE_WRITE_FAILED`, `PERMISSION_DENIED`.
        """
        kind = _format(format)
        shares = None if splits is None else checked_shares(splits)
        with self._chosen(type, status, tier) as chosen:
            check_group(by, chosen.rows.collect_schema())
            about = _about(kind, chosen, tuple(shares or ()))
            lost = losses(kind, _shaped(chosen.rows, kind), about)
            rows = (chunk if shares is None else with_splits(chunk, shares, KEY, by) for chunk in chosen.chunks())
            chunks = (_shaped(chunk.lazy(), kind, split=shares is not None).collect() for chunk in rows)
            written = exporting.export(
                kind, chunks, out, about, total=chosen.count, losses=lost, progress=progress, storage_options=storage_options
            )
        report = ExportReport.of(new_id("exp"), format, None, written)
        with suppress(StoreReadOnly), self._gate.act(Action.READ, f"examples:{type or EVERY_TYPE}") as act:
            act.tx.exports.add(report.as_row("golden", self._recorded(type), act.actor.user))
            facts = {"format": format, "path": str(report.path), "files": len(report.files), "rows": report.row_count}
            act.record("EXPORTED", **facts, losses=[str(loss.facet) for loss in lost])
        return report

    def losses(self, format: str, type: str | None = None) -> pl.DataFrame:
        """Return what examples hold and a format has no place for, one row each: facet, count, sentence. Nothing is written."""
        kind = _format(format)
        with self._chosen(type, None, None) as chosen:
            return losses_frame(losses(kind, _shaped(chosen.rows, kind), _about(kind, chosen, ())))

    def exports(self, type: str | None = None) -> pl.DataFrame:
        """Return the recorded exports of a type, or of all together: id, format, split, path, files, losses, created_at, created_by."""
        with self._gate.read() as (tx, _):
            return tx.exports.of(self._recorded(type))

    def _recorded(self, type: str | None) -> str:
        return f"golden:{self._gate.workspace.id}:{type or EVERY_TYPE}"

    @contextmanager
    def _chosen(self, type: str | None, status: str | None, tier: str | None) -> Iterator[_Chosen]:
        """Give the examples as they are now, in a file that goes with the block."""
        workspace = self._gate.workspace.id
        wanted, status = None if tier is None else Tier.named(tier), checked_status(status)
        with tempfile.TemporaryDirectory(prefix="labelkit-golden-") as folder:
            file = Path(folder, "examples.parquet")
            with self._gate.read() as (tx, _):
                if type is not None:
                    type_of(tx, workspace, type)
                tx.golden.hand_out(workspace, file, type=type, status=status)
                scorings = golden_scores.newest(tx, workspace, type)
            scores = golden_scores.qualities(self._gate.database.objects, scorings).lazy()
            rows = pl.scan_parquet(file, glob=False).with_columns(cs.datetime().dt.replace_time_zone("UTC"))
            if wanted is not None:
                scores = scores.filter(pl.col("tier") == wanted.value)
                rows = rows.join(scores.select(KEY), on=KEY, how="semi", maintain_order="left")
            scored = rows.join(scores, on=KEY, how="left", maintain_order="left").select(*COLUMNS, *SCORES)
            said = [word for word in (tier, status) if word is not None]
            yield _Chosen(f"{' '.join([*said, type or 'golden'])} examples", scored, rows.select(pl.len()).collect().item())


def _format(name: str) -> Format:
    return golden_lines.FORMAT if name == "jsonl" else writer(name)


def _about(kind: Format, chosen: _Chosen, splits: tuple[str, ...]) -> About:
    columns = dict(_shaped(chosen.rows, kind).collect_schema())
    texts = tuple(golden_lines.COLUMNS) if kind is golden_lines.FORMAT else _TEXTS if kind.embeds else ()
    return About(
        title=chosen.title,
        description="What a model should say to each input, how it was judged and how good the example is.",
        version=None,
        key=KEY,
        columns=columns,
        json_columns=texts,
        splits=splits,
    )


def _shaped(rows: pl.LazyFrame, kind: Format, *, split: bool = False) -> pl.LazyFrame:
    """Return rows of `to_polars()` in the columns of a format."""
    also = ["split"] if split else []
    named = rows.rename({"expected_output": "output"})
    if kind is golden_lines.FORMAT:
        return named.select("input", "output", _metadata(), *also)
    flat = named.select(*_FLAT, *also)
    return flat.rename(_CSV) if kind.name == "csv" else flat


def _metadata() -> pl.Expr:
    """Return what is known of an example beside input and output, as JSON; labels come last."""
    said = {name: encoded(pl.col(name), COLUMNS.get(name) or SCORES[name], Style()).fill_null("null") for name in _METADATA}
    said["labels"] = pl.col("labels")
    parts = [part for n, (name, text) in enumerate(said.items()) for part in (pl.lit(f'{"," if n else "{"}"{name}":'), text)]
    return pl.concat_str(*parts, pl.lit("}")).alias("metadata")
