"""Samples: one frame of a built dataset with its annotations, split and group, and what a viewer can show of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from labelkit.core.review.annotations import Annotation
from labelkit.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labelkit.core.datasets.quality import Evaluation

T = TypeVar("T")
INDEX_DIGITS = 6
VIEWED = frozenset({"ball_detection", "player_detection"})


def sample_key(workspace: str, media: str, frame: int) -> str:
    """Return the key of a sample, made of names: it is the same in every store.

    >>> sample_key("club-a", "match-1", 42)
    'club-a/match-1/000042'
    """
    return f"{workspace}/{media}/{frame:0{INDEX_DIGITS}d}"


def frame_of(key: str) -> tuple[str, int] | None:
    """Return what stands before the frame index (workspace, media and a slash) and the index; None where it is no sample key."""
    prefix, slash, index = key.rpartition("/")
    return (prefix + slash, int(index)) if slash and index.isascii() and index.isdigit() else None


class SampleFinding(StrEnum):
    """What is worth a look on a sample: what breaks a quality rule, what makes one fire, and what a reviewer flagged.

    The flags of a frame are findings too, under their names in capitals. `ANY` asks for samples with a finding, whichever it is.
    """

    INVALID_LABEL_SCHEMA = "INVALID_LABEL_SCHEMA"
    INVALID_GEOMETRY = "INVALID_GEOMETRY"
    EMPTY_LABELS = "EMPTY_LABELS"
    BAD_FRAME = "BAD_FRAME"
    NEEDS_HUMAN_REVIEW = "NEEDS_HUMAN_REVIEW"
    FALSE_POSITIVE_HEAVY = "FALSE_POSITIVE_HEAVY"
    FALSE_NEGATIVE_SUSPECTED = "FALSE_NEGATIVE_SUSPECTED"
    ANY = "ANY"


# What says that no sample of a dataset has a finding: the measure of the check, where it is 0.
_MEASURES = {
    SampleFinding.INVALID_LABEL_SCHEMA: "schema_errors",
    SampleFinding.INVALID_GEOMETRY: "geometry_errors",
    SampleFinding.EMPTY_LABELS: "empty_label_rate",
}


def findings_meant(finding: str, quality: Evaluation) -> tuple[str, ...]:
    """Return the codes that a finding asks for, without those that the dataset's quality says it has none of. Raises `NOT_FOUND`."""
    if finding not in list(SampleFinding):
        raise NotFound.among("finding", finding, map(str, SampleFinding), "SampleFinding")
    codes = [code for code in SampleFinding if code is not SampleFinding.ANY and finding in (code, SampleFinding.ANY)]
    none = {check.measure for check in quality.checks if check.value == 0}
    return tuple(str(code) for code in codes if _MEASURES.get(code) not in none)


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame in a dataset. `media` is the media's name in `workspace`; `digest` is of the frame's labels; sizes are px.

    `findings` are codes of `SampleFinding`.
    """

    key: str
    split: str
    group: str
    camera_type: str
    workspace: str
    media: str
    frame_index: int
    frame_name: str
    pts_ms: float
    width: int
    height: int
    sha256: str
    flags: tuple[str, ...]
    digest: str
    annotations: tuple[Annotation, ...]
    findings: tuple[str, ...] = ()

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Sample:
        """Return the sample of one snapshot row."""
        return cls(
            key=row["sample_key"],
            split=row["split"],
            group=row["group_key"],
            camera_type=row["camera_type"],
            workspace=row["workspace"],
            media=row["media"],
            frame_index=row["frame_index"],
            frame_name=row["frame_name"],
            pts_ms=row["pts_ms"],
            width=row["width"],
            height=row["height"],
            sha256=row["sha256"],
            flags=tuple(row["flags"]),
            digest=row["digest"],
            annotations=tuple(Annotation.from_json(one) for one in row["annotations"]),
            findings=tuple(row.get("findings", ())),
        )


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A stretch of a list; `next_cursor` asks for what follows and is None at the end."""

    items: tuple[T, ...]
    next_cursor: str | None

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, position: int) -> T:
        return self.items[position]


class ViewState(StrEnum):
    """What a viewer can show of a sample; never a blank."""

    READY = "READY"
    ASSET_UNAVAILABLE = "SAMPLE_ASSET_UNAVAILABLE"
    OVERLAY_UNAVAILABLE = "SAMPLE_OVERLAY_UNAVAILABLE"
    NOT_SUPPORTED = "SAMPLE_TYPE_NOT_SUPPORTED"


@dataclass(frozen=True, slots=True)
class View:
    """The state with the code of its reason (empty when ready) and a sentence for people."""

    state: ViewState
    reason_code: str = ""
    sentence: str = ""


def view_of(capability: str, *, asset_problem: str | None = None, overlay_problem: str | None = None) -> View:
    """Decide what is shown of a sample from the codes of what went wrong: the capability first, then the picture, then the overlay."""
    if capability not in VIEWED:
        return View(ViewState.NOT_SUPPORTED, "CAPABILITY_NOT_SUPPORTED", f"Samples of {capability} cannot be drawn yet.")
    if asset_problem:
        return View(ViewState.ASSET_UNAVAILABLE, asset_problem, "The picture of this sample is not available.")
    if overlay_problem:
        return View(ViewState.OVERLAY_UNAVAILABLE, overlay_problem, "The picture is shown; its labels could not be drawn.")
    return View(ViewState.READY)


@dataclass(frozen=True, slots=True)
class Answer:
    """Why something is or is not in a dataset: the rule's code, a sentence, and the row that decided."""

    code: str
    sentence: str
    row: Mapping[str, object]

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"
