"""WebDataset out: tar files `<split>-000000.tar` with `<key>.json` of each row, and before it the stored picture of a sample.

The JSON is that of the format jsonl. Pictures are the stored bytes, under the suffix of what they are (`<key>.jpg`, `<key>.png`); a sample
without a picture has its JSON alone. The same rows and pictures give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.exports import EVERYTHING, Facet, Format
from labelkit.formats.keyed import jsonl
from labelkit.formats.keyed.byte_rows import put_together
from labelkit.formats.keyed.row_batches import in_order
from labelkit.formats.keyed.shard_files import Limits, ShardFiles
from labelkit.formats.keyed.tar_rows import END, members
from labelkit.formats.sample_pictures import SUFFIXES, runs
from labelkit.formats.webdataset.names import names_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from labelkit.formats.exports import About
    from labelkit.formats.keyed.byte_rows import ByteRows
    from labelkit.formats.sample_pictures import Picture

NAME = "{part}-{index:06}.tar"
LIMITS = Limits(rows=100_000)


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About, *, limits: Limits = LIMITS) -> Mapping[str, int]:
    """Fill an empty folder with rows (see `exports.Writer`)."""
    with ShardFiles(folder, about.parts, NAME, end=END, limits=limits) as shards:
        for part, made in in_order(runs(chunks, about), lambda run: (run.part, _members(run.rows, run.pictures, about))):
            shards.add(part, made.data, made.ends)
        return shards.finish()


FORMAT = Format("webdataset", write, EVERYTHING | {Facet.PICTURES}, frozenset({"samples", "rows"}), embeds=True)


def _members(rows: pl.DataFrame, pictures: Sequence[Picture], about: About) -> ByteRows:
    names = names_of(rows[about.key])
    texts = pl.Series(jsonl.lines(rows, about.json_columns).decode().split("\n")[:-1], dtype=pl.String)
    of_pictures = []
    if any(pictures):
        suffixes = pl.Series([None if one is None else f".{SUFFIXES.get(one[1], 'bin')}" for one in pictures], dtype=pl.String)
        of_pictures = members(names + suffixes, [None if one is None else one[0] for one in pictures])
    return put_together([*of_pictures, *members(names + ".json", texts)])
