"""Pages of samples under filters: the same as filtering everything, whatever the filter, the page size and the chunk borders."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.review.annotations import PLAYER
from labelkit.core.versions import Chunk, Tree
from labelkit.store.datasets import facets
from labelkit.store.datasets.facets import Wanted
from labelkit.store.objects import Objects

ANNOTATION = {"label": pl.String, **dict.fromkeys(("x", "y", "width", "height", "size"), pl.Float64)}
PLAYER_BOX = {"label": "player", "x": 1.0, "y": 1.0, "width": 5.0, "height": 5.0, "size": None}
BALL_BOX = {**PLAYER_BOX, "label": "ball"}
OUTSIDE = {**PLAYER_BOX, "x": 98.0}
EMPTY = {**PLAYER_BOX, "width": 0.0}
POINT = {**PLAYER_BOX, "width": None, "height": None, "size": 4.0}
STRANGER = {**PLAYER_BOX, "label": "linesman"}
ROWS, CHUNK, BLOCK = 300, 37, 16
KINDS = [[PLAYER_BOX], [BALL_BOX, PLAYER_BOX], [], [OUTSIDE], [STRANGER], [POINT, EMPTY]]
CODES = [[], [], ["EMPTY_LABELS"], ["INVALID_GEOMETRY"], ["INVALID_LABEL_SCHEMA"], ["INVALID_LABEL_SCHEMA", "INVALID_GEOMETRY"]]


def samples() -> pl.DataFrame:
    """Rows of a snapshot: what they carry follows from their place."""
    return pl.DataFrame(
        {
            "sample_key": [f"a/m/{n:06}" for n in range(ROWS)],
            "split": [("train", "val", "test")[n // 10 % 3] for n in range(ROWS)],
            "group_key": [f"g{n // 25}" for n in range(ROWS)],
            "camera_type": [("wide", "close")[n % 2] for n in range(ROWS)],
            "width": [100] * ROWS,
            "height": [50] * ROWS,
            "flags": [["bad_frame"] if n % 17 == 0 else [] for n in range(ROWS)],
            "annotations": [KINDS[n % len(KINDS)] for n in range(ROWS)],
        },
        schema_overrides={"annotations": pl.List(pl.Struct(ANNOTATION)), "flags": pl.List(pl.String)},
    )


@pytest.fixture(scope="module", autouse=True)
def _small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facets, "BLOCK_ROWS", BLOCK)
        yield


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Objects, Tree, pl.DataFrame]:
    objects, rows = Objects(tmp_path_factory.mktemp("objects")), samples()
    parts = [rows.slice(at, CHUNK) for at in range(0, ROWS, CHUNK)]
    tree = Tree("sample_key", tuple(Chunk(part["sample_key"][0], part.height, "", objects.put_frame(part)) for part in parts))
    return objects, tree, rows


def codes_of(number: int) -> list[str]:
    return [*CODES[number % len(CODES)], *(["BAD_FRAME"] if number % 17 == 0 else [])]


@settings(max_examples=40, deadline=None)
@given(
    equal=st.dictionaries(st.sampled_from(["split", "camera_type"]), st.sampled_from(["val", "wide", "g3"]), max_size=2),
    label=st.sampled_from([None, "player", "ball", "nobody"]),
    findings=st.sampled_from([None, (), ("BAD_FRAME",), ("EMPTY_LABELS",), ("INVALID_GEOMETRY", "BAD_FRAME"), ("INVALID_LABEL_SCHEMA",)]),
    limit=st.integers(1, 60),
)
def test_the_pages_under_a_filter_are_all_that_it_leaves(stored, equal, label, findings, limit):
    # given what is left, told row by row
    objects, tree, rows = stored
    expected = [
        row["sample_key"]
        for number, row in enumerate(rows.iter_rows(named=True))
        if all(row[name] == value for name, value in equal.items())
        and (label is None or any(one["label"] == label for one in row["annotations"]))
        and (findings is None or set(findings) & set(codes_of(number)))
    ]
    wanted = Wanted(tuple(equal.items()), label, findings, PLAYER)

    # when
    seen, after = [], None
    while (page := facets.page(objects, tree, wanted, after=after, limit=limit)).height:
        seen += page["sample_key"].to_list()
        after = seen[-1]

    # then
    assert seen == expected


def test_each_sample_carries_its_findings_in_one_order(stored):
    # given
    objects, tree, rows = stored
    # when
    page = facets.page(objects, tree, Wanted(capability=PLAYER), after=None, limit=ROWS)
    # then
    assert page["findings"].to_list() == [codes_of(number) for number in range(ROWS)]
    assert page.drop("findings").equals(rows)


def test_a_capability_that_is_gone_judges_no_schema(stored):
    # given
    objects, tree, _ = stored
    # then
    page = facets.page(objects, tree, Wanted(), after=None, limit=6)
    assert page["findings"].to_list() == [["BAD_FRAME"], [], ["EMPTY_LABELS"], ["INVALID_GEOMETRY"], [], ["INVALID_GEOMETRY"]]


def test_a_page_reads_no_chunk_before_its_cursor(stored):
    # given a tree whose first chunks have no object any more
    objects, tree, rows = stored
    gone = Tree("sample_key", (*(Chunk(c.first_key, c.rows, c.digest, "0" * 64) for c in tree.chunks[:-1]), tree.chunks[-1]))
    # then a page at the end does not miss them
    assert facets.page(objects, gone, Wanted(), after=rows["sample_key"][ROWS - 3], limit=50).height == 2
