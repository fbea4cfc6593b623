"""Label packs made straight in the tables, many at once: what datasets are built from, without a review before it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.review.annotations import Annotation, FrameContent, FrameFlag, FrameState, Source
from labelkit.core.review.drafts import Lineage, LineageKind
from labelkit.core.review.revisions import DiffSummary, Provenance
from labelkit.store.ids import new_id
from labelkit.store.objects import Objects
from labelkit.store.review.content import Content, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labelkit import Workspace
    from labelkit.core.geometry import Geometry

Labels = dict[int, list[tuple[str, "Geometry"]]]
CAPABILITY = "player_detection"
WIDTH, HEIGHT = 1280, 720
PROVENANCE = json.dumps(
    asdict(Provenance("ana", "drf_1", 1, Lineage(LineageKind.MANUAL), "", "passed", None, (), 0)) | {"lineage": "manual"}
)
NO_DIFF = json.dumps(asdict(DiffSummary()))


@dataclass(frozen=True)
class Pack:
    """A label pack to be made: its media, and its revisions as (eligibility, labels by frame), oldest first."""

    media: str
    revisions: Sequence[tuple[str, Labels]]
    frames: int = 4
    broken: Sequence[int] = ()
    group: str | None = None
    camera: str = "broadcast"
    split: str | None = None
    capability: str = CAPABILITY
    review: str = "approved"
    validation: str = "passed"
    flags: dict[int, FrameFlag] = field(default_factory=dict)
    counted: bool = True
    pictures: str | None = None  # the media whose pictures these are, where not its own

    def with_(self, **change: object) -> Pack:
        return replace(self, **change)


def add(ws: Workspace, packs: Sequence[Pack]) -> dict[str, str]:
    """Write the packs into the workspace in the order given and return their ids by media."""
    database, ids = ws._database, {}
    rows: dict[str, list[dict[str, object]]] = {
        table: [] for table in ("media", "label_packs", "revisions", "revision_classes", "eligibility")
    }
    known = {row["name"]: row["id"] for row in ws.media.list().iter_rows(named=True)}
    with database.reading() as tx:
        now = tx.now
    for pack in packs:
        stamps = {"created_at": now, "created_by": "ana", "updated_at": now, "updated_by": "ana"}
        ids[pack.media] = new_id("lpk")
        if pack.media not in known:
            known[pack.media] = new_id("med")
            rows["media"].append(
                {
                    "id": known[pack.media],
                    "workspace_id": ws.id,
                    "name": pack.media,
                    "kind": "images",
                    "root": "/nowhere",
                    "group_key": pack.group or pack.media,
                    "camera_type": pack.camera,
                    "split": pack.split,
                    "frame_count": pack.frames,
                    "frames_object": database.objects.put_bytes(_frames(pack)),
                    "created_at": now,
                    "created_by": "ana",
                    "broken_frame_count": len(pack.broken) if pack.counted else None,
                }
            )
        rows["label_packs"].append(
            {
                "id": ids[pack.media],
                "scope_key": f"{ws.id}/{known[pack.media]}/{pack.capability}",
                "workspace_id": ws.id,
                "media_id": known[pack.media],
                "capability": pack.capability,
                "review_status": pack.review,
                "validation_status": pack.validation,
                "version": 1,
                "reason": None,
                **stamps,
            }
        )
        for number, (state, labels) in enumerate(pack.revisions, 1):
            content = _content(pack, number, labels)
            revision = new_id("rev")
            rows["revisions"].append(
                {
                    "id": revision,
                    "pack_id": ids[pack.media],
                    "number": number,
                    "content_hash": content.hash,
                    "content_object": database.objects.put_bytes(content.data),
                    "frame_count": pack.frames,
                    "labeled_frame_count": content.labeled,
                    "annotation_count": content.annotations,
                    "provenance": PROVENANCE,
                    "diff": NO_DIFF,
                    "created_at": now,
                }
            )
            rows["revision_classes"] += [{**one, "revision_id": revision} for one in content.classes]
            rows["eligibility"].append(
                {"revision_id": revision, "state": state, "version": 1, "reason": None, "changed_by": None, "changed_at": None}
            )
    with database.transaction() as tx:
        for table, made in rows.items():
            tx.insert(table, made)
    return ids


@dataclass(frozen=True)
class _Content:
    """A revision's object and what its row says of it, made once for all stores."""

    data: bytes
    hash: str
    labeled: int
    annotations: int
    classes: list[dict[str, object]]


_CONTENTS: dict[tuple[object, ...], _Content] = {}
_FRAMES: dict[tuple[object, ...], bytes] = {}


def _content(pack: Pack, number: int, labels: Labels) -> _Content:
    """Return the content of one revision; the ids of its labels are its own, whatever others have the same labels."""
    key = (pack.media, number, pack.capability, pack.frames, repr(labels), repr(pack.flags))
    if key not in _CONTENTS:
        content = Content(rows_of([frame(index, labels.get(index, []), pack.flags.get(index)) for index in range(pack.frames)]))
        counts = content.labeled_frame_count, content.annotation_count, content.class_counts().to_dicts()
        _CONTENTS[key] = _Content(parquet(content.rows), content.hash(pack.capability), *counts)
    return _CONTENTS[key]


def _frames(pack: Pack) -> bytes:
    key = (pack.pictures or pack.media, pack.frames, tuple(pack.broken))
    if key not in _FRAMES:
        _FRAMES[key] = parquet(frames_of(pack))
    return _FRAMES[key]


def parquet(df: pl.DataFrame) -> bytes:
    """Return the bytes of the object that a store makes of a data frame."""
    with TemporaryDirectory() as folder:
        objects = Objects(Path(folder))
        return objects.read_bytes(objects.put_frame(df))


def frame(index: int, labels: Sequence[tuple[str, Geometry]], flag: FrameFlag | None = None) -> FrameContent:
    annotations = tuple(Annotation(new_id("ann"), label, geometry, 0.5, Source.MODEL) for label, geometry in labels)
    return FrameContent(index, annotations, frozenset({flag} if flag else ()), FrameState.ACCEPTED)


def frames_of(pack: Pack) -> pl.DataFrame:
    """The frames object of the pack's media: 40 ms apart, with digests that follow from the media's name."""
    usable = [index not in pack.broken for index in range(pack.frames)]
    return pl.DataFrame(
        {
            "index": pl.Series(range(pack.frames), dtype=pl.Int32),
            "name": [f"{index:06}.jpg" for index in range(pack.frames)],
            "pts_ms": [index * 40.0 for index in range(pack.frames)],
            "width": pl.Series([WIDTH * ok for ok in usable], dtype=pl.Int32),
            "height": pl.Series([HEIGHT * ok for ok in usable], dtype=pl.Int32),
            "sha256": [sha256(f"{pack.pictures or pack.media}/{index}") if ok else "" for index, ok in enumerate(usable)],
            "byte_count": pl.Series([1000 * ok for ok in usable], dtype=pl.Int64),
            "problem": pl.Series([None if ok else "FRAME_MISSING" for ok in usable], dtype=pl.String),
        }
    )


@cache
def sha256(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def change(ws: Workspace, sql: str, **params: object) -> None:
    """Change rows behind the back of every use case."""
    with ws._database.transaction() as tx:
        tx.execute(sql, **params)


def ids_of(made: dict[str, str], wanted: Callable[[str], bool] = bool) -> list[str]:
    return [pack for media, pack in made.items() if wanted(media)]
