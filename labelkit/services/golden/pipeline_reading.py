"""The first half of a pipeline: rows of the source become a file of JSON texts, each with the first thing that keeps it out, if any."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import polars as pl

from labelkit.core.golden.mapping import check_targets, mapping_digest, parse_mapping, rule_of
from labelkit.core.golden.pipeline import Reason
from labelkit.core.hashing import digest_of, sha256_hex
from labelkit.errors import InvalidValue, MappingInvalid
from labelkit.formats.decisions.filters import Filter, Filters, compiled_filters, filters_digest, moment_filter
from labelkit.formats.decisions.json_expressions import as_time, json_text
from labelkit.formats.decisions.mapping import PROBLEM, VALUE, Problem, compiled, value_of
from labelkit.formats.decisions.sources import Secrets, Source, file_source, frame_source
from labelkit.formats.decisions.unity_source import PREFIX, unity_source
from labelkit.store.golden.decisions import Asked, read_duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labelkit.core.golden.mapping import Cell, Field, Rule
    from labelkit.core.golden.score_rules import ScorePolicy
    from labelkit.core.golden.types import ExampleType
    from labelkit.formats.decisions.sources import FileFormat

DUCKDB = "duckdb://"
SINCE = "since"
ROW, ID, OUT, CAME, MARK = "row", "decision_id", "out", "came", "mark"
_SPOOLED = (ROW, ID, OUT, CAME, MARK, PROBLEM, VALUE, "input", "expected_output", "labels")
_STRANGE = 1 << 16  # added to the number of a filter whose column holds what cannot be compared


@dataclass(frozen=True, slots=True)
class Where:
    """Where decisions come from, as it was asked; nothing was opened yet."""

    source: str | Path | pl.DataFrame | pl.LazyFrame
    format: FileFormat | None = None
    table: str | None = None
    query: str | None = None
    parameters: Mapping[str, object] | None = field(default=None, repr=False)
    storage_options: Mapping[str, Any] | None = field(default=None, repr=False)
    workspace_url: str | None = None
    source_name: str | None = None

    def open(self, folder: Path) -> Source:
        """Return the source, ready to be read; what must be fetched for it lies in `folder`."""
        found = self._open(folder)
        return found if self.source_name is None else Source(found.kind, self.source_name, found.rows, found.secrets, found.is_text)

    def _open(self, folder: Path) -> Source:
        is_frame = isinstance(self.source, (pl.DataFrame, pl.LazyFrame))
        text = "" if is_frame else str(self.source)
        is_duckdb = text.startswith(DUCKDB) or text.endswith((".duckdb", ".ddb"))
        if is_duckdb != (self.table is not None or self.query is not None) or (self.table is not None and self.query is not None):
            reason = "a DuckDB file needs one of table= and query=" if is_duckdb else "table= and query= are for a DuckDB file"
            raise InvalidValue(what="source", reason=reason, fix="Write source='duckdb:///path/file.duckdb', table='decisions'.")
        if isinstance(self.source, (pl.DataFrame, pl.LazyFrame)):
            return frame_source(self.source)
        if is_duckdb:
            return self._duckdb(text, folder)
        if text.startswith(PREFIX):
            return unity_source(text, folder=folder, workspace_url=self.workspace_url, storage_options=self.storage_options)
        return file_source(text, folder=folder, format=self.format, storage_options=self.storage_options)

    def _duckdb(self, text: str, folder: Path) -> Source:
        path = unquote(urlsplit(text).path) if text.startswith(DUCKDB) else text
        file = Path(path).expanduser().absolute()
        what = f"table {self.table}" if self.query is None else f"query {sha256_hex(self.query.encode())[:12]}"
        rows = read_duckdb(file, Asked(self.table, self.query, self.parameters), folder)
        return Source("duckdb", f"{DUCKDB}{file} {what}", rows, Secrets.of(dict(self.parameters or {})))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pipeline does, held against the type already."""

    kind: ExampleType
    where: Where
    cells: tuple[Cell, ...]
    fields: Mapping[str, Field]
    filters: Filters
    decision_id: Rule | None
    since: Rule | None
    quality_threshold: float | None
    policy: ScorePolicy | None = None

    @property
    def schemas(self) -> dict[str, Mapping[str, Any]]:
        """Return the type's schemas by side."""
        return {"input": self.kind.input, "expected_output": self.kind.expected_output, "labels": self.kind.labels}

    @property
    def mapping(self) -> str:
        """Return the digest of the mapping."""
        return mapping_digest(self.cells)

    @property
    def filtering(self) -> str:
        """Return the digest of the filters."""
        return filters_digest(self.filters)

    def digest(self, source: Source) -> str:
        """Return what tells this pipeline over this source from every other one."""
        rules = [None if rule is None else rule.words for rule in (self.decision_id, self.since)]
        parts = [self.kind.name, source.kind, source.title, self.mapping, self.filtering, rules, self.quality_threshold]
        parts.append(None if self.policy is None else self.policy.digest)
        return digest_of(parts).value


