"""The parameters of a recipe: the package's models and the notebooks' cells say the same; what is typed becomes a value."""

from __future__ import annotations

import nbformat
import pytest

from labelkit import errors, recipes
from labelkit.recipes import parameters

MODEL = recipes.BuildDataset


@pytest.mark.parametrize(("name", "model"), parameters.MODELS.items(), ids=parameters.MODELS)
def test_the_parameters_cell_has_the_names_and_defaults_of_the_model(name, model):
    # given
    cell = parameters.parameters_cell(nbformat.read(recipes.find(name), as_version=4))

    # when the cell is executed
    values = {}
    exec(cell, {}, values)  # what the kernel does with it

    # then
    assert values.keys() == model.model_fields.keys()
    for field, info in model.model_fields.items():
        assert info.is_required() or values[field] == info.default
    assert recipes.check(name, model, values) == values


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        pytest.param({}, "missing 'store'", id="missing"),
        pytest.param({"store": "s", "sed": 1}, "unknown 'sed', did you mean 'seed'?", id="unknown, near another"),
        pytest.param({"store": "s", "zzz": 1}, "unknown 'zzz'", id="unknown"),
        pytest.param({"store": "s", "seed": "7"}, "'seed': input should be a valid integer, not '7'", id="text for a number"),
        pytest.param({"store": "s", "seed": 1.5}, "'seed'", id="fraction for a whole number"),
        pytest.param({"store": "s", "force": 1}, "'force': input should be a valid boolean, not 1", id="number for a truth value"),
        pytest.param({"store": "s", "label_pack_ids": "p"}, "'label_pack_ids'", id="text for a list"),
        pytest.param({"store": "s", "label_pack_ids": ["p", 3]}, "'label_pack_ids.1'", id="number within a list of texts"),
        pytest.param({"store": {1, 2}}, "every value must be a JSON value", id="no JSON value"),
    ],
)
def test_a_wrong_parameter_is_refused_and_named(values, fault):
    with pytest.raises(errors.RecipeParametersInvalid) as caught:
        recipes.check("build_dataset", MODEL, values)
    assert fault in caught.value.detail
    assert "seed" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        pytest.param("seed", "7", 7, id="number"),
        pytest.param("name", "2024", "2024", id="text that looks like a number"),
        pytest.param("export_to", "no", "no", id="optional text that looks like a truth value"),
        pytest.param("force", "true", True, id="truth value"),
        pytest.param("label_pack_ids", "[a, b]", ["a", "b"], id="list"),
        pytest.param("ratios", "{train: 0.5, val: 0.5}", {"train": 0.5, "val": 0.5}, id="mapping"),
        pytest.param("label_pack_ids", "[a, b", "[a, b", id="broken YAML stays text, which the check refuses"),
        pytest.param("sed", "7", 7, id="unknown, which the check refuses"),
    ],
)
def test_what_is_typed_becomes_the_value_that_the_model_wants(name, text, value):
    assert parameters.read_text(MODEL, name, text) == value


def test_a_notebook_of_ones_own_is_checked_against_its_cell(notebook):
    # given literals of several types, one default that is no literal, and one that is annotated
    file = notebook("own", "import os\na = 1\nb: float = 0.5\nc = os.sep\nd = None\ne = ['x']")

    # when
    model = recipes.parameter_model("own", nbformat.read(file, as_version=4))

    # then
    good = {"a": 2, "b": 1, "c": 3, "d": "any", "e": []}
    assert recipes.check("own", model, good) == good
    with pytest.raises(errors.RecipeParametersInvalid, match=r"'a'.*'e'.*unknown 'f'"):
        recipes.check("own", model, {"a": "2", "e": "x", "f": 1})


def test_a_notebook_without_a_parameters_cell_takes_none():
    model = recipes.parameter_model("bare", nbformat.v4.new_notebook())
    assert recipes.check("bare", model, {}) == {}
    with pytest.raises(errors.RecipeParametersInvalid, match="Its parameters are: none"):
        recipes.check("bare", model, {"a": 1})
