"""A Hugging Face dataset folder: `data/<split>-00000-of-0000N.parquet` and the card README.md, for `datasets.load_dataset(folder)`.

Pictures of samples stand in a column `image`, as stored (bytes and path); one that is not to be had is null. Classes of annotations stand
as their names, and the card says that they are classes, so that `datasets` gives their numbers. The rest of the folder is as the format
parquet has it, and is read back as such.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.exports import EVERYTHING, Facet, Format, file_name
from labelkit.formats.huggingface.card import IMAGE, NAME, card, check_splits, features
from labelkit.formats.keyed import parquet_rows
from labelkit.formats.keyed.row_batches import weight
from labelkit.formats.sample_pictures import runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from labelkit.formats.exports import About

# Where pictures are among the columns: a reader of one row need not read thousands, and few large pictures fill a shard.
PICTURED = parquet_rows.Cut(step_rows=16, group_rows=64, shard_bytes=32 << 20)
IMAGE_TYPE = pl.Struct({"bytes": pl.Binary(), "path": pl.String()})


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About) -> Mapping[str, int]:
    """Fill an empty folder with rows (see `exports.Writer`). Raises `INVALID_VALUE` for splits and types that `datasets` does not take."""
    check_splits(about.parts)
    features(about.columns)
    pictured = about.picture is not None and IMAGE not in about.columns
    taken = _Taken(about, pictured=pictured)
    columns = {IMAGE: IMAGE_TYPE, **about.columns} if pictured else about.columns
    cut = PICTURED if pictured else parquet_rows.PLAIN
    counts = dict(parquet_rows.write(taken.of(chunks), folder, replace(about, columns=columns), cut=cut))
    file_bytes = sum(file.stat().st_size for file in (folder / "data").iterdir())
    types = features(about.columns, classes=taken.classes, images=pictured)
    (folder / NAME).write_bytes(card(about, types, taken.rows, taken.sizes, file_bytes=file_bytes))
    return counts


FORMAT = Format("huggingface", write, EVERYTHING | {Facet.PICTURES}, frozenset({"samples", "rows"}))
read = parquet_rows.read


class _Taken:
    """Passes rows on, with their pictures, and keeps what the card says about them."""

    def __init__(self, about: About, *, pictured: bool) -> None:
        self._about = about
        self._pictured = pictured
        self._strange = False
        self.rows: Counter[str] = Counter()
        self.sizes: Counter[str] = Counter()

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the classes of annotations; none where the rows have no annotations, or some of another class."""
        capability = self._about.capability
        return () if capability is None or self._strange or "annotations" not in self._about.columns else capability.classes

    def of(self, chunks: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Yield the rows."""
        about = self._about if self._pictured else replace(self._about, picture=None)
        for run in runs(chunks, about):
            rows = run.rows
            if self._pictured:
                data = pl.Series("bytes", [None if one is None else one[0] for one in run.pictures], dtype=pl.Binary)
                rows = rows.with_columns(pl.when(data.is_not_null()).then(pl.struct(data, file_name().alias("path"))).alias(IMAGE))
            self.rows[run.part] += rows.height
            self.sizes[run.part] += weight(rows)
            self._strange = self._strange or self._has_strange(rows)
            yield rows.with_columns(split=pl.lit(run.part)) if self._about.splits else rows

    def _has_strange(self, rows: pl.DataFrame) -> bool:
        if not self.classes:
            return False
        labels = rows["annotations"].explode().struct.field("label").drop_nulls()
        return not labels.is_in(self.classes).all()
