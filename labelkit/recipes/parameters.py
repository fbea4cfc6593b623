"""What each recipe may be given: one pydantic model a notebook, equal in names and defaults to its `parameters` cell."""

from __future__ import annotations

import ast
import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from labelkit.errors import RecipeParametersInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbformat import NotebookNode

PARAMETERS_TAG = "parameters"


class Parameters(BaseModel):
    """The parameters of a recipe; an unknown name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def given(cls, names: Mapping[str, object]) -> Self:
        """Return the parameters among the names of a notebook, checked again: plain papermill does not check. For its first cell.

        Raises `RecipeParametersInvalid`.
        """
        values = {name: names[name] for name in cls.model_fields if name in names}
        return cls.model_validate(check(cls.__name__, cls, values))


class BuildDataset(Parameters):
    """Parameters of `build_dataset`: which store, which label packs (none named: all that are included by default), how to split."""

    store: str
    workspace: str = "default"
    capability: str = "player_detection"
    name: str = "players"
    description: str = ""
    label_pack_ids: list[str] = []
    ratios: dict[str, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
    seed: int = 0
    force: bool = False
    export_format: str = "coco"
    export_to: str | None = None


class Quickstart(Parameters):
    """Parameters of `quickstart`: where to draw the match and keep the store, and how many frames."""

    folder: str = "quickstart"
    frames: int = Field(default=48, ge=3)


class ReviewQueue(Parameters):
    """Parameters of `review_queue`: which store to review; one capability of it, or all."""

    store: str = "labels.duckdb"
    workspace: str = "default"
    capability: str | None = None


MODELS: dict[str, type[Parameters]] = {"build_dataset": BuildDataset, "quickstart": Quickstart, "review_queue": ReviewQueue}


def parameters_cell(notebook: NotebookNode) -> str:
    """Return the source of the cell tagged `parameters`, or the empty text."""
    cells = [cell for cell in notebook.cells if PARAMETERS_TAG in cell.metadata.get("tags", [])]
    return str(cells[0].source) if cells else ""


def parameter_model(name: str, notebook: NotebookNode) -> type[BaseModel]:
    """Return the package's model of the recipe `name`; for another notebook one read off its parameters cell.

    There `seed = 0` makes an optional int, and a default that is not a literal makes a parameter of any type.
    """
    if name in MODELS:
        return MODELS[name]
    fields: dict[str, Any] = {}
    for node in ast.parse(parameters_cell(notebook)).body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name):
                fields[target.id] = (_type_of(node), None)
    return create_model(f"Parameters of {name}", __config__=ConfigDict(extra="forbid"), **fields)


def _type_of(node: ast.stmt) -> Any:  # noqa: ANN401  # the type of a type
    try:
        value = ast.literal_eval(getattr(node, "value", None) or ast.Constant(None))
    except ValueError:
        return Any
    return Any if value is None else float if isinstance(value, float) else type(value)


def read_text(model: type[BaseModel], name: str, text: str) -> object:
    """Return the value of a parameter typed on a command line: text where the model wants text, else read as YAML."""
    field = model.model_fields.get(name)
    if field is not None and field.annotation in {str, str | None}:
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def read_file(file: Path) -> dict[str, object]:
    """Return the parameters in a YAML file: a mapping of names to values. Raises `RecipeParametersInvalid`."""
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeParametersInvalid(recipe=str(file), faults=f"it cannot be read ({error})", known="those of the recipe") from error
    if not isinstance(values, dict):
        raise RecipeParametersInvalid(recipe=str(file), faults="it is no mapping of names to values", known="those of the recipe")
    return {str(name): value for name, value in values.items()}


def check(recipe: str, model: type[BaseModel], values: Mapping[str, object]) -> dict[str, object]:
    """Return the values that were given, checked and as JSON values. Raises `RecipeParametersInvalid` naming each one that is wrong."""
    try:
        checked = model.model_validate_json(json.dumps(dict(values)), strict=True)
    except ValidationError as error:
        faults = [_fault(model, fault["type"], fault["loc"], fault["msg"], fault.get("input")) for fault in error.errors()]
    except TypeError as error:
        faults = [f"every value must be a JSON value: {error}"]
    else:
        return checked.model_dump(mode="json", include=set(values))
    raise RecipeParametersInvalid(recipe=recipe, faults="; ".join(faults), known=", ".join(model.model_fields) or "none")


def _fault(model: type[BaseModel], kind: str, place: tuple[int | str, ...], message: str, given: object) -> str:
    name = str(place[0]) if place else "?"
    if kind == "extra_forbidden":
        near = get_close_matches(name, model.model_fields, n=1)
        return f"unknown {name!r}" + (f", did you mean {near[0]!r}?" if near else "")
    if kind == "missing" and len(place) == 1:
        return f"missing {name!r}"
    return f"{'.'.join(map(str, place))!r}: {message[0].lower()}{message[1:]}, not {given!r}"
