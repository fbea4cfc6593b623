"""What a build is asked for, what it may answer, and the lifecycle of a build."""

from __future__ import annotations

import math
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from labelkit.core.datasets.materialization import MODES, NONE, Mode
from labelkit.core.datasets.splits import SplitStrategy
from labelkit.core.states import Machine
from labelkit.errors import (
    FiltersNotSupported,
    InvalidValue,
    MaterializationNotSupported,
    SplitStrategyNotSupported,
    UnknownArgument,
)

# A build takes explicit packs. These names would choose packs by what they are, which v1 never does.
SELECTORS = frozenset(
    [
        "all_packs",
        "camera_type",
        "camera_types",
        "classes",
        "created_after",
        "created_before",
        "criteria",
        "eligibility",
        "eligibility_status",
        "filter",
        "filters",
        "group",
        "group_key",
        "group_keys",
        "groups",
        "label",
        "labels",
        "media",
        "media_ids",
        "model",
        "models",
        "query",
        "review_status",
        "run",
        "run_id",
        "runs",
        "select",
        "selector",
        "since",
        "status",
        "tag",
        "tags",
        "until",
        "validation_status",
        "where",
        "workspace",
        "workspace_id",
        "workspace_ids",
        "workspaces",
    ]
)
SELECTOR_STEMS = ("filter", "select", "query", "where")


# What a split may be read from: facts of a media.
SPLIT_COLUMNS = ("split", "group_key", "camera_type", "media", "workspace")


class BuildOutcome(StrEnum):
    """What a build request came to."""

    CREATED = "created"
    REUSED_IN_PROGRESS = "reused_in_progress"
    REUSED_SUCCESS = "reused_success"


