"""Drafts: the one editable state of a scope, where it came from, and how two writers' frames come together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from labelkit.core.review.annotations import FrameState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from labelkit.core.actors import Scope
    from labelkit.core.review.annotations import FrameContent

PAYLOAD_SCHEMA = 2


class LineageKind(StrEnum):
    """What a draft or revision was seeded from."""

    PACK = "pack"
    MANUAL = "manual"
    LEGACY_UNKNOWN = "legacy_unknown"


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where content came from; reads the same in the runs list, the draft and the history: `pack:<id>`, `manual`, `legacy_unknown`."""

    kind: LineageKind
    pack: str | None = None

    @classmethod
    def parse(cls, text: str | None) -> Lineage:
        """Return the lineage written as text; nothing at all is `legacy_unknown`."""
        if text and text.startswith("pack:"):
            return cls(LineageKind.PACK, text.removeprefix("pack:"))
        return cls(LineageKind.MANUAL if text == "manual" else LineageKind.LEGACY_UNKNOWN)

    def __str__(self) -> str:
        return f"pack:{self.pack}" if self.kind is LineageKind.PACK else self.kind.value

    @property
    def compact(self) -> str:
        """Return the short form for tables; the full id is shown on hover."""
        return f"pack:…{self.pack[-6:]}" if self.kind is LineageKind.PACK and self.pack else self.kind.value


@dataclass(frozen=True, slots=True)
class DraftHead:
    """The small versioned row of a draft: everything but its frames.

    `base_object` names the immutable content it was seeded with (None: empty); the frames saved since lie over it.
    """

    id: str
    scope: Scope
    version: int
    lineage: Lineage
    base_object: str | None
    epoch: int
    payload_schema: int
    created_at: datetime
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class Rebase:
    """What a refused save comes to against the newer draft: frames that go through, and frames both sides touched."""

    mine: tuple[FrameContent, ...]
    both: tuple[tuple[FrameContent, FrameContent], ...]


def rebase(base: Mapping[int, FrameContent], mine: Mapping[int, FrameContent], theirs: Mapping[int, FrameContent]) -> Rebase:
    """Split my changed frames: those only I touched since `base`, and those that both touched and made different.

    Frames that both sides made equal, or where one side only looked, are no conflict. An acceptance of the labels that a frame ends up
    with is kept, whichever side it came from.
    """
    through: list[FrameContent] = []
    both: list[tuple[FrameContent, FrameContent]] = []
    for index, content in sorted(mine.items()):
        other, was = theirs.get(index), base.get(index)
        if other is not None and _same(other, content):
            through.append(replace(content, state=_state(was, content, other)))
        elif other is None or _same(other, was):
            through.append(content)
        elif not _same(content, was):
            both.append((content, other))
    return Rebase(tuple(through), tuple(both))


def _state(base: FrameContent | None, mine: FrameContent, theirs: FrameContent) -> FrameState:
    """Return how far the review of a frame is whose labels are the same on both sides: what one side changed, else the farther one."""
    if base is not None and _same(mine, base):
        if mine.state == base.state:
            return theirs.state
        if theirs.state == base.state:
            return mine.state
    return max(mine.state, theirs.state, key=list(FrameState).index)


def _same(a: FrameContent, b: FrameContent | None) -> bool:
    return b is not None and a.annotations == b.annotations and a.flags == b.flags
