"""TFRecord in: every checksum verified, and rows with the exact columns and types that were exported, as the manifest says them.

Without a manifest, as in files that others wrote, each feature is a column: int64, float or, where all bytes are UTF-8, text; a list where
a record has several values of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labelkit.errors import ExportDamaged, LabelsUnreadable
from labelkit.formats.column_types import made
from labelkit.formats.keyed.row_sources import sourced
from labelkit.formats.tfrecord.feature_kinds import EMPTY, FLOAT64, ITEM, LENGTHS, NULL, kind_of
from labelkit.formats.tfrecord.frames import Found, batches, features

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

_PLAIN = {"bytes": pl.Binary(), "float": pl.Float32(), "int64": pl.Int64()}


def read(source: str | Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of an export, or of other TFRecord files, some at a time, in order of the files.

    Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE` that names a damaged record by file and offset, and `EXPORT_DAMAGED` for what else is
    not as it was exported.
    """
    try:
        files, manifest = sourced(source, ".tfrecord")
    except ExportDamaged:
        _look_at_each(Path(source).expanduser())
        raise
    columns = _guessed(files) if manifest is None else manifest.columns
    yield pl.DataFrame(schema=columns)
    for file in files:
        for batch in batches(file):
            yield _frame(features(batch), columns, len(batch.starts), file)


def _look_at_each(path: Path) -> None:
    """Raise `LABELS_UNREADABLE` that names the first damaged record, if it is that."""
    for file in [path] if path.is_file() else sorted(path.rglob("*.tfrecord")):
        for _ in batches(file):
            pass


def _frame(found: Mapping[str, Found], columns: Mapping[str, pl.DataType], count: int, file: Path) -> pl.DataFrame:
    reading = _Reading(found, count)
    try:
        return pl.DataFrame([reading.single(name, made(kind)).alias(name) for name, kind in columns.items()])
    except (pl.exceptions.PolarsError, ValueError, IndexError) as error:
        reason = f"its features do not make the columns of its manifest: {' '.join(str(error).split())}"
        raise LabelsUnreadable(source=file, reason=reason, fix="Export the data again.") from error


def _guessed(files: Sequence[Path]) -> dict[str, pl.DataType]:
    """Return the columns of files without a manifest, from one look at everything in them."""
    kinds: dict[str, pl.DataType] = {}
    many: set[str] = set()
    records = 0
    for file in files:
        for batch in batches(file):
            records += len(batch.starts)
            for name, found in features(batch).items():
                text = found.kind == "bytes" and kinds.get(name) != pl.Binary() and _is_text(found.values)
                kinds[name] = pl.String() if text else _PLAIN[found.kind]
                many |= {name} if (found.counts[found.present] != 1).any() else set()
    if records and not kinds:
        reason = f"its {records:,} records have no features, so they would be rows without columns"
        raise LabelsUnreadable(source=files[0], reason=reason, fix="Read other files.")
    return {name: pl.List(kind) if name in many else kind for name, kind in sorted(kinds.items())}


def _is_text(values: pl.Series) -> bool:
    try:
        values.cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