class BuildStatus(StrEnum):
    """How far a build is."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class BuildStep(StrEnum):
    """What ends a build: its own success or failure, somebody who stops it, or the discovery that its process is gone."""

    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"
    LOSE = "lose"


BUILD = Machine(
    "dataset build",
    {
        BuildStatus.RUNNING: {
            BuildStep.SUCCEED: BuildStatus.SUCCESS,
            BuildStep.FAIL: BuildStatus.FAILED,
            BuildStep.CANCEL: BuildStatus.FAILED,
            BuildStep.LOSE: BuildStatus.FAILED,
        },
        BuildStatus.SUCCESS: {},
        BuildStatus.FAILED: {},
    },
)


class BuildRequest(BaseModel):
    """Explicit label packs of one capability, to become a version of the dataset `name`.

    `split_strategy` is `group_stable` (groups of earlier versions stay where they are), `group_ratio` (the best balance for this set
    alone) or `predefined` (`split_column`, one of `SPLIT_COLUMNS`, names each media's split). `ratios` are the wanted shares of the
    splits and add up to 1; `seed` decides among placements that are equally good; `predefined` takes neither.
    Groups with near-duplicate frames count as one, as far as `ws.datasets.find_near_duplicates` found them. `join_near_duplicates` True
    also refuses a build where not all media were searched or such groups stay in several splits all the same; False joins nothing.
    `min_annotations` leaves out frames with fewer annotations; `force` builds even where an equal dataset exists;
    `materialization` is `none`, or what is made of the frames as part of the build: `link`, `copy` or `crops` (see
    `Dataset.materialize`), in `materialize_to`, a folder or URL, by default `<store>.assets/<version id>`.
    `enforce_quality` None follows the setting of the place where the build runs.

    Raises `FILTERS_NOT_SUPPORTED_V1` for anything that would choose packs by a filter, `UNKNOWN_ARGUMENT` for any other field
    that does not exist, `SPLIT_STRATEGY_NOT_SUPPORTED`, `MATERIALIZATION_NOT_SUPPORTED` and `INVALID_VALUE`.

    >>> BuildRequest(capability="ball_detection", label_pack_ids=["lpk_1"], name="balls").ratios
    {'train': 0.8, 'val': 0.1, 'test': 0.1}
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    capability: str = Field(min_length=1, max_length=200)
    label_pack_ids: tuple[str, ...]
    name: str = Field(max_length=200)
    description: str | None = None
    split_strategy: str = SplitStrategy.GROUP_STABLE.value
    split_column: str | None = None
    ratios: dict[str, float] = Field(default_factory=lambda: {"train": 0.8, "val": 0.1, "test": 0.1}, min_length=1)
    seed: int = Field(default=0, ge=-(2**53), le=2**53)
    min_annotations: int = Field(default=0, ge=0)
    join_near_duplicates: bool | None = None
    materialization: str = NONE
    materialize_to: str | None = Field(default=None, min_length=1)
    include_reviewed_override: bool = False
    force: bool = False
    enforce_quality: bool | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_clearly(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - whatever the caller passed
        """Say each refusal in our own words and codes, before or instead of pydantic's."""
        if isinstance(data, Mapping):
            for name in data:
                if name not in cls.model_fields:
                    raise _no_such_field(str(name), list(cls.model_fields))
        try:
            request = handler(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the request"
            raise InvalidValue(what=f"BuildRequest.{where}", reason=first["msg"], fix="Correct the value and ask again.") from error
        _refuse_what_makes_no_sense(request)
        return request

    @property
    def pack_ids(self) -> tuple[str, ...]:
        """Return the requested packs, sorted, each once."""
        return tuple(sorted(set(self.label_pack_ids)))


def _no_such_field(name: str, known: list[str]) -> FiltersNotSupported | UnknownArgument:
    if name.lower() in SELECTORS or any(stem in name.lower() for stem in SELECTOR_STEMS):
        return FiltersNotSupported(field=name)
    near = get_close_matches(name, known, n=1)
    likely = f"Did you mean {near[0]}?" if near else "Leave it out."
    return UnknownArgument(what="BuildRequest", name=name, known=", ".join(known), likely=likely)


def _refuse_mixed_splits(request: BuildRequest) -> None:
    predefined = request.split_strategy == SplitStrategy.PREDEFINED
    fields = BuildRequest.model_fields
    foreign = ("ratios", "seed") if predefined else ("split_column",)
    given = [name for name in foreign if getattr(request, name) != fields[name].get_default(call_default_factory=True)]
    if given:
        raise InvalidValue(
            what=f"BuildRequest.{given[0]}",
            reason=f"a split that is {request.split_strategy} has none",
            fix="Leave it out, or choose another split_strategy.",
        )
    if predefined and request.split_column is not None and request.split_column not in SPLIT_COLUMNS:
        raise InvalidValue(
            what="BuildRequest.split_column",
            reason=f"there is no column {request.split_column!r}",
            fix=f"Name one of {', '.join(SPLIT_COLUMNS)}.",
        )


def _refuse_what_makes_no_sense(request: BuildRequest) -> None:
    if request.split_strategy not in list(SplitStrategy):
        raise SplitStrategyNotSupported(strategy=request.split_strategy, known=", ".join(SplitStrategy))
    _refuse_mixed_splits(request)
    if request.materialization not in MODES:
        raise MaterializationNotSupported(materialization=request.materialization, known=", ".join(MODES))
    if request.materialize_to is not None and request.materialization == NONE:
        fix = f"Leave it out, or ask for a materialization: {', '.join(Mode)}."
        raise InvalidValue(what="BuildRequest.materialize_to", reason="nothing is materialized", fix=fix)
    if not request.name.strip() or not request.name.isprintable():
        raise InvalidValue(what="BuildRequest.name", reason="it is empty or has control characters", fix="Give the dataset a name.")
    for split, ratio in request.ratios.items():
        if not split.strip() or not math.isfinite(ratio) or ratio < 0:
            raise InvalidValue(
                what="BuildRequest.ratios",
                reason=f"{split!r}: {ratio} is no share of a named split",
                fix="Give each split a name and a share from 0 to 1, such as {'train': 0.8, 'val': 0.1, 'test': 0.1}.",
            )
    if not any(request.ratios.values()):
        raise InvalidValue(what="BuildRequest.ratios", reason="every share is 0", fix="Give at least one split a share above 0.")
