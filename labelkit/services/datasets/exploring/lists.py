"""Looking through what was built: lists by pages, and which datasets hold a revision, a label pack or a media."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.datasets.builds import BuildStatus
from labelkit.core.datasets.quality import badge_of
from labelkit.errors import InvalidValue, NotFound

if TYPE_CHECKING:
    from labelkit.store.acting import Gate


def listed(
    gate: Gate,
    *,
    name: str | None,
    capability: str | None,
    scope: str | None,
    status: str | None,
    cursor: str | None,
    limit: int,
) -> pl.DataFrame:
    """Return a page of builds, newest first, as `ws.datasets.list` describes it."""
    if status is not None and status not in list(BuildStatus):
        raise NotFound.among("build status", status, map(str, BuildStatus), "BuildStatus")
    if limit < 1:
        raise InvalidValue(what="limit", reason=f"{limit} is no size of a page", fix="Ask for one row or more.")
    with gate.read() as (tx, _):
        rows = tx.datasets.lists.page(
            gate.workspace.id, name=name, capability=capability, scope=scope, status=status, cursor=cursor, limit=limit
        )
    badges = pl.Series("quality", [badge_of(text) for text in rows["quality"]], dtype=pl.String())
    version = pl.concat_str(pl.lit("v"), pl.col("version"))
    return rows.select(
        "name",
        "version",
        "id",
        pl.concat_str("name", version, separator=" ", ignore_nulls=True).alias("display_name"),
        version.alias("version_id"),
        pl.col("id").alias("dataset_version_id"),
        pl.exclude("name", "version", "id"),
    ).with_columns(badges)


def built_from(gate: Gate, of: str) -> pl.DataFrame:
    """Return which builds name a revision, label pack or media, as `ws.datasets.built_from` describes it."""
    with gate.read() as (tx, actor):
        found = tx.datasets.lists.built_from(of)
        if found.is_empty():
            media = next((one.id for one in tx.media.all(gate.workspace.id) if one.name == of), None)
            found = found if media is None else tx.datasets.lists.built_from(media)
    readable = [one for one in found["workspace_id"].unique() if actor.may(Action.READ, one)]
    return found.filter(pl.col("workspace_id").is_in(readable)).drop("workspace_id")
