"""A draft as people see it: its head, and frames that become values when they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    import polars as pl

    from labelkit.core.actors import Scope
    from labelkit.core.media import FrameProblem, Media
    from labelkit.core.review.annotations import Annotation, Capability, FrameFlag, FrameState
    from labelkit.core.review.drafts import DraftHead, Lineage
    from labelkit.store.media import Frames
    from labelkit.store.review.content import Content


@dataclass(frozen=True, slots=True)
class DraftFrame:
    """One frame of a draft: size in px, annotations in drawing order, flags, review state, and the reason where it has no picture."""

    index: int
    name: str
    width: int
    height: int
    annotations: tuple[Annotation, ...]
    flags: tuple[FrameFlag, ...]
    state: FrameState
    problem: FrameProblem | None


class DraftFrames(Sequence[DraftFrame]):
    """The frames of a draft in media order, built one at a time."""

    def __init__(self, content: Content, frames: Frames) -> None:
        self._content = content
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, index: int) -> DraftFrame: ...
    @overload
    def __getitem__(self, index: slice) -> list[DraftFrame]: ...
    def __getitem__(self, index: int | slice) -> DraftFrame | list[DraftFrame]:
        if isinstance(index, slice):
            return [self._at(i) for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"the media has {len(self)} frames, no frame {index}")
        return self._at(index % len(self))

    def __iter__(self) -> Iterator[DraftFrame]:
        return (self._at(i) for i in range(len(self)))

    def _at(self, index: int) -> DraftFrame:
        frame, content = self._frames[index], self._content.frame(index)
        return DraftFrame(index, frame.name, frame.width, frame.height, content.annotations, content.flags, content.state, frame.problem)


class Draft:
    """The one editable state of a scope, as it was at `version`."""

    def __init__(self, head: DraftHead, media: Media, capability: Capability, load: Callable[[], tuple[Content, Frames]]) -> None:
        self.head = head
        self.media = media
        self.capability = capability
        self._load = load

    @property
    def id(self) -> str:
        """Return the draft's id."""
        return self.head.id

    @property
    def version(self) -> int:
        """Return the version: one more after every save."""
        return self.head.version

    @property
    def scope(self) -> Scope:
        """Return workspace, media and capability by id."""
        return self.head.scope

    @property
    def lineage(self) -> Lineage:
        """Return what the draft was seeded from."""
        return self.head.lineage

    @cached_property
    def _loaded(self) -> tuple[Content, Frames]:
        return self._load()

    @cached_property
    def frames(self) -> DraftFrames:
        """Return every frame, in media order."""
        return DraftFrames(*self._loaded)

    def to_polars(self) -> pl.DataFrame:
        """Return one row an annotation: frame_index, id, label, x, y, width, height, size (px), score, source, attributes."""
        return self._loaded[0].annotations()

    def __repr__(self) -> str:
        return f"<Draft {self.id} of {self.media.name} · {self.capability.name}, version {self.version}, {self.lineage.compact}>"
