"""What a frame carries: annotations, flags and a review state; and the capabilities that say what may be drawn."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from labelkit.core.geometry import Box, Geometry, Point
from labelkit.core.hashing import canonical_flat, canonical_json, sha256_hex
from labelkit.core.states import Machine
from labelkit.errors import InvalidValue


class FrameFlag(StrEnum):
    """Frame flags v1: said of a whole frame, beside or instead of an edit."""

    BAD_FRAME = "bad_frame"
    NEEDS_HUMAN_REVIEW = "needs_human_review"
    FALSE_POSITIVE_HEAVY = "false_positive_heavy"
    FALSE_NEGATIVE_SUSPECTED = "false_negative_suspected"


class FrameState(StrEnum):
    """How far the review of a frame is."""

    UNTOUCHED = "untouched"
    SEEN = "seen"
    EDITED = "edited"
    ACCEPTED = "accepted"


class FrameStep(StrEnum):
    """What moves a frame's state."""

    SEE = "see"
    EDIT = "edit"
    ACCEPT = "accept"


FRAME = Machine(
    "frame",
    {
        FrameState.UNTOUCHED: {
            FrameStep.SEE: FrameState.SEEN,
            FrameStep.EDIT: FrameState.EDITED,
            FrameStep.ACCEPT: FrameState.ACCEPTED,
        },
        FrameState.SEEN: {
            FrameStep.SEE: FrameState.SEEN,
            FrameStep.EDIT: FrameState.EDITED,
            FrameStep.ACCEPT: FrameState.ACCEPTED,
        },
        FrameState.EDITED: {
            FrameStep.SEE: FrameState.EDITED,
            FrameStep.EDIT: FrameState.EDITED,
            FrameStep.ACCEPT: FrameState.ACCEPTED,
        },
        FrameState.ACCEPTED: {
            FrameStep.SEE: FrameState.ACCEPTED,
            FrameStep.EDIT: FrameState.EDITED,
            FrameStep.ACCEPT: FrameState.ACCEPTED,
        },
    },
)


class Source(StrEnum):
    """Who put an annotation where it is."""

    MODEL = "model"
    HUMAN = "human"
    IMPORTED = "imported"
    INTERPOLATED = "interpolated"
    PROPAGATED = "propagated"


@dataclass(frozen=True, slots=True)
class Capability:
    """What is labelled: its geometry kind (`point` or `box`), its classes in key order, and physical limits.

    `default_size` is the diameter in px given to a new point without one; `max_speed` is the fastest plausible movement of a
    point, in frame widths per second.
    """

    name: str
    geometry: str
    classes: tuple[str, ...]
    default_size: float | None = None
    max_speed: float | None = None
    single: bool = False

    def __post_init__(self) -> None:
        if self.geometry not in ("point", "box"):
            raise InvalidValue(what=f"Capability {self.name!r}", reason=f"unknown geometry {self.geometry!r}", fix="Use 'point' or 'box'.")
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise InvalidValue(what=f"Capability {self.name!r}", reason="classes are empty or repeat", fix="Name every class once.")


BALL = Capability("ball_detection", "point", ("ball",), default_size=8.0, max_speed=2.0, single=True)
PLAYER = Capability("player_detection", "box", ("player", "goalkeeper", "referee", "ball"))
CAPABILITIES: dict[str, Capability] = {BALL.name: BALL, PLAYER.name: PLAYER}


@dataclass(frozen=True, slots=True)
class Annotation:
    """A point or box on one frame; `score` in [0, 1] is the model's confidence, None for people."""

    id: str
    label: str
    geometry: Geometry
    score: float | None = None
    source: Source = Source.HUMAN
    attributes: str | None = None

    def canonical(self) -> list[str | int | None]:
        """Return what counts as content: class, geometry and attributes; not id, score or source."""
        extra = [] if self.attributes is None else [self.attributes]
        return [self.label, *self.geometry.canonical(), *extra]

    def as_json(self) -> dict[str, object]:
        """Return the annotation as flat JSON, the form the browser and the store share."""
        g = self.geometry
        shape = (
            {"x": g.x, "y": g.y, "width": g.width, "height": g.height, "size": None}
            if isinstance(g, Box)
            else {"x": g.x, "y": g.y, "width": None, "height": None, "size": g.size}
        )
        return {
            "id": self.id,
            "label": self.label,
            **shape,
            "score": self.score,
            "source": str(self.source),
            "attributes": self.attributes,
        }

    @classmethod
    def from_json(cls, row: dict[str, object]) -> Annotation:
        """Return the annotation that `as_json` wrote."""
        width = row.get("width")
        geometry: Geometry = (
            Point.at(_number(row["x"]), _number(row["y"]), None if row.get("size") is None else _number(row["size"]))
            if width is None
            else Box.at(_number(row["x"]), _number(row["y"]), _number(width), _number(row["height"]))
        )
        score = row.get("score")
        attributes = row.get("attributes")
        return cls(
            id=str(row["id"]),
            label=str(row["label"]),
            geometry=geometry,
            score=None if score is None else _number(score),
            source=Source(str(row.get("source") or Source.HUMAN)),
            attributes=None if attributes is None else str(attributes),
        )


def _number(value: object) -> float:
    return float(value)  # type: ignore[arg-type]


def attributes_text(attributes: dict[str, object] | None) -> str | None:
    """Return open attributes as canonical JSON text, None where there are none."""
    return canonical_json(attributes).decode() if attributes else None


def attributes_of(annotation: Annotation) -> dict[str, object]:
    """Return the open attributes of an annotation as a dictionary."""
    return dict(json.loads(annotation.attributes)) if annotation.attributes else {}


@dataclass(frozen=True, slots=True)
class FrameContent:
    """The labels of one frame: annotations in drawing order, flags, review state. The unit of editing, saving and hashing."""

    index: int
    annotations: tuple[Annotation, ...] = ()
    flags: tuple[FrameFlag, ...] = ()
    state: FrameState = FrameState.UNTOUCHED

    def digest(self) -> str:
        """Return the content digest: labels, geometry, attributes and flags, whatever their order, ids or authors."""
        items = sorted(canonical_flat(a.canonical()) for a in self.annotations)
        flags = canonical_flat(sorted(self.flags))
        return sha256_hex(f"[{flags},[{','.join(items)}]]".encode())

    def find(self, annotation_id: str) -> Annotation | None:
        """Return the annotation with that id, None where the frame has none."""
        return next((a for a in self.annotations if a.id == annotation_id), None)

    def stepped(self, step: FrameStep) -> FrameContent:
        """Return the frame after a step of its state machine."""
        return replace(self, state=FRAME.move(self.state, step))


@dataclass(frozen=True, slots=True)
class FrameSize:
    """What the reducer must know of a frame: its size in px, and whether it has a picture."""

    width: int
    height: int
    editable: bool = True


def content_hash(capability: str, frames: list[tuple[int, str]]) -> str:
    """Return the hash of a whole content from (index, frame digest) pairs, whatever their order."""
    lines = "".join(f"{index} {digest}\n" for index, digest in sorted(frames))
    return sha256_hex(f"labelkit.content.v1 {capability}\n{lines}".encode())
