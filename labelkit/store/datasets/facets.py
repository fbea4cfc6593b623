"""What samples are filtered by, chunk by chunk: read once, kept small, so that a page costs the same at any depth and under any filter.

Samples are asked for by split, camera, group, class and finding. The first three are narrow columns; classes and findings need the
annotations, which are most of the bytes: what they say is kept for each chunk that was looked at. A chunk never changes.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

import polars as pl

from labelkit.core.datasets.samples import SampleFinding
from labelkit.store.datasets.tally import misfit, misplaced
from labelkit.store.versions.snapshots import all_collected, collected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labelkit.core.review.annotations import Capability
    from labelkit.core.versions import Chunk, Tree
    from labelkit.store.objects import Objects

KEPT = 2_048  # data frames of one kind, each of a chunk: some 8 million samples, 20 bytes each
KEPT_KEYS = 16  # keys are long, and only those of the chunks that people are at are needed
BLOCK_ROWS, KEPT_BLOCKS = 1_024, 16  # a block costs hardly more than a page, and is some 20 pages
PLAIN = ("split", "camera_type", "group_key")
OF_LABELS = frozenset({SampleFinding.INVALID_LABEL_SCHEMA, SampleFinding.INVALID_GEOMETRY, SampleFinding.EMPTY_LABELS})

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """What a sample must have: columns that equal a value, a class among its labels, one of these findings; None asks for nothing."""

    equal: tuple[tuple[str, str], ...] = ()
    label: str | None = None
    findings: tuple[str, ...] | None = None
    capability: Capability | None = None


class _Kept(Generic[T]):
    """At most `size` values, the one used longest ago goes first; safe to use from any thread."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[tuple[object, ...], T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = make()
        with self._lock:
            self._values[key] = made
            while len(self._values) > self._size:
                self._values.popitem(last=False)
        return made


_PLAIN: _Kept[pl.DataFrame] = _Kept(KEPT)
_LABELS: _Kept[pl.DataFrame] = _Kept(KEPT)
_PLACES: _Kept[pl.Series] = _Kept(KEPT)
_KEYS: _Kept[pl.Series] = _Kept(KEPT_KEYS)
_BLOCKS: _Kept[pl.DataFrame] = _Kept(KEPT_BLOCKS)


def page(objects: Objects, tree: Tree, wanted: Wanted, *, after: str | None, limit: int) -> pl.DataFrame:
    """Return the first `limit` rows with keys beyond `after` that have what is wanted, with their findings; no more is read than needed."""
    parts: list[tuple[Chunk, pl.Series]] = []
    missing = limit
    for chunk in tree.after(after).chunks:
        places = _PLACES.get((objects.root, chunk.object, wanted), partial(_places, objects, chunk, wanted))
        if after is not None and chunk.first_key <= after:
            places = places.filter(places >= _passed(objects, tree, chunk, after))
        if places.is_empty():
            continue
        parts.append((chunk, places.head(missing)))
        missing -= places.len()
        if missing <= 0:
            break
    return with_findings(_read(objects, tree, parts), wanted.capability)


