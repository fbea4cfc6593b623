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
_ID = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$"
_COLUMNS = ("frame_index", "label", "x", "y", "width", "height", "size", "score", "attributes", "id")
_ROWS = {name: ANNOTATION.get(name, pl.Int32()) for name in _COLUMNS}
_IDS_SQL = "SELECT 'ann_' || substr(sha256($seed || ':' || n), 1, 20) AS id FROM (SELECT unnest(range($first, $end)) AS n) ORDER BY n"
_SORTED_SQL = """
    SELECT * EXCLUDE (filename, file_row_number) FROM read_parquet($rows, file_row_number = true, filename = true)
    ORDER BY frame_index, filename, file_row_number
"""


def import_rows(db: Store, chunks: Iterable[pl.DataFrame], *, frame_count: int, seed: str, source: str) -> str:
    """Write imported annotation rows as a content object and return its digest; some frames after another are in memory.

    Rows have frame_index, label, x, y, width, height, size, score, attributes and perhaps id, in file order. An id that is well-formed
    and that no other row has is kept; all others come from `seed` and order.
    """
    with tempfile.TemporaryDirectory(prefix="labelkit-") as folder:
        rows = _Rows(Path(folder), chunks)
        taken = rows.ids_of_several()
        made: list[str] = []
        count, next_frame = 0, 0
        for piece in rows.by_frame(db):
            ids = db.analyse(_IDS_SQL, seed=seed, first=count + 1, end=count + 1 + piece.height)["id"]
            own = pl.col("id").str.contains(_ID) & ~pl.col("id").is_in(taken.implode())
            named = piece.with_columns(id=pl.when(own).then("id").otherwise(ids), source=pl.lit(source))
            end = int(named["frame_index"][-1]) + 1
            count += piece.height
            _put(folder, made, _content(named, next_frame, min(end, frame_count)))
            next_frame = end
        _put(folder, made, _content(pl.DataFrame(schema=_ROWS | {"source": pl.String}), next_frame, frame_count))
        whole = Path(folder, "content.parquet")
        pl.scan_ipc(made).sink_parquet(whole, compression="zstd", compression_level=3)
        return db.objects.put_file(whole)


class _Rows:
    """The rows of an import in a folder, part after part, until all are there and can be taken frame by frame."""

    def __init__(self, folder: Path, chunks: Iterable[pl.DataFrame]) -> None:
        self._folder = folder
        self._parts: list[Path] = []
        self._in_order, self._last, self._has_ids = True, -1, False
        waiting = pl.DataFrame(schema=_ROWS)
        for chunk in chunks:
            rows = chunk if "id" in chunk.columns else chunk.with_columns(id=pl.lit(None, pl.String))
            waiting = pl.concat([waiting, rows.select(pl.col(name).cast(kind) for name, kind in _ROWS.items())])
            if waiting.height >= ROWS_AT_ONCE:
                self._write(waiting)
                waiting = waiting.clear()
        self._write(waiting)

    def _write(self, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        index = rows["frame_index"]
        self._in_order = self._in_order and index.is_sorted() and index[0] >= self._last
        self._last = index[-1]
        self._has_ids = self._has_ids or rows["id"].null_count() < rows.height
        self._parts.append(self._folder / f"{len(self._parts):09d}.parquet")
        rows.write_parquet(self._parts[-1], compression="lz4")

    def ids_of_several(self) -> pl.Series:
        """Return the ids that more than one row has."""
        if not self._has_ids:
            return pl.Series([], dtype=pl.String)
        named = pl.scan_parquet(self._parts).select("id").drop_nulls().group_by("id").len()
        return named.filter(pl.col("len") > 1).select("id").collect(engine="streaming").to_series()

    def by_frame(self, db: Store) -> Iterator[pl.DataFrame]:
        """Yield all rows, the frames in order, the rows of a frame in file order and together."""
        rest = pl.DataFrame(schema=_ROWS)
        for part in self._sorted(db):
            rows = pl.concat([rest, part], rechunk=True)
            open_frame = pl.col("frame_index") == rows["frame_index"][-1]
            rest, whole = rows.filter(open_frame), rows.filter(~open_frame)
            if whole.height:
                yield whole
        if rest.height:
            yield rest

    def _sorted(self, db: Store) -> Iterator[pl.DataFrame]:
        if self._in_order:
            yield from (pl.read_parquet(part) for part in self._parts)
            return
        whole = self._folder / "sorted.parquet"
        db.analyse_to(whole, _SORTED_SQL, rows=[str(part) for part in self._parts])
        rows = pl.scan_parquet(whole)
        start = 0
        while (part := rows.slice(start, ROWS_AT_ONCE).collect()).height:
            start += part.height
            yield part


def _put(folder: str, made: list[str], content: pl.DataFrame) -> None:
    """Write some frames of content as the next file; none where there are none, unless it is the first."""
    if content.height or not made:
        made.append(str(Path(folder, f"content-{len(made):09d}.arrow")))
        content.write_ipc(made[-1])


def _content(rows: pl.DataFrame, start: int, end: int) -> pl.DataFrame:
    """Return content of the frames from `start` up to `end` from their named rows, which are in frame and file order."""
    items = rows.select("frame_index", item=_item(_label_texts(rows["label"]))).sort("frame_index", "item")
    joined = items.group_by("frame_index", maintain_order=True).agg(pl.col("item").str.join(","))
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


def _item(label: pl.Expr) -> pl.Expr:
    """Return the canonical text of one annotation, equal to `canonical_json(annotation.canonical())`."""
    x, y, width, height, size = (
        (pl.col(name) * UNITS_PER_PX).round().cast(pl.Int64).cast(pl.String) for name in ("x", "y", "width", "height", "size")
    )
    point = pl.format('"point",{},{},{}', x, y, size.fill_null("null"))
    box = pl.format('"box",{},{},{},{}', x, y, width, height)
    # canonical JSON holds no control characters: these two signs are all that a string of it must escape
    attributes = pl.format(',"{}"', pl.col("attributes").str.replace_many(["\\", '"'], ["\\\\", '\\"']))
    place = pl.when(pl.col("width").is_null()).then(point).otherwise(box)
    return pl.concat_str(pl.lit("["), label, pl.lit(","), place, attributes.fill_null(""), pl.lit("]"))
