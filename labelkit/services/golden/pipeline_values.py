"""What a pipeline returns: a preview before, a report after; both say where every row of the source ended, and print well."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.pipeline import KEPT, Place, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHOWN = 10
_URGENT = {str(place): number for number, place in enumerate((Place.REFUSED, Place.CHANGED))}  # what people look at first
_CELL = "text-align:left;vertical-align:top;padding:2px 16px 2px 0"


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows of a source ended, or would end.

    `rows` has one row a row of the source, in its order: row (from 1), decision_id, place (new, changed, present, duplicate, filtered,
    refused), example_id, code (the filter, or the reason), column, sentence. `tally` counts them; its sums add up to `tally.read`.
    """

    type: str
    source: str
    tally: Tally
    rows: pl.DataFrame = field(repr=False, compare=False)
    quality_threshold: float | None
    since: str | None
    watermark: str | None

    @property
    def read(self) -> int:
        """Return how many rows the source has."""
        return self.tally.read

    @property
    def kept(self) -> int:
        """Return how many rows become examples: new and changed decisions."""
        return self.tally.kept

    @property
    def new(self) -> int:
        """Return how many decisions were not seen before."""
        return self.tally.count(Place.NEW)

    @property
    def changed(self) -> pl.DataFrame:
        """Return the rows of decisions that say something else than before."""
        return self._at(Place.CHANGED)

    @property
    def present(self) -> int:
        """Return how many rows have the content of an example that is there."""
        return self.tally.count(Place.PRESENT)

    @property
    def duplicates(self) -> pl.DataFrame:
        """Return the rows with the content of an earlier row."""
        return self._at(Place.DUPLICATE)

    @property
    def filtered(self) -> pl.DataFrame:
        """Return the rows that a filter leaves out; `code` is its name."""
        return self._at(Place.FILTERED)

    @property
    def refused(self) -> pl.DataFrame:
        """Return the rows that cannot become examples, each with its reason."""
        return self._at(Place.REFUSED)

    def to_polars(self) -> pl.DataFrame:
        """Return `rows`."""
        return self.rows

    def _at(self, place: Place) -> pl.DataFrame:
        return self.rows.filter(pl.col("place") == str(place))

    def _counts(self) -> Iterator[tuple[str, int, str]]:
        """Yield what people want to see: a word, a number, what it means."""
        tally = self.tally
        yield "read", tally.read, f"rows of {self.source}"
        for place in Place:
            count = tally.count(place)
            if count or place is Place.NEW:
                yield str(place), count, place.sentence
            parts = tally.filters if place is Place.FILTERED else tally.reasons if place is Place.REFUSED else {}
            yield from ((f"  {name}", number, "") for name, number in parts.items())
        if tally.tiers:
            yield "kept", tally.kept, f"scored {self.quality_threshold:g} or more"
            yield from ((f"  {tier}", number, "") for tier, number in tally.tiers.items())

    def _first(self) -> list[tuple[str, str, str, str]]:
        """Return the first rows that people should look at: row, decision, code or place, sentence."""
        urgent = pl.col("place").replace_strict(_URGENT, default=len(_URGENT), return_dtype=pl.Int8())
        wanted = self.rows.filter(pl.col("sentence").is_not_null() & (pl.col("place") != str(Place.FILTERED)))
        rows = wanted.sort(urgent, maintain_order=True).head(SHOWN)
        rows = rows.select(pl.col("row").cast(pl.String), "decision_id", pl.coalesce("code", "place"), "sentence")
        return [(row, decision or "", code, sentence or "") for row, decision, code, sentence in rows.iter_rows()]

    def _lines(self, title: str) -> str:
        lines = [title]
        lines += [f"  {word:<22}{number:>12,}  {meaning}".rstrip() for word, number, meaning in self._counts()]
        if self.since is not None and self.watermark is not None:
            lines.append(f"  looked up to {self.since} = {self.watermark}")
        lines += [f"    row {row} {decision}: {sentence}" for row, decision, _, sentence in self._first()]
        return "\n".join(lines)

    def _html(self, title: str) -> str:
        counts = "".join(
            f'<tr><td style="{_CELL};white-space:pre">{escape(word)}</td><td style="{_CELL};text-align:right">{number:,}</td>'
            f'<td style="{_CELL}">{escape(meaning)}</td></tr>'
            for word, number, meaning in self._counts()
        )
        since = f"<p>Looked up to {escape(self.since)} = {escape(self.watermark)}.</p>" if self.since and self.watermark else ""
        first = _table(("row", "decision", "code", "why"), self._first())
        return f"<p><b>{escape(title)}</b></p><table><tbody>{counts}</tbody></table>{since}{first}"


@dataclass(frozen=True, slots=True)
class Preview(Rows):
    """What an extraction would do now; nothing was written.

    `examples` are the first rows that would become examples: row, decision_id, example_id, input, expected_output, labels (canonical JSON),
    quality_score and tier (null where nothing was scored).
    """

    examples: pl.DataFrame = field(repr=False, compare=False)

    def _title(self) -> str:
        return f"Preview of {self.type}: {self.kept:,} of {self.read:,} rows would become examples; nothing was written"

    def __repr__(self) -> str:
        shown = [f"  example from row {row}: {given} -> {expected}" for row, given, expected in self._shown()]
        return "\n".join([self._lines(self._title()), *shown])

    def _repr_html_(self) -> str:
        rows = [tuple(map(str, row)) for row in self._shown()]
        return self._html(self._title()) + _table(("row", "input", "expected output"), rows)

    def _shown(self) -> list[tuple[int, str, str]]:
        return [
            (row, _short(given), _short(expected))
            for row, given, expected in self.examples.select("row", "input", "expected_output").head(SHOWN).iter_rows()
        ]


@dataclass(frozen=True, slots=True)
class ExtractReport(Rows):
    """What an extraction did; `id` is its row in `ws.golden.extractions()`."""

    id: str

    @property
    def example_ids(self) -> pl.Series:
        """Return the ids of the examples that were added, in the order of the rows."""
        return self.rows.filter(pl.col("place").is_in(list(map(str, KEPT))))["example_id"]

    def _title(self) -> str:
        changed = self.tally.count(Place.CHANGED)
        more = f", {changed:,} of them from decisions that changed" if changed else ""
        return f"Extracted {self.kept:,} examples of {self.type} from {self.read:,} rows{more} ({self.id})"

    def __repr__(self) -> str:
        return self._lines(self._title())

    def _repr_html_(self) -> str:
        return self._html(self._title())


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:159]}…"


def _table(names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th style="{_CELL}">{escape(name)}</th>' for name in names)
    body = "".join("<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows)
    return f'<table style="margin-top:12px"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
