"""Every file that other tools test their importers with: it is imported or refused with a reason, and none breaks a reader."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from labelkit.core.review.annotations import Capability
from labelkit.errors import LabelkitError
from labelkit.formats import READERS
from labelkit.media import scan
from tests import needs
from tests.formats import helpers
from tests.real.peers import CLASSES, LISTS, NO_LABELS, SOURCES, SUFFIXES, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labelkit.formats.labels.rows import Chunk

pytestmark = pytest.mark.real

CAPABILITY = Capability("anything", "box", CLASSES)
READ_FILES = [READERS[name] for name in sorted(set(READERS) - {"python", "parquet"})]


@pytest.fixture(scope="module")
def root(real_data) -> Path:
    return real_data("peer_fixtures")


FIXTURES = Path(os.environ.get(needs.REAL_DATA) or needs.ROOT.parent / "shared" / "data", "peer_fixtures")


def files() -> list[str]:
    """Every file of the fixtures, none where they are missing: then one test says so."""
    return sorted(path.relative_to(FIXTURES).as_posix() for path in FIXTURES.rglob("*") if path.is_file())


def frames_of(root: Path, media: str | tuple[str, ...]) -> pl.DataFrame:
    if isinstance(media, str):
        return scan(root / media).to_polars()
    rows = [(index, *one.rsplit(" ", 2), None) for index, one in enumerate(media)]
    names = ("index", "name", "width", "height", "problem")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String) | {"index": pl.Int32}, orient="row").cast(
        {"width": pl.Int32, "height": pl.Int32}
    )


def read(root: Path, source: str, outcome: Outcome) -> Chunk:
    frames = frames_of(root, outcome.media)
    return helpers.together(READERS[outcome.format](root / source, frames=frames, capability=CAPABILITY, **outcome.options))


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_imported_or_refused_as_foreseen(root, source):
    outcome = SOURCES[source]
    if outcome.raises is not None:
        with pytest.raises(LabelkitError) as refused:
            read(root, source, outcome)
        assert refused.value.code == outcome.raises
        assert refused.value.facts["reason"]
    else:
        found = read(root, source, outcome)
        assert found.rows.height == outcome.kept
        assert dict(found.refused.group_by("code").len().iter_rows()) == outcome.refused
        assert found.refused["detail"].null_count() == 0


def belongs(name: str) -> bool:
    """Say whether a file is a source, belongs to one, or is known to hold no labels."""
    if name in SOURCES or LISTS in name or name.endswith(tuple(NO_LABELS)):
        return True
    return any(name.startswith(f"{source}/") and name.endswith(SUFFIXES.get(outcome.format, ())) for source, outcome in SOURCES.items())


def test_no_file_is_forgotten(root):
    everything = files()
    assert len(everything) > 370
    assert [name for name in everything if not belongs(name)] == []
    assert [source for source in SOURCES if not (root / source).exists()] == []


def tried(reader: Callable[..., Iterator[Chunk]], file: Path, frames: pl.DataFrame) -> list[str | None]:
    """What a reader says to a file: the reasons of its refusals, or of the refusal of the whole."""
    try:
        found = helpers.together(reader(file, frames=frames, classes=["dog"], capability=CAPABILITY))
    except LabelkitError as refused:
        return [refused.detail]
    return found.refused["detail"].to_list()


def different() -> list[str]:
    """Return one file of each content and suffix: many are the same picture or list again."""
    kinds = {(Path(name).suffix, hashlib.sha256((FIXTURES / name).read_bytes()).digest()): name for name in reversed(files())}
    return sorted(kinds.values())


@pytest.mark.parametrize("name", different())
def test_no_reader_breaks_on_any_file(root, name):
    """Each reader gets each file, whatever it is: labels, refusals, or a refusal of the whole, and never another exception."""
    frames = helpers.frames("a.jpg", "1.jpg", "2007_000001.jpg", "img0001.jpg", width=20, height=10)
    for reader in READ_FILES:
        assert all(tried(reader, root / name, frames))
