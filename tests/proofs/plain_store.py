"""Drafts in plain dictionaries in place of a store: one save takes microseconds. The use cases above it are the real ones.

That it tells the same stories as a real store is itself tested.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Actor, Role, Scope
from labelkit.core.media import Media, MediaKind
from labelkit.core.review.annotations import CAPABILITIES, FrameContent, FrameState
from labelkit.core.review.drafts import PAYLOAD_SCHEMA, DraftHead, Lineage, LineageKind
from labelkit.services.review import Review
from labelkit.store.acting import Gate
from labelkit.store.review.content import CONTENT, rows_of
from labelkit.store.review.series import Presence, ShelvedFrame
from labelkit.store.workspaces import WorkspaceRow
from tests.store.media import frames_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labelkit.core.review.annotations import Annotation

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PACK, DRAFT = "pre_1", "drf_1"
_OBJECTS: dict[str, pl.DataFrame] = {}  # immutable, so that all stores share them
_NONE = pl.DataFrame(schema=CONTENT)


@dataclass
class _Tables:
    head: DraftHead
    saved: dict[tuple[int, int, int], dict[str, object]] = field(default_factory=dict)  # (epoch, version, frame) -> content row
    saves: dict[str, int] = field(default_factory=dict)
    shelf: list[ShelvedFrame] = field(default_factory=list)
    audit: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    present: dict[str, Presence] = field(default_factory=dict)

    def copied(self) -> _Tables:
        return _Tables(self.head, *(copy(getattr(self, name)) for name in list(self.__dataclass_fields__)[1:]))


class PlainStore:
    """One scope with a draft of it; stands where `Database` stands."""

    read_only = False
    path = "plain"

    def __init__(self, capability: str, labels: Sequence[tuple[Annotation, ...]]) -> None:
        self.base = f"content {capability}"
        if self.base not in _OBJECTS:
            _OBJECTS["frames"] = frames_of(len(labels)).rows
            _OBJECTS[self.base] = rows_of(FrameContent(index, one) for index, one in enumerate(labels))
        self.media = _MediaRows(
            Media("med_1", "ws_1", "match", MediaKind.IMAGES, "/nowhere", "match", "broadcast", len(labels), "frames", NOW, "ana")
        )
        lineage = Lineage(LineageKind.PACK, PACK)
        scope = Scope("ws_1", "med_1", capability)
        self.tables = _Tables(DraftHead(DRAFT, scope, 1, lineage, self.base, 1, PAYLOAD_SCHEMA, NOW, NOW, "ana"))
        self.objects = self
        self.review = self.audit = _Rows(self)
        self.workspaces = _Workspaces()

    def as_user(self, user: str) -> Review:
        """Return the use cases of the review for one user."""
        return Review(Gate(self, user, WorkspaceRow("ws_1", "default", "allowed", NOW)))

    def read_frame(self, digest: str) -> pl.DataFrame:
        return _OBJECTS[digest]

    # --- a unit of work, and what its gateways give

    now = NOW

    @contextmanager
    def transaction(self, on_conflict: object = None) -> Iterator[PlainStore]:  # noqa: ARG002
        before = self.tables
        self.tables = before.copied()
        try:
            yield self
        except BaseException:
            self.tables = before
            raise

    @contextmanager
    def reading(self) -> Iterator[PlainStore]:
        yield self


class _MediaRows:
    def __init__(self, media: Media) -> None:
        self._media = media

    def get(self, *_: str) -> Media:
        return self._media

    def capability(self, _: str, name: str) -> object:
        return CAPABILITIES[name]


class _Workspaces:
    def actor(self, user: str) -> Actor:
        return Actor(user, {"ws_1": Role.OWNER})


class _Rows:
    """The rows of the draft, as `DraftRows`, `SeriesRows` and `AuditRows` have them."""

    def __init__(self, store: PlainStore) -> None:
        self._store = store
        self._overlays: dict[tuple[int, ...], tuple[list[dict[str, object]], pl.DataFrame]] = {}

    @property
    def _t(self) -> _Tables:
        return self._store.tables

    def draft(self, _: str) -> DraftHead:
        return self._t.head

    def prelabel_object(self, *_: str) -> str:
        return self._store.base

    def overlay(self, draft: DraftHead, *, after: int = 0, frames: Sequence[int] | None = None) -> pl.DataFrame:
        newest = {}
        for (epoch, version, index), row in self._t.saved.items():  # in the order of their versions
            if epoch == draft.epoch and after < version <= draft.version and (frames is None or index in frames):
                newest[index] = row
        rows = [newest[index] for index in sorted(newest)]
        if not rows:
            return _NONE
        key = tuple(map(id, rows))  # nobody changes a row, and who is kept here keeps its id
        if key not in self._overlays:
            self._overlays[key] = rows, pl.DataFrame(rows, schema=CONTENT)
        return self._overlays[key][1]

    def saved(self, _: str, save_id: str) -> int | None:
        return self._t.saves.get(save_id)

    def save_frames(self, draft: DraftHead, frames: Sequence[FrameContent], *, save_id: str, actor: str) -> int | None:
        tables = self._t
        if tables.head.version != draft.version:
            return None
        version = draft.version + 1
        tables.head = replace(tables.head, version=version, updated_by=actor)
        tables.saves[save_id] = version
        for frame in frames:
            tables.saved[draft.epoch, version, frame.index] = {
                "frame_index": frame.index,
                "flags": sorted(str(flag) for flag in frame.flags),
                "state": frame.state.value,
                "digest": "",
                "annotations": [annotation.as_json() for annotation in frame.annotations],
            }
        return version

    def move_base(self, draft: DraftHead, *, base_object: str | None, lineage: Lineage, epoch: int, actor: str) -> bool:
        version = self._t.head.version + 1
        self._t.head = replace(draft, base_object=base_object, lineage=lineage, epoch=epoch, version=version, updated_by=actor)
        return True

    def next_epoch(self, draft: DraftHead) -> int:
        return max([draft.epoch, *(epoch for epoch, _, _ in self._t.saved)]) + 1

    def before_reset(self, _: str) -> dict[str, object] | None:
        steps = [(code, facts) for code, facts in self._t.audit if code in ("DRAFT_RESET", "DRAFT_RESTORED")]
        return steps[-1][1] if steps and steps[-1][0] == "DRAFT_RESET" else None

    def place(self, _: str, user: str) -> int | None:
        return self._t.places.get(user)

    def set_place(self, _: str, user: str, frame: int) -> None:
        self._t.places[user] = frame

    def beat(self, _: str, session: str, *, user: str, host: str, frame: int) -> None:
        self._t.present[session] = Presence(session, user, host, frame, NOW, NOW)

    def present(self, _: str) -> list[Presence]:
        return list(self._t.present.values())

    def leave(self, session: str) -> None:
        self._t.present.pop(session, None)

    def shelve(self, _: str, frames: Sequence[tuple[str, str, FrameContent]], *, actor: str) -> None:
        for id_, side, content in frames:
            self._t.shelf.insert(0, ShelvedFrame(id_, side, actor, NOW, replace(content, state=FrameState.EDITED)))

    def shelf(self, _: str) -> list[ShelvedFrame]:
        return self._t.shelf

    def record(self, _action: str, code: str, *, facts: dict[str, object], **_said: object) -> None:
        self._t.audit.append((code, json.loads(json.dumps(facts))))
