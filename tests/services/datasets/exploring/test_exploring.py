"""A built dataset: frames of everything, pages of samples, reasons, lineage, lists, and how it looks."""

from __future__ import annotations

import pytest

import labelkit
from labelkit import BuildRequest
from labelkit.core.geometry import Box
from labelkit.core.review.annotations import FrameFlag
from labelkit.errors import LabelkitError
from tests.services.packs import Pack, add

BOX = Box(10.0, 20.0, 30.0, 40.0)
LABELS = {0: [("player", BOX), ("ball", Box(1.0, 2.0, 3.5, 4.0))], 1: [("player", BOX)]}
GOOD = Pack("m", [("APPROVED", LABELS)])
SIX = [GOOD.with_(media=f"match-{n}", group=f"g{n}", camera="tactical" if n % 2 else "broadcast", broken=[3]) for n in range(6)]

SAMPLE_COLUMNS = """sample_key split group_key camera_type workspace media frame_index frame_name pts_ms width height sha256 flags digest
    annotations"""
ANNOTATION_COLUMNS = "sample_key split media frame_index id label x y width height size score source attributes"


def request(packs, **more) -> BuildRequest:
    return BuildRequest(**{"capability": "player_detection", "label_pack_ids": list(packs), "name": "players"} | more)


@pytest.fixture(scope="module")
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


@pytest.fixture(scope="module")
def ids(ws):
    return add(ws, [*SIX, GOOD.with_(media="out", review="pending"), GOOD.with_(media="flagged", flags={2: FrameFlag.BAD_FRAME})])


@pytest.fixture(scope="module")
def dataset(ws, ids):
    return ws.datasets.build(request(pack for media, pack in ids.items() if media != "flagged")).dataset


def refused(call, *arguments, **more) -> LabelkitError:
    with pytest.raises(LabelkitError) as found:
        call(*arguments, **more)
    return found.value


def test_the_samples_are_a_frame_in_key_order(dataset):
    rows = dataset.to_polars()
    assert rows["sample_key"].to_list() == [f"club-a/match-{n}/{frame:06}" for n in range(6) for frame in range(3)]
    assert rows.columns == [
        "sample_key",
        "split",
        "group_key",
        "camera_type",
        "workspace",
        "media",
        "frame_index",
        "frame_name",
        "pts_ms",
        "width",
        "height",
        "sha256",
        "flags",
        "digest",
        "annotations",
    ]
    first = rows.row(0, named=True)
    assert {name: first[name] for name in ("workspace", "media", "frame_name", "pts_ms", "width", "height", "camera_type")} == {
        "workspace": "club-a",
        "media": "match-0",
        "frame_name": "000000.jpg",
        "pts_ms": 0.0,
        "width": 1280,
        "height": 720,
        "camera_type": "broadcast",
    }
    assert [(one["label"], one["x"], one["width"]) for one in first["annotations"]] == [("player", 10.0, 30.0), ("ball", 1.0, 3.5)]


def test_the_annotations_are_a_frame_of_one_row_a_box(dataset):
    rows = dataset.annotations()
    assert rows.height == dataset.annotation_count == 18
    assert rows.columns == (
        ["sample_key", "split", "media", "frame_index", "id", "label", "x", "y", "width", "height", "size", "score", "source", "attributes"]
    )
    assert rows.filter(rows["label"] == "ball").height == 6


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_a_split_has_the_samples_that_the_counts_say(dataset, split):
    rows = dataset.to_polars(split)
    assert rows.height == dataset.split_counts[split]
    assert rows["split"].unique().to_list() == [split]
    assert rows["group_key"].n_unique() == dataset.group_counts[split]
    assert dataset.annotations(split).height == sum(row[split] for row in dataset.class_counts.values())


def test_a_split_that_does_not_exist_is_refused(dataset):
    assert "Did you mean 'train'?" in refused(dataset.to_polars, "trian").detail


