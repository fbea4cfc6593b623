"""The plan of a materialization: which file each sample becomes, under a name of its own, cut into shards in key order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets import asset_paths
from labelkit.core.datasets.materialization import Mode, Verify, pixels
from labelkit.core.geometry import Box
from labelkit.core.media import MediaKind
from labelkit.media.originals import Source
from labelkit.media.shards import NO_PIXELS, ShardTask, Wanted
from labelkit.store.versions.snapshots import collected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from labelkit.store.datasets.materials import MediaSource
    from labelkit.store.objects import Objects

_FRAMES = ("sample_key", "split", "workspace", "media", "frame_index", "frame_name", "sha256")
_BOXES = ("label", "x", "y", "width", "height")


class ShardPlan:
    """The shards of one version in one mode. Paths follow from the version alone, so that any later plan of it has the same ones."""

    def __init__(
        self,
        objects: Objects,
        rows: pl.LazyFrame,
        sources: Sequence[MediaSource],
        *,
        mode: Mode,
        shard_samples: int,
        common: Mapping[str, Any],
    ) -> None:
        """Read what is needed of the sample rows; `common` are the fields that all `ShardTask`s share."""
        self._objects = objects
        self._mode = mode
        self._step = shard_samples
        self._common = common
        self._media = sources
        self._kept: dict[int, Source] = {}
        self._kept_sizes: dict[int, dict[int, int]] = {}
        wanted = [pl.col(name) for name in _FRAMES]
        if mode is Mode.CROPS:
            boxes = pl.element().struct
            wanted += [pl.col("width"), pl.col("height"), pl.col("annotations").list.eval(pl.struct(boxes.field(*_BOXES)))]
        numbered = [(media.workspace, media.media, number, media.kind == MediaKind.VIDEO) for number, media in enumerate(sources)]
        media = pl.DataFrame(numbered, schema=["workspace", "media", "source", "is_video"], orient="row").lazy()
        self._rows = _with_paths(collected(rows.select(wanted).join(media, on=["workspace", "media"], how="left").sort("sample_key")), mode)
        self._classes: Mapping[str, str] = {}
        if mode is Mode.CROPS:
            labels = self._rows["annotations"].explode().drop_nulls().struct.field("label")
            self._classes = asset_paths.parts(labels.unique().to_list())

    def __len__(self) -> int:
        """Return the number of shards."""
        return len(range(0, self._rows.height, self._step))

    @property
    def files(self) -> int:
        """Return the number of files."""
        return int(self._rows["annotations"].list.len().sum()) if self._mode is Mode.CROPS else self._rows.height

    def tasks(self) -> Iterator[ShardTask]:
        """Yield the shards, each made when it is asked for."""
        for number, start in enumerate(range(0, self._rows.height, self._step)):
            rows = self._rows.slice(start, self._step)
            wanted = self._crops(rows) if self._mode is Mode.CROPS else self._frames(rows)
            sources = {one: self._source(one) for one in sorted({*rows["source"]})}
            yield ShardTask(number=number, mode=self._mode.value, sources=sources, wanted=wanted, **self._common)

    def paths(self) -> Iterator[list[str]]:
        """Yield the paths of all files, shard by shard."""
        for task in self.tasks():
            yield [wanted.path for wanted in task.wanted]

    def _frames(self, rows: pl.DataFrame) -> list[Wanted]:
        sizes = self._sizes(rows)
        columns = ("sample_key", "path", "source", "frame_name", "frame_index", "sha256")
        return [Wanted(*row) for row in zip(*(rows[column].to_list() for column in columns), sizes, strict=True)]

    def _crops(self, rows: pl.DataFrame) -> list[Wanted]:
        """Return a file a box: its place in the drawing order of the frame is part of its name. A box outside its frame has no pixels."""
        columns = ("sample_key", "source", "frame_name", "frame_index", "sha256", "width", "height", "folders", "annotations")
        found = []
        for key, source, name, index, digest, width, height, folders, boxes in rows.select(columns).iter_rows():
            split, _, rest = folders.partition("/")
            for position, box in enumerate(boxes):
                rect = pixels(Box(box["x"], box["y"], box["width"], box["height"]), width, height)
                path = f"{split}/{self._classes[box['label']]}/{rest}/{index:06}-{position:03}.png"
                found.append(Wanted(key, path, source, name, index, digest, 0, rect or NO_PIXELS))
        return found

    def _sizes(self, rows: pl.DataFrame) -> list[int]:
        """Return the bytes of each frame as it was when its media was added, where they will be compared."""
        if self._mode is not Mode.LINK or self._common["verify"] != Verify.CHANGED:
            return [0] * rows.height
        for number in set(rows["source"]) - {*self._kept_sizes}:
            frames = self._objects.read_frame(self._media[number].frames_object, ["index", "byte_count"])
            self._kept_sizes[number] = dict(zip(frames["index"].to_list(), frames["byte_count"].to_list(), strict=True))
        kept = self._kept_sizes = {number: self._kept_sizes[number] for number in set(rows["source"])}
        return [kept[source].get(index, -1) for source, index in zip(rows["source"].to_list(), rows["frame_index"].to_list(), strict=True)]

    def _source(self, number: int) -> Source:
        """Return what a shard needs of a media; the newest one is kept, since shards follow each other through a media."""
        if number not in self._kept:
            media = self._media[number]
            pts: tuple[float, ...] = ()
            if media.kind == MediaKind.VIDEO:
                pts = tuple(self._objects.read_frame(media.frames_object, ["index", "pts_ms"]).sort("index")["pts_ms"])
            self._kept = {number: Source(media.kind, media.root, round(media.added_at.timestamp() * 1e9), pts)}
        return self._kept[number]


def _with_paths(rows: pl.DataFrame, mode: Mode) -> pl.DataFrame:
    """Add `folders` (split, workspace and media) and, but for crops, `path`: safe, and apart on every file system."""
    media = rows.select("workspace", "media").unique()
    names = {workspace: asset_paths.parts(of["media"]) for (workspace,), of in media.group_by("workspace")}
    splits, workspaces = (asset_paths.parts(rows[column].unique().to_list()) for column in ("split", "workspace"))
    named = rows.select("split", "workspace", "media").unique(maintain_order=True)
    folders = [f"{splits[s]}/{workspaces[w]}/{names[w][m]}" for s, w, m in named.iter_rows()]
    found = rows.join(
        named.with_columns(folders=pl.Series(folders, dtype=pl.String)), on=["split", "workspace", "media"], maintain_order="left"
    )
    if mode is Mode.CROPS:
        return found
    of_video = pl.col("frame_index").cast(pl.String).str.zfill(6) + ".png"
    last = pl.when("is_video").then(of_video).otherwise(_safe(found["frame_name"]))
    return _apart(found.with_columns((pl.col("folders") + "/" + last).alias("path")))


def _safe(names: pl.Series) -> pl.Series:
    """Return the names of frames as paths; most are plain already."""
    plain = names.str.contains(asset_paths.PLAIN) & ~names.str.contains(asset_paths.RESERVED)
    others = {name: asset_paths.path(name) for name in names.filter(~plain).unique().to_list() if name}
    return names.replace(others) if others else names


def _apart(rows: pl.DataFrame) -> pl.DataFrame:
    """Mark every path but the first of those that are one on some file system, and files that are called like a folder."""
    plain = rows["path"].str.contains(r"^[\x20-\x7e]*$")
    folded = rows["path"].str.to_lowercase()
    if not plain.all():
        folded = pl.Series([asset_paths.folded(path) for path in rows["path"]], dtype=pl.String)
    folders = folded.str.replace(r"/[^/]*$", "").unique()
    above = {"/".join(folder.split("/")[:end]) for folder in folders for end in range(1, folder.count("/") + 2)}
    clash = ~folded.is_first_distinct() | folded.is_in(sorted(above))
    if not clash.any():
        return rows
    marked = [
        asset_paths.marked(path, key) if clashes else path
        for path, key, clashes in zip(rows["path"], rows["sample_key"], clash, strict=True)
    ]
    return rows.with_columns(pl.Series("path", marked, dtype=pl.String))