def spread(objects: Objects, tree: Tree, count: int, capability: Capability | None) -> pl.DataFrame:
    """Return `count` rows that lie evenly in key order, with their findings; at most as many as there are."""
    wanted = pl.Series([at * tree.rows // count for at in range(count)], dtype=pl.Int64)
    parts: list[tuple[Chunk, pl.Series]] = []
    start = 0
    for chunk in tree.chunks:
        places = wanted.filter((wanted >= start) & (wanted < start + chunk.rows)) - start
        start += chunk.rows
        if not places.is_empty():
            parts.append((chunk, places))
    return with_findings(_read(objects, tree, parts), capability)


def _read(objects: Objects, tree: Tree, parts: Sequence[tuple[Chunk, pl.Series]]) -> pl.DataFrame:
    """Return the rows at these places of these chunks: places far apart by one reading side by side, near ones out of kept blocks."""
    if not parts:
        return collected(objects.scan(tree.objects[:1]).head(0))
    far = {number: _stretch(objects, *part) for number, part in enumerate(parts) if part[1][-1] - part[1][0] >= BLOCK_ROWS}
    read = dict(zip(far, all_collected(list(far.values())), strict=True)) if far else {}
    found = [
        read[number][places - places[0]] if number in read else _near(objects, chunk, places)
        for number, (chunk, places) in enumerate(parts)
    ]
    return pl.concat(found)


def _stretch(objects: Objects, chunk: Chunk, places: pl.Series) -> pl.LazyFrame:
    return objects.scan([chunk.object]).slice(int(places[0]), int(places[-1]) - int(places[0]) + 1)


def _near(objects: Objects, chunk: Chunk, places: pl.Series) -> pl.DataFrame:
    """Return the rows at places less than a block apart, so that the next page finds them read."""
    first, last = int(places[0]) // BLOCK_ROWS, int(places[-1]) // BLOCK_ROWS
    blocks = [
        _BLOCKS.get((objects.root, chunk.object, number), partial(_block, objects, chunk, number)) for number in range(first, last + 1)
    ]
    return pl.concat(blocks)[places - first * BLOCK_ROWS]


def _block(objects: Objects, chunk: Chunk, number: int) -> pl.DataFrame:
    return collected(objects.scan([chunk.object]).slice(number * BLOCK_ROWS, BLOCK_ROWS))


def with_findings(rows: pl.DataFrame, capability: Capability | None) -> pl.DataFrame:
    """Return sample rows with a column `findings`: the codes of `SampleFinding`, in its order."""
    return rows.with_columns(_findings(rows, capability))


def _passed(objects: Objects, tree: Tree, chunk: Chunk, after: str) -> int:
    """Return how many rows at the start of the chunk are not beyond the key."""
    keys = _KEYS.get((objects.root, chunk.object), lambda: collected(objects.scan([chunk.object]).select(tree.key))[tree.key])
    return int(keys.search_sorted(after, side="right"))


def _places(objects: Objects, chunk: Chunk, wanted: Wanted) -> pl.Series:
    """Return where in the chunk the wanted rows are, ascending."""
    mask = pl.repeat(value=True, n=chunk.rows, eager=True, dtype=pl.Boolean)
    flags = wanted.findings is not None and not OF_LABELS.intersection(wanted.findings)
    if wanted.equal or flags:
        plain = _PLAIN.get((objects.root, chunk.object), lambda: _plain(objects, chunk))
        mask &= plain.select(pl.all_horizontal(pl.lit(value=True), *(pl.col(name) == value for name, value in wanted.equal))).to_series()
        mask &= _any_of(plain["flags"], wanted.findings) if flags else mask
    if (wanted.label is not None or (wanted.findings is not None and not flags)) and mask.any():
        labels = _LABELS.get((objects.root, chunk.object, wanted.capability), lambda: _labels(objects, chunk, wanted.capability))
        mask &= labels["labels"].list.contains(wanted.label) if wanted.label is not None else mask
        mask &= mask if flags else _any_of(labels["findings"], wanted.findings)
    return mask.arg_true()


def _any_of(codes: pl.Series, wanted: tuple[str, ...] | None) -> pl.Series:
    """Return whether each list of codes has one of those that are wanted; where nothing is asked for, all have it."""
    found = pl.repeat(wanted is None, n=codes.len(), eager=True, dtype=pl.Boolean)
    for code in wanted or ():
        found |= codes.list.contains(code)
    return found


def _plain(objects: Objects, chunk: Chunk) -> pl.DataFrame:
    flags = pl.col("flags").list.eval(pl.element().str.to_uppercase().cast(pl.Categorical))
    return collected(objects.scan([chunk.object]).select(pl.col(PLAIN).cast(pl.Categorical), flags))


def _labels(objects: Objects, chunk: Chunk, capability: Capability | None) -> pl.DataFrame:
    rows = collected(objects.scan([chunk.object]).select("width", "height", "flags", "annotations"))
    names = pl.col("annotations").list.eval(pl.element().struct.field("label").cast(pl.Categorical)).list.unique()
    findings = pl.Series("findings", _findings(rows, capability)).list.eval(pl.element().cast(pl.Categorical))
    return rows.select(names.alias("labels")).with_columns(findings)


def _findings(rows: pl.DataFrame, capability: Capability | None) -> pl.Series:
    """Return the findings of sample rows, as sets: the annotations of all rows at once, then one code a column."""
    place = "place"
    each = (
        rows.select(pl.int_range(pl.len(), dtype=pl.Int64).alias(place), frame_width="width", frame_height="height", one="annotations")
        .filter(pl.col("one").list.len() > 0)
        .explode("one")
        .unnest("one")
    )
    wrong = {SampleFinding.INVALID_GEOMETRY: each.filter(misplaced())[place]}
    if capability is not None:
        wrong[SampleFinding.INVALID_LABEL_SCHEMA] = each.filter(misfit(capability))[place]
    at = pl.int_range(rows.height, eager=True)
    said = [pl.when(at.is_in(wrong[code].implode())).then(pl.lit(code.value)) for code in SampleFinding if code in wrong]
    said.append(pl.when(pl.col("annotations").list.len() == 0).then(pl.lit(SampleFinding.EMPTY_LABELS.value)))
    flags = pl.col("flags").list.eval(pl.element().str.to_uppercase())
    return rows.select(pl.concat_list(pl.concat_list(said).list.drop_nulls(), flags).alias("findings")).to_series()