@pytest.mark.parametrize(
    ("case", "wanted", "count"),
    [
        ("everything", {}, 18),
        ("frames with a ball", {"label": "ball"}, 6),
        ("frames with a class that nobody drew", {"label": "referee"}, 0),
        ("a camera", {"camera_type": "tactical"}, 9),
        ("a group", {"group": "g2"}, 3),
        ("a ball by a camera in a group", {"label": "ball", "camera_type": "tactical", "group": "g3"}, 1),
    ],
)
def test_samples_come_by_pages_under_filters(dataset, case, wanted, count):
    # when all pages of two are read
    pages, cursor = [], None
    while True:
        page = dataset.samples(**wanted, cursor=cursor, limit=2)
        pages.append(page)
        cursor = page.next_cursor
        if cursor is None:
            break

    # then every sample comes once, in order, and only the last page may be short
    keys = [sample.key for page in pages for sample in page]
    assert (len(keys), keys) == (count, sorted(set(keys))), case
    assert all(len(page) == 2 for page in pages[:-1]), case


def test_a_sample_is_found_by_its_key(dataset):
    sample = dataset.sample("club-a/match-4/000001")
    assert (sample.media, sample.frame_index, sample.group, [one.label for one in sample.annotations]) == ("match-4", 1, "g4", ["player"])
    error = refused(dataset.sample, "club-a/match-4/000003")
    assert error.code == "NOT_FOUND"
    assert "FRAME_MISSING" in error.detail


def test_flags_are_kept_with_the_sample(ws, ids):
    made = ws.datasets.build(request([ids["flagged"]], name="flagged")).dataset
    assert [sample.flags for sample in made.samples()] == [(), (), ("bad_frame",), ()]


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("club-a/match-0/000002", "INCLUDED"),
        ("club-a/match-0/000003", "FRAME_MISSING"),
        ("club-a/match-0/000004", "FRAME_UNKNOWN"),
        ("club-a/out/000000", "LABEL_PACK_NOT_APPROVED"),
        ("club-a/flagged/000000", "NOT_REQUESTED"),
        ("club-b/match-0/000000", "NOT_REQUESTED"),
        ("nonsense", "NOT_REQUESTED"),
    ],
)
def test_why_a_frame_is_not_in_the_dataset(dataset, key, code):
    answer = dataset.why_not(key)
    assert answer.code == code
    assert str(answer) == f"{code}: {answer.sentence}"


def test_why_a_frame_with_too_few_labels_is_not_in_the_dataset(ws, ids):
    made = ws.datasets.build(request([ids["match-0"]], name="two", min_annotations=2)).dataset
    answer = made.why_not("club-a/match-0/000001")
    assert (answer.code, answer.row["min_annotations"]) == ("BELOW_MIN_ANNOTATIONS", 2)


def test_why_a_pack_is_in_the_dataset_or_not(dataset, ids):
    # a revision decided for one, the review status for the other, nothing for a third
    inside, outside = dataset.why(ids["match-1"]), dataset.why(ids["out"])
    assert (inside.code, inside.row["revision_number"], inside.row["revision_id"][:4]) == ("INCLUDED", 1, "rev_")
    assert (outside.code, outside.row["review_status"]) == ("LABEL_PACK_NOT_APPROVED", "pending")
    assert dataset.why("lpk_other").code == "NOT_REQUESTED"


def test_lineage_names_revisions_and_reasons(dataset, ids):
    rows = dataset.lineage.to_polars()
    assert rows.filter(rows["included"])["pack_id"].to_list() == sorted(ids[f"match-{n}"] for n in range(6))
    assert rows.filter(~rows["included"]).select("pack_id", "reason").rows() == [(ids["out"], "LABEL_PACK_NOT_APPROVED")]
    assert rows.filter(rows["included"])["content_hash"].str.len_chars().to_list() == [64] * 6
    assert repr(dataset.lineage).startswith("<Lineage: 6 packs included, 1 excluded>")