class _Reading:
    """Makes columns of the features of `count` rows, as `feature_kinds` took them apart."""

    def __init__(self, found: Mapping[str, Found], count: int) -> None:
        self._found = found
        self._count = count

    def single(self, name: str, kind: pl.DataType) -> pl.Series:
        """Return the values of which each row has one or null."""
        match kind:
            case pl.Struct():
                fields = pl.DataFrame([self.single(f"{name}/{f.name}", made(f.dtype)).alias(f.name) for f in kind.fields])
                there = ~fields.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy() | self._present(f"{name}/{EMPTY}")
                return _where(fields.to_struct(name), there)
            case pl.List() | pl.Array():
                values, counts, present = self._many(name, made(kind.inner))
                return _where(_lists(values, counts), present).cast(kind)
            case _:
                values, counts, present = self._many(name, kind, single=True)
                if (counts != present).any():
                    raise ValueError(f"feature {name} has several values in a row")
                return _spread(values, present)

    def _many(self, name: str, kind: pl.DataType, *, single: bool = False) -> tuple[pl.Series, NDArray[np.int64], NDArray[np.bool_]]:
        """Return the values of all rows in one column, how many each row has, and which rows have any number of them, 0 too."""
        match kind:
            case pl.Struct() if not single:
                parts = [self._many(f"{name}/{field.name}", made(field.dtype)) for field in kind.fields]
                values = pl.DataFrame([part[0].alias(f.name) for f, part in zip(kind.fields, parts, strict=True)]).to_struct(name)
                return _where(values, ~self._nulls(name, parts[0][1], len(values))), *parts[0][1:]
            case pl.List() | pl.Array() if not single:
                lengths, counts, present = self._many(f"{name}/{LENGTHS}", pl.Int64(), single=True)
                lists = _lists(self._many(f"{name}/{ITEM}", made(kind.inner))[0], lengths.to_numpy()).cast(kind)
                return _where(lists, ~self._nulls(name, counts, len(lists))), counts, present
        found = self._found.get(name)
        if found is None:
            return pl.Series([], dtype=kind), np.zeros(self._count, np.int64), np.zeros(self._count, np.bool_)
        if found.kind != kind_of(kind, name):
            raise ValueError(f"feature {name} holds {found.kind}")
        values = self._exact(name, found) if isinstance(kind, pl.Float64) else _cast(found.values, kind)
        if not single:
            values = _where(values, ~self._nulls(name, found.counts, len(values)))
        return values, found.counts, found.present

    def _exact(self, name: str, found: Found) -> pl.Series:
        """Return floats of 64 bits: those of `NAME/float64` where a row has them."""
        values = found.values.cast(pl.Float64)
        doubles = self._found.get(f"{name}/{FLOAT64}")
        if doubles is None:
            return values
        exact = np.frombuffer(b"".join(doubles.values.to_list()), "<f8")
        numbers = values.to_numpy().copy()
        numbers[np.repeat(doubles.present, found.counts)] = exact
        return pl.Series(numbers)

    def _nulls(self, name: str, counts: NDArray[np.int64], total: int) -> NDArray[np.bool_]:
        """Say which of all values are null."""
        nulls, found = np.zeros(total, np.bool_), self._found.get(f"{name}/{NULL}")
        if found is not None:
            nulls[np.repeat(np.cumsum(counts) - counts, found.counts) + found.values.to_numpy()] = True
        return nulls

    def _present(self, name: str) -> NDArray[np.bool_]:
        found = self._found.get(name)
        return np.zeros(self._count, np.bool_) if found is None else found.present


def _cast(values: pl.Series, kind: pl.DataType) -> pl.Series:
    if isinstance(kind, pl.Binary):
        return values
    if isinstance(values.dtype, pl.Binary):
        return values.cast(pl.String).cast(kind)
    return values.cast(pl.Int8).cast(kind) if isinstance(kind, pl.Boolean) else values.cast(kind)


def _where(values: pl.Series, there: NDArray[np.bool_]) -> pl.Series:
    """Return values, null where they are not there."""
    if there.all():
        return values
    return pl.DataFrame({"value": values, "there": there}).select(pl.when("there").then("value")).to_series()


def _spread(values: pl.Series, present: NDArray[np.bool_]) -> pl.Series:
    """Return a value for each row: the next one where it is present, null elsewhere."""
    if present.all():
        return values
    return pl.concat([values.alias(""), pl.Series([None], dtype=values.dtype)]).gather(
        np.where(present, np.cumsum(present) - 1, len(values))
    )


def _lists(values: pl.Series, lengths: NDArray[np.int64]) -> pl.Series:
    """Return lists of the given lengths, cut from values in order."""
    owners = pl.DataFrame({"row": np.repeat(np.arange(len(lengths)), lengths), "value": values})
    lists = owners.group_by("row", maintain_order=True).agg("value")["value"]
    empty = pl.Series([[]], dtype=pl.List(values.dtype))
    places = np.where(lengths > 0, np.cumsum(lengths > 0) - 1, len(lists))
    return pl.concat([lists.alias(""), empty]).gather(places)
