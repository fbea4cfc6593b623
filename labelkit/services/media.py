"""Media of a workspace: folders of images and videos in, frames out; and the capabilities that can be labelled on them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.media import Media
from labelkit.core.review.annotations import Capability
from labelkit.errors import InvalidValue, UnknownFrame
from labelkit.media import open_frames, scan
from labelkit.media.thumbnails import thumbnail
from labelkit.store.ids import new_id
from labelkit.store.media import Frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.core.media import Frame
    from labelkit.media import FrameSource
    from labelkit.store.acting import Gate

UNKNOWN_CAMERA = "unknown"


class MediaLibrary:
    """`ws.media`: add, list and read media."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._sources: dict[str, FrameSource] = {}
        self._frames: dict[str, Frames] = {}
        self._lock = threading.Lock()

    def add(
        self,
        source: str | Path,
        *,
        name: str | None = None,
        group_key: str | None = None,
        camera_type: str = UNKNOWN_CAMERA,
        split: str | None = None,
        fps: float = 25.0,
    ) -> Media:
        """Bring in a folder of images (in name order), a glob, or a video file; returns the media with its frames recorded.

        `group_key` (a match, clip or board; the media's name by default) is what a dataset split never cuts; `split` is the split that it
        came with, for builds with the strategy `predefined`. `fps` gives image folders their timestamps. Files that are broken become
        frames with a reason. Raises `MEDIA_*` for a place without images or video, and `INVALID_VALUE` where the workspace has other media
        of that name, or this one with another group, camera or split; the same media added again is returned as it is.
        """
        scanned = scan(source, fps=fps)
        chosen = name or _default_name(source)
        frames = scanned.to_polars()
        digest = self._gate.database.objects.put_frame(frames)
        with self._gate.act(Action.IMPORT, f"media:{chosen}") as act:
            present = act.tx.media.find(self._gate.workspace.id, chosen)
            if present is not None:
                if (present.root, present.frames_object) == (str(scanned.root), digest):
                    camera = None if camera_type == UNKNOWN_CAMERA else camera_type
                    _check_same(present, group_key=group_key, camera_type=camera, split=split)
                    return present
                raise InvalidValue(
                    what="name",
                    reason=f"workspace {self._gate.workspace.name} has other media named {chosen!r} ({present.root})",
                    fix="Give this one another name=; media never change once added.",
                )
            media = Media(
                id=new_id("med"),
                workspace=self._gate.workspace.id,
                name=chosen,
                kind=scanned.kind,
                root=str(scanned.root),
                group_key=group_key or chosen,
                camera_type=camera_type,
                frame_count=frames.height,
                frames_object=digest,
                created_at=act.tx.now,
                created_by=act.actor.user,
                split=split,
            )
            act.tx.media.add(media, broken_frames=frames["problem"].count())
            act.record("MEDIA_ADDED", media=media.id, frames=media.frame_count, root=media.root)
        return media

    def get(self, media: str | Media) -> Media:
        """Return the media of that name or id. Raises `NOT_FOUND` with the nearest name."""
        if isinstance(media, Media) and media.workspace == self._gate.workspace.id:
            return media
        with self._gate.read() as (tx, _):
            return tx.media.get(self._gate.workspace.id, media if isinstance(media, str) else media.id)

    def list(self) -> pl.DataFrame:
        """Return every media of the workspace: name, kind, group_key, camera_type, split, frame_count, root, id."""
        with self._gate.read() as (tx, _):
            rows = tx.media.all(self._gate.workspace.id)
        columns = ("name", "kind", "group_key", "camera_type", "split", "frame_count", "root", "id")
        return pl.DataFrame(
            [{c: str(v) if isinstance(v := getattr(m, c), str) else v for c in columns} for m in rows], schema=list(columns)
        )

    def frames(self, media: str | Media) -> pl.DataFrame:
        """Return the frames of a media: index, name, pts_ms, width and height in px, sha256, byte_count, problem."""
        return self._frames_of(self.get(media)).rows

    def frame(self, media: str | Media, index: int) -> Frame:
        """Return one frame's facts. Raises `UNKNOWN_FRAME`."""
        frames = self._frames_of(self.get(media))
        if not 0 <= index < len(frames):
            raise UnknownFrame(frame=index)
        return frames[index]

    def frame_bytes(self, media: str | Media, index: int) -> tuple[bytes, str]:
        """Return the frame's stored bytes and their MIME type. Raises `FRAME_UNAVAILABLE` with the reason for a broken frame."""
        found = self.get(media)
        frame = self.frame(found, index)
        with self._lock:
            source = self._sources.get(found.id)
            if source is None:
                source = self._sources[found.id] = open_frames(found.kind, found.root, self._frames[found.id].rows)
        return source.bytes(frame)

    def thumbnail(self, media: str | Media, index: int, side_px: int = 96) -> bytes:
        """Return a JPEG of the frame of at most `side_px` x `side_px` px. Raises `FRAME_UNAVAILABLE` for a broken frame."""
        data, _ = self.frame_bytes(media, index)
        return thumbnail(data, side_px)

    def _frames_of(self, media: Media) -> Frames:
        if media.id not in self._frames:
            self._frames[media.id] = Frames(self._gate.database.objects.read_frame(media.frames_object))
        return self._frames[media.id]


class Capabilities:
    """`ws.capabilities`: what can be labelled; two are built in, workspaces add their own."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def add(
        self,
        name: str,
        *,
        geometry: str,
        classes: Sequence[str],
        default_size: float | None = None,
        max_speed: float | None = None,
        single: bool = False,
    ) -> Capability:
        """Add a capability: geometry `point` or `box`, classes in key order; `default_size` in px, `max_speed` in frame widths a second.

        Adding an equal one again returns it. Raises `INVALID_VALUE` where another one of that name exists: labels depend on it.
        """
        capability = Capability(name, geometry, tuple(classes), default_size, max_speed, single)
        with self._gate.act(Action.IMPORT, f"capability:{name}") as act:
            present = next((one for one in act.tx.media.capabilities(self._gate.workspace.id) if one.name == name), None)
            if present is not None and present != capability:
                raise InvalidValue(what="name", reason=f"capability {name!r} exists with another definition", fix="Choose another name.")
            if present is None:
                act.tx.media.add_capability(self._gate.workspace.id, capability)
            act.record("CAPABILITY_ADDED", geometry=geometry, classes=list(classes))
        return capability

    def get(self, name: str) -> Capability:
        """Return a capability by name. Raises `NOT_FOUND` with the nearest name."""
        with self._gate.read() as (tx, _):
            return tx.media.capability(self._gate.workspace.id, name)

    def list(self) -> list[Capability]:
        """Return every capability that the workspace knows, by name."""
        with self._gate.read() as (tx, _):
            return tx.media.capabilities(self._gate.workspace.id)


def _check_same(present: Media, **given: str | None) -> None:
    """Refuse facts that media have otherwise already: to pass over them would leave somebody with another split than they think."""
    for name, value in given.items():
        if value is not None and value != getattr(present, name):
            reason = f"the media {present.name!r} are here with {getattr(present, name)!r}, not {value!r}; media never change once added"
            raise InvalidValue(what=name, reason=reason, fix="Leave it out to get them as they are, or add them under another name=.")


def _default_name(source: str | Path) -> str:
    path = Path(source)
    return path.parent.name if any(sign in path.name for sign in "*?[") else path.stem or path.resolve().name