def test_what_was_decided_stays_though_the_packs_change_later(ws, ids, dataset):
    # given that everything it was built from is revoked afterwards
    with ws._database.transaction() as tx:
        tx.execute("UPDATE eligibility SET state = 'REVOKED'")
        tx.execute("UPDATE label_packs SET review_status = 'revoked'")
    try:
        # then the dataset is as it was
        again = ws.datasets.get(dataset.id)
        assert (again.manifest_hash, again.to_polars().height) == (dataset.manifest_hash, 18)
        assert again.why(ids["match-0"]).row["review_status"] == "approved"
    finally:
        with ws._database.transaction() as tx:
            tx.execute("UPDATE eligibility SET state = 'APPROVED'")
            tx.execute("UPDATE label_packs SET review_status = 'approved' WHERE id <> $out", out=ids["out"])
            tx.execute("UPDATE label_packs SET review_status = 'pending' WHERE id = $out", out=ids["out"])


def test_builds_are_listed_newest_first_by_pages_and_filters(ws, ids):
    # given five builds of one name, and one of another
    for seed in range(5):
        ws.datasets.build(request([ids["match-0"]], name="listed", seed=seed))
    ws.datasets.build(request([ids["match-1"]], name="listed-too"))

    # when they are read by pages of two
    first = ws.datasets.list(name="listed", limit=2)
    second = ws.datasets.list(name="listed", limit=2, cursor=first["id"][-1])
    third = ws.datasets.list(name="listed", limit=2, cursor=second["id"][-1])

    # then
    assert [frame["version"].to_list() for frame in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert first.row(0, named=True) | {"id": "", "build_id": "", "created_at": ""} == {
        "name": "listed",
        "version": 5,
        "id": "",
        "display_name": "listed v5",
        "version_id": "v5",
        "dataset_version_id": first["id"][0],
        "scope": "club-a/match-0",
        "capability": "player_detection",
        "status": "success",
        "failure": None,
        "materialization": "none",
        "samples": 3,
        "annotations": 3,
        "split_samples": '{"train": 3, "test": 0, "val": 0}',
        "quality": "Warnings (4)",
        "included_packs": 1,
        "excluded_packs": 0,
        "manifest_hash": ws.datasets.get("listed").manifest_hash,
        "is_frozen": False,
        "build_id": "",
        "created_at": "",
        "created_by": "ana",
    }
    assert ws.datasets.list(capability="ball_detection").is_empty()
    assert ws.datasets.list(status="failed").is_empty()
    assert set(ws.datasets.list()["name"]) >= {"listed", "listed-too"}


def test_a_dataset_is_opened_by_name_version_id_or_build_id(ws, dataset):
    assert {ws.datasets.get(one).id for one in (dataset.id, dataset.build_id, "players")} == {dataset.id}
    assert "Did you mean 'players'?" in refused(ws.datasets.get, "player").detail


def test_a_dataset_reads_well(dataset):
    lines = repr(dataset).splitlines()
    assert lines[0] == f"<Dataset players v1 ({dataset.id}), player_detection: success>"
    assert lines[1].startswith("  18 samples, 18 annotations, manifest ")
    assert lines[2] == "  quality: Warnings (3)"
    assert lines[3].split() == ["split", "samples", "groups", "ball", "player"]
    assert (dataset.materialization, dataset.created_by, dataset.request.seed) == ("none", "ana", 0)


def test_what_people_wrote_is_escaped_in_a_notebook(ws, ids):
    made = ws.datasets.build(request([ids["match-0"]], name="<script>alert(1)</script>", ratios={"<b>": 1.0})).dataset
    html = made._repr_html_()
    assert "<script>" not in html
    assert "<b>alert" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;b&gt;" in html


def test_samples_with_a_finding_are_found_and_listed(ws, ids):
    # given two frames without labels, one of them flagged
    made = ws.datasets.build(request([ids["flagged"]], name="found")).dataset

    def keys(finding):
        return [sample.frame_index for sample in made.samples(finding=finding)]

    # then
    assert (keys("ANY"), keys("EMPTY_LABELS"), keys("BAD_FRAME"), keys("INVALID_GEOMETRY")) == ([2, 3], [2, 3], [2], [])
    assert made.sample("club-a/flagged/000002").findings == ("EMPTY_LABELS", "BAD_FRAME")
    assert made.findings().select("frame_index", "finding").rows() == [(2, "EMPTY_LABELS"), (2, "BAD_FRAME"), (3, "EMPTY_LABELS")]
    assert "Did you mean 'BAD_FRAME'?" in refused(made.samples, finding="BADFRAME").detail
