"""Builds written straight into the tables, thousands at once, without samples: what lists are read from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from labelkit import BuildRequest
from labelkit.core.datasets.quality import Statistics, evaluate
from labelkit.store.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit import Workspace

CAPABILITIES = ("player_detection", "ball_detection")
STATES = ("success", "success", "success", "failed", "running")
PACKS = 2  # sources a build; the second one is excluded in every third build
STATISTICS = Statistics(120, 2, 3, 120, {"player": 900, "ball": 90}, 0, 0)


def add_builds(ws: Workspace, count: int, *, media: Sequence[str] = ("match-1", "match-2"), name: str = "listed") -> list[str]:
    """Add that many builds, of which the states and capabilities follow from their place; returns version ids, oldest first."""
    versions = [new_id("dsv") for _ in range(count)]
    quality = json.dumps(evaluate(STATISTICS, "player_detection").as_json())
    request = BuildRequest(capability="player_detection", label_pack_ids=["lpk_1"], name=name).model_dump_json()
    with ws._database.transaction() as tx:
        stamps = {"created_at": tx.now, "created_by": "ana"}
        dataset = tx.datasets.dataset_id(ws.id, name, new_id=new_id("dts"), actor="ana")
        before = tx.rows("SELECT count(*) AS number FROM dataset_versions WHERE dataset_id = $id", id=dataset)[0]["number"]
        place = pl.int_range(pl.len())
        state = pl.lit(pl.Series(STATES)).gather(place % len(STATES))
        builds = pl.DataFrame({"version_id": versions}, schema={"version_id": pl.String()}).with_columns(
            pl.col("version_id").str.replace("dsv_", "bld_").alias("id"),
            pl.lit(dataset).alias("dataset_id"),
            pl.lit(ws.id).alias("workspace_id"),
            pl.lit(pl.Series(CAPABILITIES)).gather(place % len(CAPABILITIES)).alias("capability"),
            pl.lit(request).alias("request"),
            pl.format("{}", place).alias("reuse_fingerprint"),
            pl.format("{}", place).alias("build_fingerprint"),
            pl.lit("{}").alias("fingerprint"),
            *(pl.lit(value).alias(column) for column, value in stamps.items()),
        )
        states = builds.select(
            pl.col("id").alias("build_id"),
            state.alias("status"),
            pl.when(state == "failed").then(pl.lit("STORAGE_READ_FAILED")).alias("failure"),
            pl.when(state == "running").then(pl.lit(tx.now).dt.offset_by("1d")).alias("lease_until"),
        )
        done = builds.filter(state == "success")
        tx.insert("builds", builds)
        tx.insert("build_states", states)
        tx.insert("build_sources", pl.concat([_sources(ws, builds, media, number) for number in range(PACKS)]))
        tx.insert(
            "dataset_versions",
            done.select(
                pl.col("version_id").alias("id"),
                "dataset_id",
                (place + before + 1).cast(pl.Int32).alias("number"),
                pl.col("id").alias("build_id"),
                pl.lit("none").alias("snapshot_id"),
                pl.col("id").alias("manifest_hash"),
                pl.lit(120).cast(pl.Int64).alias("sample_count"),
                pl.lit(990).cast(pl.Int64).alias("annotation_count"),
                pl.lit('{"train": 96, "val": 12, "test": 12}').alias("split_samples"),
                pl.lit('{"train": 1, "val": 1, "test": 0}').alias("split_groups"),
                pl.lit('{"ball": {"train": 72}, "player": {"train": 720}}').alias("class_counts"),
                pl.lit('{"kept": 0, "imbalance": 0.0, "imbalance_if_free": 0.0}').alias("stability"),
                "created_at",
            ),
        )
        tx.insert(
            "build_quality",
            done.select(pl.col("id").alias("build_id"), pl.lit("{}").alias("statistics"), pl.lit(quality).alias("evaluation")),
        )
    return versions


def _sources(ws: Workspace, builds: pl.DataFrame, media: Sequence[str], number: int) -> pl.DataFrame:
    place = pl.int_range(pl.len())
    named = pl.lit(pl.Series(media)).gather((place + number) % len(media))
    reason = pl.when((place % 3 == 0) & (number == 1)).then(pl.lit("LABEL_PACK_REVOKED"))
    text = {"workspace_id": ws.id, "workspace": ws.name, "training_policy": "allowed", "camera_type": "broadcast"}
    text |= {"review_status": "approved", "validation_status": "passed", "capability": "player_detection"}
    return builds.select(
        pl.col("id").alias("build_id"),
        pl.format("lpk_{}", named).alias("pack_id"),
        reason.alias("reason"),
        pl.lit(value=True).alias("found"),
        pl.format("med_{}", named).alias("media_id"),
        named.alias("media"),
        named.alias("group_key"),
        pl.lit(60).cast(pl.Int32).alias("frame_count"),
        pl.when(reason.is_null()).then(pl.format("rev_{}", named)).alias("revision_id"),
        pl.when(reason.is_null()).then(pl.lit(1)).cast(pl.Int32).alias("revision_number"),
        pl.lit(value=False).alias("has_revoked"),
        *(pl.lit(value).alias(column) for column, value in text.items()),
    )
