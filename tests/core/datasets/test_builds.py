"""A build request says what it wants in packs, and each wrong word has a refusal of its own."""

from __future__ import annotations

import pytest

from labelkit import BuildRequest
from labelkit.core.datasets.builds import BUILD, BuildStatus, BuildStep
from labelkit.errors import IllegalStep, LabelkitError

GIVEN = {"capability": "player_detection", "label_pack_ids": ["b", "a", "b"], "name": "players"}


def test_a_request_sorts_its_packs_and_keeps_each_once():
    assert BuildRequest(**GIVEN).pack_ids == ("a", "b")


def test_a_request_survives_json_and_cannot_be_changed():
    request = BuildRequest(**GIVEN, seed=7)
    assert BuildRequest.model_validate_json(request.model_dump_json()) == request
    with pytest.raises(Exception, match="frozen"):
        request.seed = 8


@pytest.mark.parametrize(
    "field", ["filter", "label_pack_filter", "select", "query", "review_status", "media", "group_key", "camera_type", "Where", "tags"]
)
def test_a_field_that_would_choose_packs_is_refused_by_name(field):
    with pytest.raises(LabelkitError) as refused:
        BuildRequest(**GIVEN, **{field: "x"})
    assert (refused.value.code, refused.value.status) == ("FILTERS_NOT_SUPPORTED_V1", 400)
    assert repr(field) in refused.value.detail


@pytest.mark.parametrize(
    ("case", "change", "code", "says"),
    [
        ("a misspelt field names the nearest", {"min_annotation": 1}, "UNKNOWN_ARGUMENT", "Did you mean min_annotations?"),
        ("a field like nothing", {"xyzzy": 1}, "UNKNOWN_ARGUMENT", "Leave it out."),
        ("an unknown strategy", {"split_strategy": "random"}, "SPLIT_STRATEGY_NOT_SUPPORTED", "'random'"),
        ("shares of a predefined split", {"split_strategy": "predefined", "ratios": {"train": 1.0}}, "INVALID_VALUE", "ratios"),
        ("a seed of a predefined split", {"split_strategy": "predefined", "seed": 7}, "INVALID_VALUE", "seed"),
        ("a column that is none", {"split_strategy": "predefined", "split_column": "colour"}, "INVALID_VALUE", "'colour'"),
        ("a column where none is read", {"split_column": "split"}, "INVALID_VALUE", "split_column"),
        ("a materialization that does not exist", {"materialization": "zip"}, "MATERIALIZATION_NOT_SUPPORTED", "'zip'"),
        ("a place for nothing", {"materialize_to": "/data"}, "INVALID_VALUE", "nothing is materialized"),
        ("a wrong type", {"seed": "many"}, "INVALID_VALUE", "BuildRequest.seed"),
        ("one id instead of a list", {"label_pack_ids": "a"}, "INVALID_VALUE", "BuildRequest.label_pack_ids"),
        ("a blank name", {"name": "  "}, "INVALID_VALUE", "BuildRequest.name"),
        ("a name with a line break", {"name": "a\nb"}, "INVALID_VALUE", "BuildRequest.name"),
        ("a negative minimum", {"min_annotations": -1}, "INVALID_VALUE", "BuildRequest.min_annotations"),
        ("a negative share", {"ratios": {"train": 1.5, "val": -0.5}}, "INVALID_VALUE", "'val'"),
        ("a share that is no number", {"ratios": {"train": float("nan")}}, "INVALID_VALUE", "'train'"),
        ("no share at all", {"ratios": {"train": 0.0}}, "INVALID_VALUE", "every share is 0"),
        ("a split without a name", {"ratios": {" ": 1.0}}, "INVALID_VALUE", "' '"),
    ],
)
def test_what_cannot_be_built_is_refused_with_its_code(case, change, code, says):
    with pytest.raises(LabelkitError) as refused:
        BuildRequest(**{**GIVEN, **change})
    assert refused.value.code == code, case
    assert says in str(refused.value), case


@pytest.mark.parametrize("missing", ["capability", "label_pack_ids", "name"])
def test_what_a_build_needs_must_be_said(missing):
    with pytest.raises(LabelkitError, match=f"BuildRequest.{missing}: Field required"):
        BuildRequest(**{key: value for key, value in GIVEN.items() if key != missing})


@pytest.mark.parametrize(("state", "step", "after"), list(BUILD.every_pair()), ids=str)
def test_only_a_running_build_ends(state, step, after):
    if after is None:
        with pytest.raises(IllegalStep):
            BUILD.move(state, step)
    else:
        assert (state, BUILD.move(state, step)) == (BuildStatus.RUNNING, after)
        assert (after is BuildStatus.SUCCESS) == (step is BuildStep.SUCCEED)
