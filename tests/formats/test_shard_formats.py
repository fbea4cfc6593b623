"""TFRecord, WebDataset and Hugging Face alike: any rows come back as they were, and the same rows are the same bytes."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings

from labelkit.formats import ROW_READERS, WRITERS, exporting
from labelkit.formats.exports import EVERYTHING, Facet, digests
from tests import needs
from tests.formats import helpers, row_zoo

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("huggingface", "tfrecord", "webdataset")
every_format = pytest.mark.parametrize("name", FORMATS)
ROWS = pl.DataFrame(
    {
        "key": [f"k{n:05}" for n in range(2_500)],
        "split": [("train", "val")[n % 3 == 0] for n in range(2_500)],
        "texts": [["x" * (n % 150)] * (n % 3) for n in range(2_500)],
        "number": [n / 7 for n in range(2_500)],
    }
)
WRITTEN_ALONE = """
import sys
from pathlib import Path
from tests.formats.test_shard_formats import all_digests
print(all_digests(Path(sys.argv[1]), chunks=3))
"""


def picture(row):
    return None if row["frame_index"] % 7 == 3 else (bytes([row["frame_index"] % 251]) * 40_000, "image/jpeg")


def samples():
    box = {"id": "1", "label": "player", "x": 10.1234, "y": 5.5, "width": 20.25, "height": 30.0, "score": 0.875}
    return helpers.samples(*(("train", [box] * (n % 3)) for n in range(130)))


def all_digests(root: Path, *, chunks: int) -> str:
    """Every file of every format, of rows and of samples with pictures, with its sha256, as JSON."""
    found = {}
    for name in FORMATS:
        for kind, rows, facts in (("rows", ROWS, {"capability": None}), ("samples", samples(), {"picture": picture})):
            folder = root / f"{name}-{kind}"
            helpers.export(WRITERS[name], folder, rows, chunks=chunks, **facts)
            found[folder.name] = {file.name: file.sha256 for file in digests(folder)}
    return json.dumps(found, sort_keys=True)


@every_format
@settings(max_examples=20)
@given(rows=row_zoo.frames())
def test_rows_of_any_types_come_back_as_they_were(tmp_path_factory, name, rows):
    folder = tmp_path_factory.mktemp("export")

    helpers.export(WRITERS[name], folder / "out", rows, None)
    found = pl.concat([*ROW_READERS[name](folder / "out")])
    shutil.rmtree(folder)

    assert row_zoo.same(found, rows)
    assert WRITERS[name].carries == EVERYTHING | {Facet.PICTURES}


@every_format
def test_an_export_without_rows_comes_back_with_its_columns(tmp_path, name):
    helpers.export(WRITERS[name], tmp_path / "out", row_zoo.ODDITIES.head(0), None)

    assert pl.concat([*ROW_READERS[name](tmp_path / "out")]).equals(row_zoo.ODDITIES.head(0))


def test_the_same_rows_are_the_same_bytes_however_they_are_chunked_and_whatever_threads_polars_has(tmp_path):
    alone = needs.python(
        WRITTEN_ALONE, arguments=(str(tmp_path / "alone"),), cwd=needs.ROOT, env={"POLARS_MAX_THREADS": "1", "PYTHONPATH": str(needs.ROOT)}
    )

    assert alone.returncode == 0, alone.stderr
    assert alone.stdout.strip() == all_digests(tmp_path / "whole", chunks=1) == all_digests(tmp_path / "pieces", chunks=7)


class Cancelled(Exception):  # noqa: N818 - what a user of the progress may raise
    pass


@every_format
def test_a_cancelled_export_leaves_nothing_behind(tmp_path, name):
    def progress(done, total):
        if done > total / 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        exporting.export(
            WRITERS[name], ROWS.iter_slices(1_000), tmp_path / "out", helpers.about(ROWS, None), total=ROWS.height, progress=progress
        )

    assert list(tmp_path.iterdir()) == []
