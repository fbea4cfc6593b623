"""Samples: one frame of a built dataset with its annotations, split and group, and what a viewer can show of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from labelkit.core.review.annotations import Annotation

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame in a dataset. `media` is the media's name in `workspace`; `digest` is of the frame's labels; sizes are px."""

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
