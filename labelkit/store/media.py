"""Media and capabilities of a workspace as rows; the frames of a media as one Parquet object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from labelkit.core.media import Frame, FrameProblem, Media, MediaKind
from labelkit.core.review.annotations import CAPABILITIES, Capability
from labelkit.errors import NotFound

if TYPE_CHECKING:
    import polars as pl

    from labelkit.store.statements import Statements


class MediaRows:
    """Reads and writes media and capabilities inside one unit of work."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def add(self, media: Media, *, broken_frames: int | None = None) -> None:
        """Insert a media, with the number of its frames without a picture; a second one of that name is the use case's conflict."""
        self._tx.insert(
            "media",
            [
                {
                    "id": media.id,
                    "workspace_id": media.workspace,
                    "name": media.name,
                    "kind": media.kind,
                    "root": media.root,
                    "group_key": media.group_key,
                    "camera_type": media.camera_type,
                    "frame_count": media.frame_count,
                    "frames_object": media.frames_object,
                    "created_at": media.created_at,
                    "created_by": media.created_by,
                    "broken_frame_count": broken_frames,
                    "split": media.split,
                }
            ],
        )

    def find(self, workspace: str, name_or_id: str) -> Media | None:
        """Return the media of that name or id in the workspace, None where there is none."""
        row = self._tx.one(
            "SELECT * FROM media WHERE workspace_id = $workspace AND (name = $name OR id = $name)", workspace=workspace, name=name_or_id
        )
        return None if row is None else _media(row)

    def all(self, workspace: str) -> list[Media]:
        """Return every media of the workspace, by name."""
        rows = self._tx.rows("SELECT * FROM media WHERE workspace_id = $workspace ORDER BY name", workspace=workspace)
        return [_media(row) for row in rows]

    def get(self, workspace: str, name_or_id: str) -> Media:
        """Return the media of that name or id. Raises `NOT_FOUND` with the nearest name."""
        found = self.find(workspace, name_or_id)
        if found is None:
            raise NotFound.among("media", name_or_id, [one.name for one in self.all(workspace)], "ws.media.list()")
        return found

    def capability(self, workspace: str, name: str) -> Capability:
        """Return a capability of the workspace: one of its own, else a built-in one. Raises `NOT_FOUND` with the nearest name."""
        known = {one.name: one for one in self.capabilities(workspace)}
        if name not in known:
            raise NotFound.among("capability", name, known, "ws.capabilities.list()")
        return known[name]

    def capabilities(self, workspace: str) -> list[Capability]:
        """Return every capability that the workspace knows, by name."""
        rows = self._tx.rows("SELECT * FROM capabilities WHERE workspace_id = $workspace", workspace=workspace)
        known = CAPABILITIES | {str(row["name"]): _capability(row) for row in rows}
        return [known[name] for name in sorted(known)]

    def add_capability(self, workspace: str, capability: Capability) -> None:
        """Insert a capability of the workspace's own."""
        self._tx.insert(
            "capabilities",
            [
                {
                    "workspace_id": workspace,
                    "name": capability.name,
                    "geometry": capability.geometry,
                    "classes": json.dumps(capability.classes),
                    "default_size": capability.default_size,
                    "max_speed": capability.max_speed,
                    "single": capability.single,
                }
            ],
        )


def _media(row: dict[str, Any]) -> Media:
    return Media(
        id=row["id"],
        workspace=row["workspace_id"],
        name=row["name"],
        kind=MediaKind(row["kind"]),
        root=row["root"],
        group_key=row["group_key"],
        camera_type=row["camera_type"],
        frame_count=row["frame_count"],
        frames_object=row["frames_object"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        split=row["split"],
    )


def _capability(row: dict[str, Any]) -> Capability:
    return Capability(row["name"], row["geometry"], tuple(json.loads(row["classes"])), row["default_size"], row["max_speed"], row["single"])


class Frames:
    """The frames of a media as a set (index, name, pts_ms, width, height, sha256, byte_count, problem), a value one at a time."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return self.rows.height

    def __getitem__(self, index: int) -> Frame:
        row = self.rows.row(index, named=True)
        return Frame(**{**row, "problem": None if row["problem"] is None else FrameProblem(row["problem"])})