@dataclass(frozen=True, slots=True)
class Spooled:
    """The rows of a source in `file`, a Parquet file with the columns of `_SPOOLED` in the order of the source.

    `out` is the number of the filter that leaves a row out, from 0; of a filter that cannot be asked, the number plus `_STRANGE`.
    """

    file: Path
    source: Source
    filters: tuple[Filter, ...]
    problems: tuple[Problem, ...]
    id_column: str
    read: int
    watermark: str | None

    def rows(self) -> pl.LazyFrame:
        """Return the rows as they were spooled."""
        return pl.scan_parquet(self.file, glob=False)

    def fitting(self) -> pl.LazyFrame:
        """Return the rows that nothing keeps out so far: row, decision_id and the three texts."""
        fits = pl.col(OUT).is_null() & pl.col(PROBLEM).is_null()
        return self.rows().filter(fits).select(ROW, ID, "input", "expected_output", "labels")

    def left_out(self) -> pl.DataFrame:
        """Return the rows that a filter leaves out: row, decision_id, filter."""
        names = pl.Series([one.name for one in self.filters], dtype=pl.String())
        rows = self.rows().filter(pl.col(OUT) < _STRANGE).select(ROW, ID, OUT).collect(engine="streaming")
        return rows.select(ROW, ID, pl.lit(names).gather(pl.col(OUT)).alias("filter")) if rows.height else _NO_FILTERED

    def refused(self) -> pl.DataFrame:
        """Return the rows that cannot become examples: row, decision_id, code, column, target, came (the value)."""
        rows = self.rows().filter((pl.col(OUT) >= _STRANGE) | (pl.col(OUT).is_null() & pl.col(PROBLEM).is_not_null()))
        found = rows.select(ROW, ID, OUT, PROBLEM, CAME, VALUE).collect(engine="streaming")
        strange = [(str(Reason.WRONG_TYPE), one.column, f"filter {one.name}") for one in self.filters]
        known = [*strange, *((str(one.reason), one.column, one.target) for one in self.problems)]
        known.append((str(Reason.NO_DECISION_ID), self.id_column, "the decision id"))
        table = pl.DataFrame(known, schema={"code": pl.String(), "column": pl.String(), "target": pl.String()}, orient="row")
        place = pl.when(pl.col(OUT).is_not_null()).then(pl.col(OUT) - _STRANGE).otherwise(pl.col(PROBLEM) + len(strange))
        value = pl.when(pl.col(OUT).is_not_null()).then(pl.col(CAME)).otherwise(pl.col(VALUE)).alias("came")
        numbered = found.select(ROW, ID, value, place.cast(pl.UInt32).alias("place"))
        return numbered.join(table.with_row_index("place"), on="place", how="left", maintain_order="left").drop("place")


_NO_FILTERED = pl.DataFrame(schema={ROW: pl.Int64(), ID: pl.String(), "filter": pl.String()})


def planned(
    kind: ExampleType,
    where: Where,
    *,
    mapping: Mapping[str, Any],
    filters: Filters,
    decision_id: object,
    since: object,
    quality_threshold: float | None,
    policy: ScorePolicy | None = None,
) -> Plan:
    """Return the plan of a pipeline. Raises `MAPPING_INVALID`, `FILTER_INVALID`, `INVALID_VALUE` before anything is opened."""
    cells = parse_mapping(mapping)
    fields = check_targets(cells, {part: kind.schema(part) for part in ("input", "expected_output", "labels")})
    filters_digest(filters)
    if quality_threshold is not None and not 0 <= quality_threshold <= 100:
        raise InvalidValue(what="quality_threshold", reason=f"{quality_threshold} is no score", fix="Give points from 0 to 100, or None.")
    rules = {name: None if given is None else rule_of(given, name) for name, given in (("decision_id", decision_id), (SINCE, since))}
    odd = next((name for name, rule in rules.items() if rule is not None and (rule.is_constant or rule.map is not None)), None)
    if odd is not None:
        raise MappingInvalid(what=odd, reason="it needs a column", fix="Name the column, or give an expression.")
    if since is not None and isinstance(where.source, (pl.DataFrame, pl.LazyFrame)) and where.source_name is None:
        reason = "a frame has no name by which the next run could know it again"
        raise InvalidValue(what=SINCE, reason=reason, fix="Give the source a name: source_name='decisions'.")
    return Plan(kind, where, cells, fields, filters, rules["decision_id"], rules[SINCE], quality_threshold, policy)


