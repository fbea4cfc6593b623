"""One plan behind preflight and build: counts, issues, refusals and identity."""

from __future__ import annotations

import pytest

from labelkit import BuildRequest
from labelkit.core.datasets.builds import BuildOutcome
from labelkit.core.datasets.eligibility import PackFacts, Policy, RevisionFacts, judge
from labelkit.core.datasets.near_duplicates import NO_EVIDENCE
from labelkit.core.datasets.plans import BuildPlan, make_plan
from labelkit.core.datasets.preflight import Preflight
from labelkit.core.datasets.splits import GroupCounts
from labelkit.core.review.packs import ReviewStatus, ValidationStatus
from labelkit.errors import LabelkitError

GROUPS = {f"g{n}": GroupCounts(10, {"player": 100, "ball": n}) for n in range(10)}


def pack(number: int, **change: object) -> PackFacts:
    facts = PackFacts(
        f"pack_{number}",
        workspace_id="ws",
        workspace="club-a",
        media_id=f"med_{number}",
        media=f"match-{number}",
        group_key=f"g{number}",
        capability="player_detection",
        review_status=ReviewStatus.APPROVED,
        validation_status=ValidationStatus.PASSED,
        approved=RevisionFacts(f"rev_{number}", 1, f"hash_{number}", "object", 10, 10, 100 + number),
    )
    return facts._replace(**change)


PACKS = [pack(n) for n in range(10)]


def plan(packs=PACKS, groups=GROUPS, placed=None, *, evidence=NO_EVIDENCE, override_refused_to=None, **change) -> BuildPlan:
    request = BuildRequest(**{"capability": "player_detection", "label_pack_ids": [p.pack_id for p in packs], "name": "players"} | change)
    verdicts = judge(packs, Policy("player_detection", frozenset({"ws"})))
    return make_plan(request, verdicts, groups, placed or {}, evidence=evidence, override_refused_to=override_refused_to)


def test_counts_add_up_over_splits_and_groups_are_whole():
    found = plan()
    assert found.split_samples == {"train": 80, "test": 10, "val": 10}
    assert found.split_groups == {"train": 8, "test": 1, "val": 1}
    assert {name: sum(row.values()) for name, row in found.class_counts.items()} == {"ball": 45, "player": 1000}
    assert (found.sample_count, found.issues, found.refusals) == (100, (), ())
    found.check()


@pytest.mark.parametrize(
    ("case", "given", "codes", "blocks"),
    [
        ("ratios that do not add up", {"ratios": {"train": 0.8, "val": 0.1}}, ["SPLIT_RATIOS_INVALID"], True),
        ("nobody's override", {"override_refused_to": "ana"}, ["ELIGIBILITY_OVERRIDE_FORBIDDEN"], True),
        ("one media twice", {"packs": [*PACKS, pack(11, media_id="med_1")]}, ["LABEL_PACKS_OVERLAP"], True),
        ("a split that is gone", {"placed": {"g1": "holdout"}}, ["SPLIT_PLACEMENT_CONFLICT"], True),
        (
            "two groups for three splits",
            {"groups": {"g0": GROUPS["g0"], "g1": GROUPS["g1"]}, "packs": PACKS[:2]},
            ["TOO_FEW_GROUPS", "EMPTY_SPLIT"],
            False,
        ),
        (
            "no pack is eligible",
            {"packs": [pack(1, review_status=ReviewStatus.PENDING), pack(2, found=False)], "groups": {}},
            ["NO_ELIGIBLE_LABEL_DATA", "TOO_FEW_GROUPS", "EMPTY_SPLIT", "EMPTY_SPLIT", "EMPTY_SPLIT"],
            True,
        ),
        (
            "no frame has enough annotations",
            {"groups": {"g1": GroupCounts(0)}, "min_annotations": 99},
            ["NO_ELIGIBLE_LABEL_DATA", "TOO_FEW_GROUPS", "EMPTY_SPLIT", "EMPTY_SPLIT", "EMPTY_SPLIT"],
            True,
        ),
    ],
)
def test_what_stands_in_the_way_is_an_issue_and_a_refusal(case, given, codes, blocks):
    found = plan(**given)
    assert [issue.code for issue in found.issues] == codes, case
    assert next(issue.blocking for issue in found.issues) == blocks, case
    if blocks:
        with pytest.raises(type(found.refusals[0])) as refused:
            found.check()
        assert refused.value.code == codes[0]


def test_a_predefined_split_is_what_the_media_say_and_its_shares_are_those_it_has():
    # given
    packs = [pack(n, split="holdout" if n < 3 else "train") for n in range(10)]

    # when
    found = plan(packs, split_strategy="predefined")

    # then
    assert found.placement == {f"g{n}": "holdout" if n < 3 else "train" for n in range(10)}
    assert (found.split_samples, found.splits) == ({"train": 70, "holdout": 30}, ["train", "holdout"])
    assert (found.issues, found.stability.kept) == ((), 0)


