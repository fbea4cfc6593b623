"""Imported label rows become the content of a scope: named, grouped by frame and hashed, as sets, some frames at a time."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.geometry import UNITS_PER_PX
from labelkit.core.hashing import canonical_json
from labelkit.core.review.annotations import FrameContent, FrameState
from labelkit.store.review.content import ANNOTATION, CONTENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labelkit.store.analysis import Store

ROWS_AT_ONCE = 50_000
TEXT_AT_ONCE = 1 << 18
BYTES_IN_MEMORY = 128 << 20  # of rows that may have to be sorted
_ID = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$"
_COLUMNS = ("frame_index", "label", "x", "y", "width", "height", "size", "score", "attributes", "id")
_ROWS = {name: ANNOTATION.get(name, pl.Int32()) for name in _COLUMNS}
_IDS_SQL = "SELECT 'ann_' || substr(sha256($seed || ':' || n), 1, 20) AS id FROM range($first, $end) numbers(n)"  # in their order
_SORTED_SQL = """
    SELECT * EXCLUDE (filename, file_row_number) FROM read_parquet($rows, file_row_number = true, filename = true)
    ORDER BY frame_index, filename, file_row_number
"""


def import_rows(db: Store, chunks: Iterable[pl.DataFrame], *, frame_count: int, seed: str, source: str) -> str:
    """Write imported annotation rows as a content object and return its digest; some frames after another are in memory.

    Rows have frame_index, label, x, y, width, height, size, score, attributes and perhaps id, in file order. An id that is well-formed
    and that no other row has is kept; all others come from `seed` and order.
    """
    with tempfile.TemporaryDirectory(prefix="labelkit-") as name:
        folder = Path(name)
        rows = _Rows(folder)
        made = _Made(db, folder, frame_count, seed, source)
        for part in rows.kept(chunks):
            if rows.final:
                made.add(part)
        if not rows.final:
            taken = rows.ids_of_several()
            made = _Made(db, folder, frame_count, seed, source, taken)
            for part in rows.by_frame(db):
                made.add(part)
        return made.stored()


class _Rows:
    """The rows of an import, in memory or in a folder, until all are there: only then is it known which come first, and whose ids stay."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[pl.DataFrame | Path] = []
        self._free = BYTES_IN_MEMORY
        self._in_order, self._last, self._has_ids = True, -1, False

    @property
    def final(self) -> bool:
        """Say whether the rows so far stand in the order of their frames and none has an id, so that nothing that follows changes them."""
        return self._in_order and not self._has_ids

    def kept(self, chunks: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Keep the rows of all chunks and yield them, `ROWS_AT_ONCE` or more at a time."""
        waiting = pl.DataFrame(schema=_ROWS)
        for chunk in chunks:
            rows = chunk if "id" in chunk.columns else chunk.with_columns(id=pl.lit(None, pl.String))
            waiting = pl.concat([waiting, rows.select(pl.col(name).cast(kind) for name, kind in _ROWS.items())])
            if waiting.height >= ROWS_AT_ONCE:
                yield self._keep(waiting)
                waiting = waiting.clear()
        if waiting.height:
            yield self._keep(waiting)

    def _keep(self, rows: pl.DataFrame) -> pl.DataFrame:
        index = rows["frame_index"]
        self._in_order = self._in_order and index.is_sorted() and index[0] >= self._last
        self._last = index[-1]
        self._has_ids = self._has_ids or rows["id"].null_count() < rows.height
        self._free -= int(rows.estimated_size())
        self._parts.append(rows if self._free >= 0 else self._written(rows, len(self._parts)))
        return rows

    def _written(self, rows: pl.DataFrame, number: int) -> Path:
        path = self._folder / f"{number:09d}.parquet"
        rows.write_parquet(path, compression="lz4")
        return path

    def _all_written(self) -> list[Path]:
        self._parts = [part if isinstance(part, Path) else self._written(part, number) for number, part in enumerate(self._parts)]
        return [part for part in self._parts if isinstance(part, Path)]

    def ids_of_several(self) -> pl.Series:
        """Return the ids that more than one row has."""
        if not self._has_ids:
            return pl.Series([], dtype=pl.String)
        named = pl.scan_parquet(self._all_written(), glob=False).select("id").drop_nulls().group_by("id").len()
        return named.filter(pl.col("len") > 1).select("id").collect(engine="streaming").to_series()

    def by_frame(self, db: Store) -> Iterator[pl.DataFrame]:
        """Yield all rows some at a time, the frames in order, the rows of a frame in file order."""
        if self._in_order:
            yield from (pl.read_parquet(part, glob=False) if isinstance(part, Path) else part for part in self._parts)
            return
        whole = self._folder / "sorted.parquet"
        db.analyse_to(whole, _SORTED_SQL, rows=[str(part) for part in self._all_written()])
        rows = pl.scan_parquet(whole, glob=False)
        start = 0
        while (part := rows.slice(start, ROWS_AT_ONCE).collect()).height:
            start += part.height
            yield part


class _Made:
    """Content made of rows that come in the order of their frames, whole frames at a time, in files of a folder."""

    def __init__(self, db: Store, folder: Path, frame_count: int, seed: str, source: str, taken: pl.Series | None = None) -> None:
        self._db, self._folder = db, folder
        self._frame_count, self._seed, self._source = frame_count, seed, source
        self._taken = taken
        self._rest = pl.DataFrame(schema=_ROWS)
        self._count, self._next_frame = 0, 0
        self._files: list[str] = []

    def add(self, part: pl.DataFrame) -> None:
        """Take rows; those of the last frame wait, for there may be more of them."""
        rows = pl.concat([self._rest, part], rechunk=True)
        index = rows["frame_index"]
        whole = int(index.search_sorted(index[-1], side="left"))
        self._rest = rows[whole:]
        if whole:
            self._name(rows[:whole])

    def stored(self) -> str:
        """Store the content of all frames and return its digest."""
        if self._rest.height:
            self._name(self._rest)
        self._put(pl.DataFrame(schema=_ROWS | {"source": pl.String}), self._frame_count)
        whole = self._folder / "content.parquet"
        pl.scan_ipc(self._files).sink_parquet(whole, compression="zstd", compression_level=3)
        return self._db.objects.put_file(whole)

    def _name(self, rows: pl.DataFrame) -> None:
        ids = self._db.analyse(_IDS_SQL, seed=self._seed, first=self._count + 1, end=self._count + 1 + rows.height)["id"]
        self._count += rows.height
        if self._taken is not None:
            own = pl.col("id").str.contains(_ID) & ~pl.col("id").is_in(self._taken.implode())
            ids = rows.select(pl.when(own).then("id").otherwise(ids)).to_series()
        self._put(rows.with_columns(id=ids, source=pl.lit(self._source)), int(rows["frame_index"][-1]) + 1)

    def _put(self, rows: pl.DataFrame, end: int) -> None:
        """Write the frames up to `end` as the next file; none where there are none, unless it is the first."""
        content = _content(rows, self._next_frame, min(end, self._frame_count))
        self._next_frame = end
        if content.height or not self._files:
            self._files.append(str(self._folder / f"content-{len(self._files):09d}.arrow"))
            content.write_ipc(self._files[-1])


def _content(rows: pl.DataFrame, start: int, end: int) -> pl.DataFrame:
    """Return content of the frames from `start` up to `end` from their named rows, which are in frame and file order."""
    items = rows.select("frame_index", item=_item(rows)).sort("frame_index", "item")
    joined = items.group_by("frame_index", maintain_order=True).agg("item").select(pl.col("item").list.join(","))
    digests = [hashlib.sha256(f"[[],[{text}]]".encode()).hexdigest() for text in _one_by_one(joined["item"])]
    lists = rows.group_by("frame_index", maintain_order=True).agg(pl.struct(*ANNOTATION).alias("annotations"))
    labelled = lists.with_columns(digest=pl.Series(digests, dtype=pl.String))
    frames = pl.DataFrame({"frame_index": pl.int_range(start, max(start, end), dtype=pl.Int32, eager=True)})
    return frames.join(labelled, on="frame_index", how="left", maintain_order="left").select(
        "frame_index",
        flags=pl.lit([], dtype=CONTENT["flags"]),
        state=pl.lit(FrameState.UNTOUCHED.value),
        digest=pl.col("digest").fill_null(FrameContent(0).digest()),
        annotations=pl.col("annotations").fill_null(pl.lit([], dtype=CONTENT["annotations"])),
    )


def _one_by_one(texts: pl.Series) -> Iterator[str]:
    """Yield texts; `TEXT_AT_ONCE` bytes of them are Python's at once."""
    if texts.is_empty():
        return
    some = max(1, TEXT_AT_ONCE * len(texts) // max(1, int(texts.str.len_bytes().sum())))
    for start in range(0, len(texts), some):
        yield from texts.slice(start, some).to_list()


def _label_texts(labels: pl.Series) -> pl.Expr:
    unique = labels.unique()
    return pl.col("label").replace_strict(unique, [canonical_json(label).decode() for label in unique], return_dtype=pl.String)


def _item(rows: pl.DataFrame) -> pl.Expr:
    """Return the canonical text of each annotation, equal to `canonical_json(annotation.canonical())`."""
    x, y, width, height, size = (
        (pl.col(name) * UNITS_PER_PX).round().cast(pl.Int64).cast(pl.String) for name in ("x", "y", "width", "height", "size")
    )
    point = pl.concat_str(pl.lit('"point"'), x, y, size.fill_null("null"), separator=",")
    box = pl.concat_str(pl.lit('"box"'), x, y, width, height, separator=",")
    points = rows["width"].null_count()
    mixed = pl.when(pl.col("width").is_null()).then(point).otherwise(box)
    place = box if points == 0 else point if points == rows.height else mixed  # most of the time goes into the text of numbers
    if rows["attributes"].null_count() == rows.height:
        return pl.concat_str(pl.lit("["), _label_texts(rows["label"]), pl.lit(","), place, pl.lit("]"))
    # canonical JSON holds no control characters: these two signs are all that a string of it must escape
    attributes = pl.format(',"{}"', pl.col("attributes").str.replace_many(["\\", '"'], ["\\\\", '\\"'])).fill_null("")
    return pl.concat_str(pl.lit("["), _label_texts(rows["label"]), pl.lit(","), place, attributes, pl.lit("]"))
