"""What each recipe may be given: one pydantic model a notebook, equal in names and defaults to its `parameters` cell."""

from __future__ import annotations

import ast
import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from labelkit.core.datasets.builds import BuildRequest
from labelkit.core.golden.tiers import Tier
from labelkit.core.hashing import digest_of_lines
from labelkit.errors import RecipeParametersInvalid
from labelkit.recipes.places import Inputs, Place, Source, declared_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from labelkit.recipes.notebooks import Notebook
    from labelkit.services.golden import AddReport
    from labelkit.workspace import Workspace

PARAMETERS_TAG = "parameters"


class Parameters(BaseModel):
    """The parameters of a recipe; an unknown name is an error.

    `libraries` are those whose versions belong to the recipe's identity, beside labelkit's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    libraries: ClassVar[tuple[str, ...]] = ("duckdb", "polars")

    def may_be_answered(self) -> bool:
        """Say whether an earlier run of the same digest may answer: only where `inputs` says everything that decides the result."""
        return False

    def holds(self, ws: Workspace, result: Mapping[str, Any]) -> bool:  # noqa: ARG002  # nothing here that time could change
        """Say whether the result of an earlier run is still good, beside its dataset and its files being there."""
        return True

    def inputs(self, ws: Workspace | None) -> Inputs:  # noqa: ARG002  # what a recipe reads of its store is its own affair
        """Return what the recipe will read: here every parameter that is declared as `Place.INPUT`, by the digest of its bytes."""
        return declared_inputs(self)

    @classmethod
    def given(cls, names: Mapping[str, object]) -> Self:
        """Return the parameters among the names of a notebook, checked again: plain papermill does not check. For its first cell.

        Raises `RecipeParametersInvalid`.
        """
        values = {name: names[name] for name in cls.model_fields if name in names}
        return cls.model_validate(check(cls.__name__, cls, values))


class BuildDataset(Parameters):
    """Parameters of `build_dataset`: which store, which label packs (none named: all that are candidates), and a build's options."""

    store: Annotated[str, Place.STORE]
    workspace: str = "default"
    capability: str = "player_detection"
    name: str = "players"
    description: str = ""
    label_pack_ids: list[str] = []
    split_strategy: str = "group_stable"
    split_column: str | None = None
    ratios: dict[str, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
    seed: int = 0
    min_annotations: int = Field(default=0, ge=0)
    join_near_duplicates: bool | None = None
    materialization: str = "none"
    materialize_to: Annotated[str | None, Place.BULK] = None
    include_reviewed_override: bool = False
    enforce_quality: bool | None = None
    force: bool = False
    export_format: str = "coco"
    export_to: Annotated[str | None, Place.OUTPUT] = None
    export_purpose: str = "training"

    def request(self, candidates: Sequence[str]) -> BuildRequest:
        """Return what a build is asked for; where no packs are named it takes `candidates`. Raises what `BuildRequest` raises."""
        shared = self.model_dump(include=set(BuildRequest.model_fields) - {"label_pack_ids", "description"})
        return BuildRequest(**shared, label_pack_ids=tuple(self.label_pack_ids or candidates), description=self.description or None)

    def may_be_answered(self) -> bool:
        """Say that an earlier run may answer, unless a new build is forced."""
        return not self.force

    def holds(self, ws: Workspace, result: Mapping[str, Any]) -> bool:
        """Say whether the promised files are there, and whether what was exported for training may still be trained on."""
        dataset = ws.datasets.get(str(result["dataset"]))
        if self.materialization != "none" and dataset.materialization != "complete":
            return False
        guarded = self.export_to is not None and self.export_purpose == "training"
        return not guarded or not (dataset.is_frozen_test_set or dataset.leakage().height)

    def inputs(self, ws: Workspace | None) -> Inputs:
        """Return the fingerprint of the build that these parameters lead to now, with the packs that it leaves out and what stops it."""
        if ws is None:
            return Inputs({})
        preflight = ws.datasets.preflight(self.request(ws.datasets.candidates(self.capability)["pack_id"].to_list()))
        fingerprint = {
            "build": preflight.reuse_fingerprint,
            "excluded": str(digest_of_lines(f"{pack} {reason}" for pack, reason in preflight.excluded_label_pack_ids.items())),
            "refused": [refusal.code for refusal in preflight.plan.refusals],
        }
        sources = [
            Source(f"{verdict.pack.media}/{self.capability}", verdict.revision.content_hash, verdict.revision.annotation_count)
            for verdict in preflight.plan.included
            if verdict.revision is not None
        ]
        return Inputs(fingerprint, tuple(sources))


class Quickstart(Parameters):
    """Parameters of `quickstart`: where to draw the match and keep the store, and how many frames."""

    folder: str = "quickstart"
    frames: int = Field(default=48, ge=3)


class ReviewQueue(Parameters):
    """Parameters of `review_queue`: which store to review; one capability of it, or all."""

    store: Annotated[str, Place.STORE] = "labels.duckdb"
    workspace: str = "default"
    capability: str | None = None


class GoldenVersion(Parameters):
    """Parameters of `golden_version`: which examples become a version of which name, how it is tagged, and where it is exported to.

    `source` is a file or an export of examples to add first; without it and without an example of the type in the store,
    `sample` examples are drawn. `tier` keeps that tier and better ones; rejected examples stay out. Scores of many examples change when
    others come; with `keep_scores` they are part of the version, which is then a major one. `version` is the tag, by default the one that
    follows the last tag.
    """

    store: Annotated[str, Place.STORE] = "labels.duckdb"
    workspace: str = "default"
    example_type: str = "contact_tier"
    name: str = "golden/contact-tier"
    source: Annotated[str | None, Place.INPUT] = None
    sample: int = Field(default=24, ge=1)
    tier: str | None = None
    keep_scores: bool = False
    message: str = "golden examples"
    version: str | None = None
    splits: dict[str, float] | None = {"train": 0.8, "val": 0.1, "test": 0.1}
    export_format: str = "jsonl"
    export_to: Annotated[str | None, Place.OUTPUT] = None

    def added(self, ws: Workspace, drawn: Callable[[int], Sequence[Mapping[str, object]]]) -> AddReport:
        """Add the examples of the source, else none where the store has some of the type, else `drawn` ones; return what became of each."""
        if self.source is not None:
            from labelkit.formats.keyed.row_sources import format_of

            return ws.golden.add_file(format_of(self.source), self.source, self.example_type)
        new = self.example_type == "contact_tier" and self.example_type not in ws.golden.list()["type"]
        return ws.golden.add(self.example_type, drawn(self.sample) if new else [])

    def chosen(self, examples: pl.DataFrame) -> pl.DataFrame:
        """Return the examples that may be in the version: none that a reviewer rejected, and of `tier` or better where that is given."""
        kept = examples.filter(pl.col("status") != "rejected")
        if self.tier is None:
            return kept
        least = Tier.named(self.tier)
        return kept.filter(pl.col("tier").is_in([tier.value for tier in Tier if tier.least >= least.least]))

    def rows(self, examples: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of the version: examples with their scores, or without."""
        return examples if self.keep_scores else examples.drop("quality_score", "tier")

    def last(self, ws: Workspace) -> tuple[str, str] | None:
        """Return the last tag of the name that is a version number, and its commit; None before the first one."""
        found = [] if self.name not in ws.versions.list()["name"] else ws.versions.tags(self.name).select("tag", "commit").rows()
        return next((row for row in reversed(found) if _NUMBER.fullmatch(row[0])), None)

    def following(self, ws: Workspace, last: tuple[str, str] | None, commit: str) -> str:
        """Return the tag of the commit: that of `version`, the last one where nothing changed since, else the number that follows it."""
        if last is not None and last[1] == commit:
            return last[0]
        if self.version is not None:
            return self.version
        return FIRST if last is None else ws.versions.suggest_version(f"{self.name}@{last[0]}", commit).after(last[0])


_NUMBER = re.compile(r"v?\d+\.\d+\.\d+")
FIRST = "v1.0.0"
MODELS: dict[str, type[Parameters]] = {
    "build_dataset": BuildDataset,
    "golden_version": GoldenVersion,
    "quickstart": Quickstart,
    "review_queue": ReviewQueue,
}


def parameters_cell(notebook: Notebook) -> str:
    """Return the source of the cell tagged `parameters`, or the empty text."""
    cells = [cell for cell in notebook.cells if PARAMETERS_TAG in cell.metadata.get("tags", [])]
    return str(cells[0].source) if cells else ""


def parameter_model(name: str, notebook: Notebook) -> type[BaseModel]:
    """Return the package's model of the recipe `name`; for another notebook one read off its parameters cell.

    There `seed = 0` makes an optional int, a default that is not a literal makes a parameter of any type, and `store` leads to a store.
    """
    if name in MODELS:
        return MODELS[name]
    fields: dict[str, Any] = {}
    for node in ast.parse(parameters_cell(notebook)).body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name):
                kind, default = _literal(node)
                is_store = target.id == Place.STORE and kind is str
                fields[target.id] = (Annotated[str, Place.STORE] if is_store else kind, default)
    return create_model(f"Parameters of {name}", __config__=ConfigDict(extra="forbid"), **fields)


def _literal(node: ast.stmt) -> tuple[Any, object]:
    """Return the type and value of a default; any type and None where it is no literal."""
    try:
        value = ast.literal_eval(getattr(node, "value", None) or ast.Constant(None))
    except ValueError:
        return Any, None
    return Any if value is None else type(value), value


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