def test_any_fact_of_a_media_may_be_the_column():
    packs = [pack(n, camera_type="broadcast" if n % 2 else "drone") for n in range(10)]
    assert plan(packs, split_strategy="predefined", split_column="camera_type").split_groups == {"broadcast": 5, "drone": 5}


@pytest.mark.parametrize(
    ("packs", "code"),
    [
        pytest.param([pack(0, split="train"), pack(1)], "SPLIT_MISSING", id="a media without a split"),
        pytest.param([pack(0, split="train"), pack(1, split="test", group_key="g0")], "SPLIT_CUTS_GROUP", id="a group on both sides"),
    ],
)
def test_a_predefined_split_that_is_none_stands_in_the_way(packs, code):
    found = plan(packs, split_strategy="predefined")
    assert [issue.code for issue in found.issues] == [code]
    with pytest.raises(LabelkitError) as refused:
        found.check()
    assert refused.value.code == code


def test_a_split_for_this_set_alone_is_not_bound_by_earlier_versions():
    placed = {f"g{n}": "test" for n in range(10)}
    found = plan(placed=placed, split_strategy="group_ratio")
    assert (found.split_groups, found.stability.kept) == ({"train": 8, "test": 1, "val": 1}, 0)
    assert plan(split_strategy="group_ratio").reuse.value == found.reuse.value


def test_the_refusal_of_an_empty_selection_counts_the_reasons():
    found = plan(packs=[pack(1, review_status=ReviewStatus.PENDING), pack(2, found=False), pack(3, found=False)], groups={})
    assert "LABEL_PACK_NOT_APPROVED (1), LABEL_PACK_NOT_FOUND (2)" in found.refusals[0].detail


@pytest.mark.parametrize(
    ("case", "change", "equal"),
    [
        ("another name", {"name": "other"}, True),
        ("another description", {"description": "x"}, True),
        ("another order of packs", {"label_pack_ids": [f"pack_{n}" for n in reversed(range(10))]}, True),
        ("another order of ratios", {"ratios": {"val": 0.1, "test": 0.1, "train": 0.8}}, True),
        ("force", {"force": True}, True),
        ("another seed", {"seed": 1}, False),
        ("another minimum", {"min_annotations": 1}, False),
        ("other ratios", {"ratios": {"train": 0.7, "val": 0.2, "test": 0.1}}, False),
        ("other content of a revision", {"packs": [*PACKS[:9], pack(9, approved=PACKS[9].approved._replace(content_hash="x"))]}, False),
        ("another revision of equal content", {"packs": [*PACKS[:9], pack(9, approved=PACKS[9].approved._replace(id="x"))]}, True),
        ("a pack less", {"packs": PACKS[:9], "groups": {k: v for k, v in GROUPS.items() if k != "g9"}}, False),
    ],
)
def test_the_reuse_fingerprint_is_of_what_decides_the_content(case, change, equal):
    assert (plan(**change).reuse.value == plan().reuse.value) == equal, case


def test_a_rebuild_with_the_placements_of_the_first_build_has_its_fingerprint():
    first = plan()
    assert plan(placed=first.placement).reuse.value == first.reuse.value


def test_a_group_whose_split_another_version_decided_changes_the_fingerprint():
    moved = {**plan().placement, "g0": "val"}
    assert plan(placed=moved).reuse.value != plan().reuse.value
    assert plan(placed=moved).placement["g0"] == "val"
    assert plan(placed=moved).stability.kept == 10


def test_a_preflight_reads_as_a_table():
    packs = [*PACKS, pack(11, review_status=ReviewStatus.PENDING)]
    shown = Preflight(plan(packs=packs, placed={"g0": "val"}), "b" * 64, BuildOutcome.CREATED)
    lines = repr(shown).splitlines()
    assert lines[0] == "Preflight of players (player_detection): would be created; 10 of 11 packs, 10 groups, 100 samples"
    assert lines[1].split() == ["split", "samples", "groups", "ball", "player"]
    assert lines[2].split()[:3] == ["train", "80", "8"]
    assert "1 groups stay in their split" in lines[5]
    assert "pack_11" in lines[7]
    assert "LABEL_PACK_NOT_APPROVED" in lines[7]
    assert shown.excluded_label_pack_ids == {"pack_11": "LABEL_PACK_NOT_APPROVED"}
    assert (shown.ok, shown.selected_count, shown.group_count) == (True, 10, 10)


def test_a_preflight_in_a_notebook_escapes_what_people_wrote():
    shown = Preflight(plan(name="<script>x</script>", packs=[pack(1, pack_id="<b>", found=False)], groups={}), "b", BuildOutcome.CREATED)
    html = shown._repr_html_()
    assert "<script>" not in html
    assert "&lt;b&gt;" in html
    assert "would be refused" in html
