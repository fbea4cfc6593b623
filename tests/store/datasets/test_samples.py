"""Frames and labels become sample rows in key order, whatever the packs are called and share."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.datasets.eligibility import PackFacts, RevisionFacts, Verdict
from labelkit.core.geometry import Box
from labelkit.core.review.annotations import PLAYER, Annotation, FrameContent
from labelkit.errors import StorageReadFailed
from labelkit.store.datasets import samples
from labelkit.store.datasets.tally import Tally
from labelkit.store.review.content import rows_of
from tests.services.packs import Pack, frames_of


def verdict(db, media: str, boxes: dict[int, int], *, frames: int = 3, broken: tuple[int, ...] = (), group: str = "g") -> Verdict:
    """A pack with so many boxes on each frame, its objects in the store."""
    labels = [
        FrameContent(index, tuple(Annotation(f"{index}-{n}", "player", Box(n, 0, 5, 5)) for n in range(boxes.get(index, 0))))
        for index in range(frames)
    ]
    revision = RevisionFacts(f"rev-{media}", 1, "hash", db.objects.put_frame(rows_of(labels)), frames, len(boxes), sum(boxes.values()))
    pictures = db.objects.put_frame(frames_of(Pack(media, [], frames=frames, broken=broken)))
    pack = PackFacts(f"pack-{media}", workspace="c", media=media, group_key=group, frames_object=pictures, frame_count=frames)
    return Verdict(pack._replace(broken_frame_count=len(broken)), revision, None)


def assembled(db, verdicts, *, minimum: int = 0) -> pl.DataFrame:
    return pl.concat(samples.assemble(db, verdicts, {"g": "train"}, minimum))


def test_a_sample_has_its_own_annotations_whatever_is_left_out(db):
    # given broken frames and frames with too few boxes
    verdicts = [verdict(db, "b", {0: 1, 1: 2, 2: 3}, broken=(0,)), verdict(db, "a", {0: 3, 2: 2})]

    # when
    rows = assembled(db, verdicts, minimum=2)

    # then
    assert rows.select("sample_key", pl.col("annotations").list.len()).rows() == [
        ("c/a/000000", 3),
        ("c/a/000002", 2),
        ("c/b/000001", 2),
        ("c/b/000002", 3),
    ]
    assert [one["id"] for one in rows["annotations"][2]] == ["1-0", "1-1"]


def test_two_packs_that_share_their_objects_both_have_all_samples(db):
    # given two media with equal frames and labels, stored once
    one = verdict(db, "a", {0: 1})
    two = Verdict(one.pack._replace(media="b", pack_id="pack-b"), one.revision, None)

    # when
    rows = assembled(db, [one, two])

    # then
    assert rows["sample_key"].to_list() == [f"c/{media}/{frame:06}" for media in "ab" for frame in range(3)]
    assert rows["annotations"].list.len().to_list() == [1, 0, 0, 1, 0, 0]


def test_content_whose_rows_are_not_the_frames_in_order_is_damaged(db):
    # given content of which a row was lost
    whole = verdict(db, "a", {0: 1, 1: 1, 2: 1})
    rows = db.objects.read_frame(whole.revision.content_object)
    broken = Verdict(whole.pack, whole.revision._replace(content_object=db.objects.put_frame(rows[1:])), None)

    # then no sample gets the labels of another frame
    with pytest.raises(StorageReadFailed, match="one row a frame"):
        assembled(db, [broken, verdict(db, "b", {1: 1})])


def test_frames_beyond_a_million_keep_their_number(db):
    made = verdict(db, "a", {})
    for name, column in (("content", "frame_index"), ("frames", "index")):
        digest = made.revision.content_object if name == "content" else made.pack.frames_object
        moved = db.objects.put_frame(db.objects.read_frame(digest).with_columns((pl.col(column) + 999_998).cast(pl.Int32)))
        made = (
            Verdict(made.pack, made.revision._replace(content_object=moved), None)
            if name == "content"
            else Verdict(made.pack._replace(frames_object=moved), made.revision, None)
        )
    assert set(assembled(db, [made])["sample_key"]) == {"c/a/999998", "c/a/999999", "c/a/1000000"}


names = st.text(st.sampled_from("ab/0-"), min_size=1, max_size=5)


@given(st.lists(names, unique=True, min_size=1, max_size=12), st.integers(0, 40))
def test_batches_come_in_key_order_and_never_between_keys_that_interleave(media, size):
    # given packs of ten frames with names that may start with each other
    revision = RevisionFacts("r", 1, "h", "o", 10, 0, 0)
    verdicts = [Verdict(PackFacts(name, workspace="c", media=name), revision, None) for name in media]
    before, samples.BATCH_ROWS = samples.BATCH_ROWS, size
    try:
        # when
        made = list(samples.batches(verdicts))
    finally:
        samples.BATCH_ROWS = before

    # then every key of a batch comes before every key of the next one
    keys = [[f"{one.pack.prefix}{frame:06}" for one in batch for frame in range(10)] for batch in made]
    assert sorted(name for batch in made for name in (one.pack.media for one in batch)) == sorted(media)
    assert all(max(a) < min(b) for a, b in pairwise(keys))


@pytest.mark.parametrize(
    ("case", "annotation", "schema", "geometry"),
    [
        ("a good box", {"label": "player", "x": 0.0, "y": 0.0, "width": 100.0, "height": 50.0}, 0, 0),
        ("a box that a sum of floats puts outside", {"label": "player", "x": 0.1, "y": 0.0, "width": 99.90000001, "height": 50.0}, 0, 0),
        ("an unknown class", {"label": "spectator", "x": 0.0, "y": 0.0, "width": 1.0, "height": 1.0}, 1, 0),
        ("a point among boxes", {"label": "player", "x": 0.0, "y": 0.0, "width": None, "height": None}, 1, 0),
        ("a box over the right edge", {"label": "player", "x": 60.0, "y": 0.0, "width": 41.0, "height": 1.0}, 0, 1),
        ("a box over the lower edge", {"label": "player", "x": 0.0, "y": 49.5, "width": 1.0, "height": 1.0}, 0, 1),
        ("a box left of the frame", {"label": "player", "x": -0.5, "y": 0.0, "width": 1.0, "height": 1.0}, 0, 1),
        ("a box above the frame", {"label": "player", "x": 0.0, "y": -0.5, "width": 1.0, "height": 1.0}, 0, 1),
        ("an empty box", {"label": "player", "x": 1.0, "y": 1.0, "width": 0.0, "height": 1.0}, 0, 1),
        ("no number", {"label": "player", "x": float("nan"), "y": 1.0, "width": 1.0, "height": 1.0}, 0, 1),
        ("an infinite side", {"label": "player", "x": 1.0, "y": 1.0, "width": float("inf"), "height": 1.0}, 0, 1),
    ],
)
def test_a_tally_counts_each_mistake_once(case, annotation, schema, geometry):
    # given one frame of 100 x 50 px with a good box and this one
    good = {"label": "player", "x": 1.0, "y": 1.0, "width": 2.0, "height": 2.0, "size": None}
    kinds = {"label": pl.String(), **dict.fromkeys(("x", "y", "width", "height", "size"), pl.Float64())}
    rows = pl.DataFrame(
        {"group_key": ["g"], "split": ["train"], "width": [100], "height": [50], "annotations": [[good, annotation | {"size": None}]]},
        schema_overrides={"annotations": pl.List(pl.Struct(kinds))},
    )

    # when
    tally = Tally(PLAYER)
    tally.add(rows)

    # then
    assert (tally.errors["schema"], tally.errors["geometry"]) == (schema, geometry), case
    assert (tally.samples, tally.annotations, tally.empty, tally.splits["train"]) == (1, 2, 0, 1)