def spooled(plan: Plan, source: Source, file: Path, watermark: str | None, rows: int | None = None) -> Spooled:
    """Read the source once, piece by piece, into `file`; of `rows` only so many from its beginning.

    Rows before the watermark are left out by the filter `since`. Raises `MAPPING_INVALID`, `FILTER_INVALID` and `NOT_FOUND` for what does
    not fit the source's columns, before a row is read; then what the source raises.
    """
    mapped = compiled(plan.cells, plan.fields, plan.schemas, source)
    filters = [*_since_filter(plan, source, watermark), *compiled_filters(plan.filters, source)]
    given = source.rows if rows is None else source.rows.head(rows)
    out = pl.lit(None, dtype=pl.Int32())
    came = pl.lit(None, dtype=pl.String())
    for number, one in reversed(list(enumerate(filters))):
        code = pl.when(one.strange).then(pl.lit(number + _STRANGE)).when(~one.keeps).then(pl.lit(number)).cast(pl.Int32)
        out, came = pl.coalesce(code, out), pl.when(code >= _STRANGE).then(one.came.str.head(200)).otherwise(came)
    no_id = pl.lit(None, dtype=pl.Int32())
    identity = pl.lit(None, dtype=pl.String())
    if plan.decision_id is not None:
        identity = _id_text(plan.decision_id, source)
        no_id = pl.when(pl.col(_own(ID)).is_null()).then(pl.lit(len(mapped.problems), dtype=pl.Int32()))
    mark = _mark(plan.since, source)[0] if plan.since is not None else pl.lit(None, dtype=pl.Null())
    first = given.with_row_index(_own(ROW), offset=1).with_columns(
        identity.alias(_own(ID)), out.alias(_own(OUT)), came.alias(_own(CAME)), mark.alias(_own(MARK))
    )
    own = [pl.col(_own(name)).alias(name) for name in (ID, OUT, CAME, MARK)]
    made = mapped.over(first).select(
        pl.col(_own(ROW)).cast(pl.Int64).alias(ROW),
        *own,
        pl.coalesce(no_id, pl.col(PROBLEM)).alias(PROBLEM),
        pl.col(VALUE, "input", "expected_output", "labels"),
    )
    try:
        made.select(_SPOOLED).sink_parquet(file, compression="lz4", engine="streaming")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise source.refusal(error) from None
    found = pl.scan_parquet(file, glob=False).select(read=pl.len(), mark=pl.col(MARK).max()).collect()
    kind = found.schema[MARK]
    last = None if kind == pl.Null() else found.select(json_text(pl.col(MARK), kind).alias(MARK))[MARK][0]
    column = "" if plan.decision_id is None else plan.decision_id.title
    return Spooled(file, source, tuple(filters), mapped.problems, column, int(found["read"][0]), last or watermark)


def _own(name: str) -> str:
    return f"\x1e{name}"  # no column of a source begins so


def _id_text(rule: Rule, source: Source) -> pl.Expr:
    """Return decision ids as text; null where there is none."""
    value, kind = value_of(rule, "decision_id", source)
    if not (kind.is_integer() or isinstance(kind, (pl.String, pl.Categorical, pl.Enum))):
        raise MappingInvalid(what="decision_id", reason=f"{rule.title} is {kind}", fix="Use a column of text or whole numbers.")
    text = value.cast(pl.String)
    return pl.when(text.str.strip_chars() != "").then(text)


def _mark(rule: Rule, source: Source) -> tuple[pl.Expr, pl.DataType]:
    """Return the column that says how far a run looked."""
    value, kind = value_of(rule, SINCE, source)
    text = isinstance(kind, pl.String)
    casts: dict[str, tuple[pl.Expr, pl.DataType]] = {}
    if text:
        number = value.str.strip_chars()
        casts = {
            "text": (value, kind),
            "integer": (number.cast(pl.Int64, strict=False), pl.Int64()),
            "number": (number.cast(pl.Float64, strict=False), pl.Float64()),
            "date": (as_time(number), pl.Datetime("us", "UTC")),
            "datetime": (as_time(number), pl.Datetime("us", "UTC")),
        }
        if rule.cast not in casts:
            fix = 'Say how it is compared: since={"column": ..., "cast": "datetime"}, or "integer", "number", "text".'
            raise MappingInvalid(what=SINCE, reason=f"{rule.title} is text", fix=fix)
        return casts[str(rule.cast)]
    if rule.cast is not None or not (kind.is_integer() or kind.is_float() or isinstance(kind, (pl.Date, pl.Datetime))):
        raise MappingInvalid(what=SINCE, reason=f"{rule.title} is {kind}", fix="Use a column of times or numbers, without cast.")
    return value, kind


def _since_filter(plan: Plan, source: Source, watermark: str | None) -> list[Filter]:
    if plan.since is None or watermark is None:
        return []
    value, kind = _mark(plan.since, source)
    return [moment_filter(SINCE, value, kind, watermark)]
