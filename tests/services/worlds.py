"""Scopes to review: media and prelabel runs put straight into a store, other users of it, and its tables as values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl
import pytest

from labelkit import LabelkitError
from labelkit.core.media import Media, MediaKind
from labelkit.store.database import Database
from labelkit.store.ids import new_id
from labelkit.store.objects import Objects
from labelkit.store.review.content import Content
from labelkit.store.review.intake import import_rows
from labelkit.workspace import Workspace
from tests.store.media import frames_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from labelkit.core.review.annotations import Annotation

PLAYERS, BALLS = "player_detection", "ball_detection"
COLUMNS = ("label", "x", "y", "width", "height", "size", "score", "attributes")
SCHEMA = {"frame_index": pl.Int32(), **dict.fromkeys(COLUMNS, pl.Float64()), "label": pl.String(), "attributes": pl.String()}

# A mark for tests of what rests on the place of the store: opening, saving, publishing, transactions, several at once.
in_memory_and_file = pytest.mark.parametrize("ws", ["memory", "file"], indirect=True)


def add_media(ws: Workspace, name: str = "match", count: int = 4, *, broken: tuple[int, ...] = (), fps: float = 25) -> Media:
    """Add a media of images of 200 x 100 px, without any file."""
    database = ws._database
    frames = database.objects.put_bytes(_frames(count, fps, broken))
    with database.transaction() as tx:
        media = Media(new_id("med"), ws.id, name, MediaKind.IMAGES, "/nowhere", name, "broadcast", count, frames, tx.now, ws.user)
        tx.media.add(media)
    return media


def add_run(
    ws: Workspace, labels: Mapping[int, Sequence[Annotation]], media: Media, capability: str = PLAYERS, *, model: str = "net"
) -> str:
    """Add a prelabel run with these labels by frame and return its id."""
    database, run, pack = ws._database, new_id("run"), new_id("pre")
    rows = [
        {"frame_index": index, **{name: annotation.as_json()[name] for name in COLUMNS}}
        for index, annotations in labels.items()
        for annotation in annotations
    ]
    with database.reading() as tx:
        number = tx.one("SELECT count(*) AS n FROM prelabel_runs")["n"]
    content = _imported(json.dumps(rows), media.frame_count, number, capability)
    digest = database.objects.put_bytes(content.data)
    with database.transaction() as tx:
        made = {"created_at": tx.now, "created_by": ws.user}
        origin = {"source_format": "yolo", "source": "/nowhere", "model": model, "model_version": "1", "status": "completed"}
        tx.review.add_run(
            {"id": run, "workspace_id": ws.id, **origin, **made},
            [
                {
                    "id": pack,
                    "run_id": run,
                    "workspace_id": ws.id,
                    "media_id": media.id,
                    "capability": capability,
                    "content_object": digest,
                    "content_hash": content.hash,
                    "frame_count": media.frame_count,
                    "annotation_count": len(rows),
                    "report": "{}",
                }
            ],
        )
    return run


@cache
def _frames(count: int, fps: float, broken: tuple[int, ...]) -> bytes:
    """Return the frames object of a media of images; many tests want the same."""
    with TemporaryDirectory() as folder:
        objects = Objects(Path(folder))
        return objects.read_bytes(objects.put_frame(frames_of(count, fps=fps, broken=broken).rows))


@dataclass(frozen=True)
class _Content:
    """A content object as it was imported once, for every store that gets the same labels."""

    data: bytes
    hash: str


@cache
def _imported(rows: str, frame_count: int, number: int, capability: str) -> _Content:
    """Return the content of the run with that number in its store, so that no two runs of one store share the ids of labels."""
    with Database.open(":memory:", user="nobody") as database:
        frame = pl.DataFrame(json.loads(rows), schema=SCHEMA)
        digest = import_rows(database, [frame], frame_count=frame_count, seed=f"run {number}", source="model")
        return _Content(database.objects.read_bytes(digest), Content(database.objects.read_frame(digest)).hash(capability))


def as_user(ws: Workspace, user: str, role: str | None = None) -> Workspace:
    """Return the workspace as another user sees it, a member with that role if one is given."""
    if role is not None:
        ws.set_role(user, role)
    return Workspace(ws._database, ws._gate.workspace, user)


def tables(ws: Workspace, *, but: tuple[str, ...] = ("audit",)) -> dict[str, list[str]]:
    """Return the rows of every table of the store as texts in order; empty tables, and the audit trail unless told, are left out.

    Two statements for the whole store: many tests look at all of it twice, and most of its tables are empty.
    """
    with ws._database.reading() as tx:
        kept = tx.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND estimated_size > 0")
        names = [row["table_name"] for row in kept if row["table_name"] not in but]
        each = (f"SELECT '{name}' AS name, t::VARCHAR AS line FROM {name} AS t" for name in names)
        lines = tx.rows(f"{' UNION ALL '.join(each)} ORDER BY ALL")
    found: dict[str, list[str]] = {}
    for row in lines:
        found.setdefault(row["name"], []).append(row["line"])
    return found


def trail(ws: Workspace, *columns: str) -> list[tuple[object, ...]]:
    """Return columns of the audit trail, oldest first."""
    return ws.audit().select(columns).reverse().rows()


def refused(call: Callable[[], object]) -> str:
    """Return the code of the refusal that a call must end in."""
    with pytest.raises(LabelkitError) as refusal:
        call()
    return refusal.value.code
