"""The search: hash the frames of media once ever, compare what is new with all, keep the evidence."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.media import MediaKind
from labelkit.errors import (
    InvalidValue,
    NotFound,
    StoreConflict,
    VideoSupportMissing,
)
from labelkit.media import open_frames
from labelkit.store.datasets.hamming import alike
from labelkit.store.datasets.near_duplicate_rows import HASHES, pair_id
from labelkit.store.media import Frames
from labelkit.store.versions.snapshots import collected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from labelkit.core.actors import Actor
    from labelkit.store.acting import Gate
    from labelkit.store.transaction import Transaction

BATCH = 32  # pictures that are in memory at once
KEPT = 1024  # hashes are written after so many
KEPT_S = 20.0  # and after so many seconds: what an interruption costs
ATTEMPTS = 5
FRAME = ("media", "grp", "frame_index", "dhash", "phash")


class Search:
    """One search for near-duplicates of one workspace."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._database = gate.database
        self._workspace = gate.workspace.id

    def run(self, capability: str | None, label_pack_ids: Sequence[str] | None, progress: Callable[[int, int], None] | None) -> list[str]:
        """Hash and search the media of these packs as far as that was not done; return these media (ids)."""
        subject = f"near-duplicates:{capability or 'packs'}"
        with self._gate.act(Action.RULE_NEAR_DUPLICATES, subject) as act:
            wanted = media_of(act.tx, act.actor, self._workspace, capability, label_pack_ids)
            searched = act.tx.datasets.near_duplicates.searched(self._workspace)
            new = [media for media in wanted if searched.get(media, 1)]
            act.record("NEAR_DUPLICATES_SEARCHED" if not new else "NEAR_DUPLICATES_STARTED", media=len(wanted), new=len(new))
        if new:
            self._hash(new, progress)
            self._search(new, subject)
        return wanted

    def _frames(self, media: pl.DataFrame) -> pl.DataFrame:
        """Return the frames of media that have a picture: media (row of `media`), grp, frame_index, sha256; in order."""
        objects = (
            media.select("frames_object")
            .unique()
            .with_columns(path=pl.col("frames_object").map_elements(self._database.objects.path, pl.String))
        )
        found = collected(
            pl.scan_parquet(objects["path"].to_list(), glob=False, include_file_paths="path")
            .filter(pl.col("problem").is_null())
            .select("path", pl.col("index").alias("frame_index"), "sha256")
        )
        numbered = media.with_row_index("media").with_columns(pl.col("group_key").rank("dense").alias("grp"))
        held = numbered.join(objects, on="frames_object").select("media", "grp", "path")
        return held.join(found, on="path").drop("path").sort("media", "frame_index")

    def _hash(self, new: Sequence[str], progress: Callable[[int, int], None] | None) -> None:
        """Hash the pictures that have no hashes yet and keep them, batch by batch, whatever happens to the rest."""
        with self._database.reading() as tx:
            media = tx.datasets.near_duplicates.media(new)
            frames = self._frames(media)
            there = tx.datasets.near_duplicates.hashes(frames["sha256"])
        missing = frames.unique("sha256", keep="first", maintain_order=True).join(there, on="sha256", how="anti", maintain_order="left")
        waiting: list[tuple[str, int, int]] = []
        done, since = 0, time.monotonic()
        try:
            for batch in self._hashed(media, missing):
                waiting += [row for row in batch if row is not None]
                done += len(batch)
                if progress is not None:
                    progress(done, missing.height)
                if len(waiting) >= KEPT or time.monotonic() - since > KEPT_S:
                    self._keep(waiting)
                    waiting, since = [], time.monotonic()
        finally:
            self._keep(waiting)

    def _keep(self, waiting: list[tuple[str, int, int]]) -> None:
        if waiting:
            with self._database.transaction() as tx:
                tx.datasets.near_duplicates.add_hashes(pl.DataFrame(waiting, schema=HASHES, orient="row"))

    def _hashed(self, media: pl.DataFrame, missing: pl.DataFrame) -> Iterator[list[tuple[str, int, int] | None]]:
        """Yield the hashes of pictures, some at once; None for one that cannot be read."""
        from labelkit.media.phash import hash_frames

        for (number,), rows in missing.group_by("media", maintain_order=True):
            kind, root, digest = media.select("kind", "root", "frames_object").row(int(str(number)))
            frames = Frames(self._database.objects.read_frame(digest))
            indexes = rows["frame_index"].to_list()
            try:
                source = open_frames(MediaKind(kind), root, frames.rows)
            except VideoSupportMissing:
                yield [None] * len(indexes)
                continue
            for start in range(0, len(indexes), BATCH):
                batch = [frames[index] for index in indexes[start : start + BATCH]]
                made = hash_frames(source, batch, one_by_one=kind == MediaKind.VIDEO)
                yield [None if one is None else (frame.sha256, one.dhash, one.phash) for frame, one in zip(batch, made, strict=True)]

    def _search(self, new: Sequence[str], subject: str) -> None:
        """Search the new media against each other and all that were searched; keep evidence and search in one transaction.

        Where somebody else's search ended meanwhile, what they found has to be searched too.
        """
        for _ in range(ATTEMPTS):
            with self._database.reading() as tx:
                rows = tx.datasets.near_duplicates
                before = rows.searched(self._workspace)
                media = rows.media(sorted({*before, *new}))
                frames = self._frames(media)
                hashes = rows.hashes(frames["sha256"])
            found, unavailable = self._evidence(media, frames, hashes, new)
            with self._gate.act(Action.RULE_NEAR_DUPLICATES, subject) as act:
                rows = act.tx.datasets.near_duplicates
                if rows.searched(self._workspace).keys() - before.keys() - set(new):
                    continue
                added = rows.add(self._workspace, found, actor=act.actor.user)
                rows.add_searched(self._workspace, unavailable, actor=act.actor.user)
                act.record("NEAR_DUPLICATES_FOUND", media=len(new), pairs=added, unavailable=sum(unavailable.values()))
                return
        raise StoreConflict(reason="other searches for near-duplicates kept ending first")

    def _evidence(
        self, media: pl.DataFrame, frames: pl.DataFrame, hashes: pl.DataFrame, new: Sequence[str]
    ) -> tuple[pl.DataFrame, dict[str, int]]:
        ids = media["id"].to_list()
        fresh = [number for number, one in enumerate(ids) if one in set(new)]
        is_new = pl.col("media").is_in(fresh)
        lacking = frames.filter(is_new).join(hashes, on="sha256", how="anti").group_by("media").len()
        unavailable = dict.fromkeys(new, 0) | {ids[number]: count for number, count in lacking.iter_rows()}
        hashed = frames.join(hashes, on="sha256")
        found = alike(
            self._database, hashed.filter(is_new).select(FRAME), hashed.select(*FRAME, is_new.alias("on_left")), across=True
        ).with_columns(turned=pl.col("left_media") > pl.col("right_media"))
        for side, first, last in (("a", "left", "right"), ("b", "right", "left")):  # a is the media that was added first
            turned = pl.when("turned").then
            at = frames.rename({"frame_index": f"frame_{side}", "sha256": f"sha256_{side}", "media": f"number_{side}"}).drop("grp")
            found = found.with_columns(
                turned(f"{last}_media").otherwise(f"{first}_media").alias(f"number_{side}"),
                turned(f"{last}_frame").otherwise(f"{first}_frame").alias(f"frame_{side}"),
            ).join(at, on=[f"number_{side}", f"frame_{side}"], how="left", maintain_order="left")
        named = [(ids[a], ids[b]) for a, b in found.select("number_a", "number_b").iter_rows()]
        return found.select(
            pl.Series("id", [pair_id(*pair) for pair in named], dtype=pl.String),
            pl.Series("media_a", [a for a, _ in named], dtype=pl.String),
            pl.Series("media_b", [b for _, b in named], dtype=pl.String),
            *("frame_a", "frame_b", "sha256_a", "sha256_b", "dhash_distance", "phash_distance", "frame_pairs"),
        ), unavailable


def media_of(tx: Transaction, actor: Actor, workspace: str, capability: str | None, label_pack_ids: Sequence[str] | None) -> list[str]:
    """Return the media (ids) of packs that the actor may read. Raises `NOT_FOUND` for a pack that is none of them."""
    sources = tx.datasets.sources
    if label_pack_ids is None and capability is None:
        raise InvalidValue(what="capability", reason="neither it nor label_pack_ids is given", fix="Name one of them.")
    if capability is not None:
        tx.media.capability(workspace, capability)
    facts = sources.candidate_facts(capability or "") if label_pack_ids is None else sources.pack_facts(list(label_pack_ids))
    seen = [pack for pack in facts if pack.found and actor.may(Action.READ, pack.workspace_id)]
    if label_pack_ids is not None:
        known = {pack.pack_id for pack in seen}
        for one in label_pack_ids:
            if one not in known:
                raise NotFound.among("label pack", one, known, "ws.datasets.candidates(capability)")
    return sorted({pack.media_id for pack in seen if capability in (None, pack.capability)})
