"""Near-duplicates between two sets of samples, as far as their pictures have hashes and nobody ruled them different."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.store.datasets.hamming import alike
from labelkit.store.datasets.near_duplicate_rows import HASHES, NearDuplicateRows, pair_id

if TYPE_CHECKING:
    from labelkit.store.analysis import Store

__all__ = ["HASHES", "near_pairs", "pair_id", "unhashed"]


def near_pairs(db: Store, workspace: str, left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of media of two sets of samples that hold near-duplicate frames, but those ruled different in the workspace (id).

    Samples have workspace and media (names), frame_index and sha256, as the rows of a snapshot do. The sets may share media and pictures:
    a shared picture is at distance 0. Samples without hashes are passed over; `unhashed` counts them. Columns: pair_id, frame_pairs,
    left_workspace, left_media, left_frame, left_sha256, the same for right (the closest frames), dhash_distance, phash_distance; one row a
    pair of media, closest first. Opens units of work of its own, so call it outside any.
    """
    columns = ("workspace", "media", "frame_index", "sha256")
    sides = [side.select(columns) for side in (left, right)]
    with db.reading() as tx:
        rows = NearDuplicateRows(tx)
        hashes = rows.hashes(pl.concat([side["sha256"] for side in sides]))
        names = pl.concat([side.select("workspace", "media") for side in sides]).unique().sort("workspace", "media")
        ids = tx.frame("SELECT s.name AS workspace, m.name AS media, m.id FROM media m JOIN workspaces s ON s.id = m.workspace_id")
        ruled_out = rows.ruled_out(workspace)
    media = names.join(ids, on=["workspace", "media"], how="left", maintain_order="left").with_row_index("number")
    numbered = [side.join(hashes, on="sha256").join(media, on=["workspace", "media"]) for side in sides]
    given = [side.select(pl.col("number").alias("media"), pl.lit(0).alias("grp"), "frame_index", "dhash", "phash") for side in numbered]
    found = alike(db, given[0], given[1].with_columns(pl.lit(value=False).alias("on_left")), full=None)
    for name, side in zip(("left", "right"), numbered, strict=True):
        known = side.select(
            pl.col("number").alias(f"{name}_media"),
            pl.col("frame_index").alias(f"{name}_frame"),
            pl.col("workspace").alias(f"{name}_workspace"),
            pl.col("media").alias(f"{name}_name"),
            pl.col("id").alias(f"{name}_id"),
            pl.col("sha256").alias(f"{name}_sha256"),
        ).unique([f"{name}_media", f"{name}_frame"])
        found = found.join(known, on=[f"{name}_media", f"{name}_frame"])
    pairs = [pair_id(a or "", b or "") for a, b in found.select("left_id", "right_id").iter_rows()]
    return (
        found.with_columns(pl.Series("pair_id", pairs, dtype=pl.String))
        .join(ruled_out, on="pair_id", how="anti")
        .drop("left_media", "right_media")
        .rename({"left_name": "left_media", "right_name": "right_media"})
        .select(
            "pair_id",
            "frame_pairs",
            *(f"{side}_{column}" for side in ("left", "right") for column in ("workspace", "media", "frame", "sha256")),
            "dhash_distance",
            "phash_distance",
        )
        .sort(pl.col("dhash_distance") + pl.col("phash_distance"), "left_workspace", "left_media", "right_workspace", "right_media")
    )


def unhashed(db: Store, samples: pl.DataFrame) -> int:
    """Return how many pictures of these samples (column sha256) have no hashes, so that `near_pairs` cannot see them."""
    wanted = samples["sha256"].unique()
    with db.reading() as tx:
        return wanted.len() - NearDuplicateRows(tx).hashes(wanted).height
