"""`ws.golden.pipeline(...)`: production decisions become golden examples; every row ends in one place, and none is dropped silently."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.golden.score_rules import ScorePolicy
from labelkit.errors import ExampleTypeConflict, InvalidValue, StoreConflict
from labelkit.services.golden.pipeline_placing import SCORES, Candidates, batches, candidates, links, placed, scored
from labelkit.services.golden.pipeline_reading import Plan, Spooled, Where, planned, spooled
from labelkit.services.golden.pipeline_values import ExtractReport, Preview
from labelkit.services.golden.types import type_of
from labelkit.store.golden.extractions import ExtractionRow, new_extraction_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labelkit.formats.decisions.filters import Filters
    from labelkit.formats.decisions.sources import FileFormat
    from labelkit.services.golden.pipeline_placing import Placed
    from labelkit.store.acting import Act, Gate


class Pipelines:
    """The doors to pipelines, for one workspace."""

    _gate: Gate

    def pipeline(  # noqa: PLR0913 - one call says where decisions come from and what becomes of them
        self,
        source: str | Path | pl.DataFrame | pl.LazyFrame,
        type: str,
        mapping: Mapping[str, Any],
        *,
        filters: Filters = None,
        quality_threshold: float | None = None,
        decision_id: object = None,
        since: object = None,
        table: str | None = None,
        query: str | None = None,
        parameters: Mapping[str, object] | None = None,
        format: FileFormat | None = None,
        storage_options: Mapping[str, Any] | None = None,
        workspace_url: str | None = None,
        source_name: str | None = None,
        policy: ScorePolicy | Mapping[str, object] | None = None,
    ) -> Pipeline:
        """Return a pipeline from production decisions to examples of a type: look with `.preview()`, then run `.extract()`.

        `source` is a frame; Parquet, CSV or JSON Lines at a path, a glob or a URL of fsspec (`storage_options`); `duckdb:///file.duckdb`
        with `table` or `query` (one SELECT, with `parameters`); or `unity://catalog.schema.table` (`workspace_url`; its token is in the
        environment). `mapping` says what fills each field: `{"input.title": "job_title", "expected_output.tier": {"column": "tier", "map":
        {...}}}`, with constants, casts, defaults, and expressions of polars; text of CSV is read as what the field takes. `filters` keep
        rows: `{"is_positive": True, "confidence": {"min": 0.8}}`, lists, times, expressions. `decision_id` is the column that names a
        decision; content that a known decision did not have before is reported as changed. With `quality_threshold`, in points, rows are
        scored together with the examples that are there, by `policy` as in `ws.golden.score`, and only those at or above it are kept.
        `since` is a column of times or numbers: a later run of the same pipeline leaves out what is before the newest value that this one
        saw. Nothing is opened yet.
        Raises `NOT_FOUND` (the type), `MAPPING_INVALID`, `FILTER_INVALID`, `INVALID_VALUE`.
        """
        with self._gate.read() as (tx, _):
            kind = type_of(tx, self._gate.workspace.id, type)
        where = Where(source, format, table, query, parameters, storage_options, workspace_url, source_name)
        plan = planned(
            kind,
            where,
            mapping=mapping,
            filters=filters,
            decision_id=decision_id,
            since=since,
            quality_threshold=quality_threshold,
            policy=policy if policy is None or isinstance(policy, ScorePolicy) else ScorePolicy.model_validate(policy),
        )
        return Pipeline(self._gate, plan)

    def extractions(self, type: str | None = None) -> pl.DataFrame:
        """Return one row a run of a pipeline, newest first: id, type, source_kind, source, read, how many rows ended in each place.

        Then quality_threshold, since, watermark, mapping_digest, created_at, created_by. Sources stand there without secrets.
        """
        with self._gate.read() as (tx, _):
            if type is not None:
                type_of(tx, self._gate.workspace.id, type)
            return tx.extractions.listed(self._gate.workspace.id, type)


@dataclass(frozen=True, slots=True)
class _Work:
    """A source that was read and held against its type, before anything is written."""

    spool: Spooled
    found: Candidates
    scores: pl.DataFrame | None
    digest: str
    folder: Path


class Pipeline:
    """Decisions of one source on their way to examples of one type."""

    def __init__(self, gate: Gate, plan: Plan) -> None:
        self._gate = gate
        self._plan = plan

    @property
    def type(self) -> str:
        """Return the type of the examples."""
        return self._plan.kind.name

    def preview(self, n: int = 10, *, rows: int | None = None) -> Preview:
        """Return what `extract` would do now, with the first `n` examples; nothing is written.

        `rows` reads only the beginning of the source. Raises what `extract` raises, but for what only writing can meet.
        """
        if n < 0 or (rows is not None and rows < 1):
            raise InvalidValue(what="preview", reason="there is nothing to show", fix="Give n from 0 and rows from 1.")
        with self._work(rows) as work:
            with self._gate.read() as (tx, _):
                found = placed(tx, self._gate.workspace.id, self._plan, work.spool, work.found, work.scores)
            return Preview(**self._told(work, found), examples=_examples(found, work, n))

    def extract(self) -> ExtractReport:
        """Add what is new, and report where every row ended. Doing it twice adds nothing the second time. For annotators and above.

        The source is read and judged first; what is to be added is decided and written in one transaction, whole or not at all, so that
        two at once add nothing twice. Raises `SOURCE_*`, `MAPPING_INVALID`, `FILTER_INVALID`, `NOT_FOUND` (a column or table),
        `EXAMPLE_TYPE_CONFLICT` where the type has another version by now, `PERMISSION_DENIED`.
        """
        subject = f"examples:{self.type}"
        with self._gate.read() as (_, actor):
            pass
        self._gate.require(Action.LABEL_EXAMPLE, subject, actor)
        with self._work(None) as work, self._gate.act(Action.LABEL_EXAMPLE, subject, on_conflict=StoreConflict) as act:
            if act.tx.golden.type(act.workspace, self.type) != self._plan.kind:
                raise ExampleTypeConflict(reason=f"{self.type} was registered anew while this pipeline was in use")
            found = placed(act.tx, act.workspace, self._plan, work.spool, work.found, work.scores)
            return self._written(act, work, found)

    def _written(self, act: Act, work: _Work, found: Placed) -> ExtractReport:
        extraction, told = new_extraction_id(), self._told(work, found)
        for batch in batches(found.kept(), work.found):
            act.tx.golden.add(act.workspace, self._plan.kind, batch, act.actor.user)
        linked = links(found.rows)
        if linked.height:
            file = work.folder / "links.parquet"
            linked.write_parquet(file)
            act.tx.extractions.link(act.workspace, self.type, extraction, file)
        act.tx.extractions.add(act.workspace, self._row(extraction, work, found), act.actor.user)
        act.record(
            "EXTRACTED",
            extraction=extraction,
            source=work.spool.source.title,
            mapping=self._plan.mapping,
            quality_threshold=self._plan.quality_threshold,
            **found.tally.as_json(),
        )
        return ExtractReport(**told, id=extraction)

    @contextmanager
    def _work(self, rows: int | None) -> Iterator[_Work]:
        """Read the source into a folder that is gone afterwards."""
        workspace, plan = self._gate.workspace.id, self._plan
        with tempfile.TemporaryDirectory(prefix="labelkit-pipeline-") as name:
            folder = Path(name)
            source = plan.where.open(folder)
            digest = plan.digest(source)
            with self._gate.read() as (tx, _):
                watermark = tx.extractions.watermark(workspace, digest) if plan.since is not None else None
            spool = spooled(plan, source, folder / "spool.parquet", watermark, rows)
            found = candidates(plan, spool, folder)
            scores = None
            if plan.quality_threshold is not None:
                with self._gate.read() as (tx, _):
                    present = tx.golden.frame(workspace, type=plan.kind.name)
                scores = scored(self._gate.database, present, plan, found, folder)
            yield _Work(spool, found, scores, digest, folder)

    def _told(self, work: _Work, found: Placed) -> dict[str, Any]:
        plan = self._plan
        return {
            "type": self.type,
            "source": work.spool.source.title,
            "tally": found.tally,
            "rows": found.rows,
            "quality_threshold": plan.quality_threshold,
            "since": None if plan.since is None else plan.since.title,
            "watermark": work.spool.watermark,
        }

    def _row(self, extraction: str, work: _Work, found: Placed) -> ExtractionRow:
        plan, source = self._plan, work.spool.source
        return ExtractionRow(
            id=extraction,
            type=self.type,
            type_version=plan.kind.version,
            source_kind=source.kind,
            source=source.title,
            plan=work.digest,
            mapping=plan.mapping,
            filters=plan.filtering,
            quality_threshold=plan.quality_threshold,
            tally=found.tally,
            since=None if plan.since is None else plan.since.title,
            watermark=work.spool.watermark,
        )

    def __repr__(self) -> str:
        plan = self._plan
        lines = [f"<Pipeline to {plan.kind.name} version {plan.kind.version}; look with .preview(), run with .extract()>"]
        lines += [f"  {cell.target} <- {cell.rule.title}" for cell in plan.cells]
        return "\n".join(lines)


def _examples(found: Placed, work: _Work, n: int) -> pl.DataFrame:
    """Return the first rows that would become examples, whole."""
    kept = found.kept().head(n)
    contents = work.spool.rows().select("row", "input", "expected_output", "labels").join(kept.lazy().select("row"), on="row", how="semi")
    scores = pl.DataFrame(schema=SCORES) if work.scores is None else work.scores
    named = scores.rename({"total": "quality_score"})
    made = kept.join(contents.collect(), on="row", how="left", maintain_order="left")
    return made.join(named, on="example_id", how="left", maintain_order="left")
