"""Lists over datasets: builds page by page, what a build was made of down to the model, and which builds hold a revision, pack or media."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from labelkit.store.statements import Statements

# A build's scope is what it includes: a workspace, one of its media as workspace/media, or a media by its name alone.
_PICKED = """
    SELECT b.id, b.version_id FROM builds b
    WHERE b.workspace_id = $workspace
      AND ($cursor::TEXT IS NULL OR b.version_id < $cursor)
      AND ($capability::TEXT IS NULL OR b.capability = $capability)
      AND ($name::TEXT IS NULL OR b.dataset_id IN (SELECT d.id FROM datasets d WHERE d.name = $name))
      AND ($status::TEXT IS NULL OR b.id IN (SELECT t.build_id FROM build_states t WHERE t.status = $status))
      AND ($scope::TEXT IS NULL OR b.id IN (SELECT c.build_id FROM build_sources c WHERE c.reason IS NULL
          AND (c.workspace = $scope OR c.media = $scope OR c.workspace || '/' || c.media = $scope)))
    ORDER BY b.version_id DESC LIMIT $limit
"""
# What is known of builds, those between two ids: ids grow with time, so that a page is a short stretch of each table, and the rest of
# it, with its wide texts, is never read.
_KNOWN = """
    SELECT d.name, v.number AS version, b.version_id AS id, b.capability, t.status, t.failure,
        CASE WHEN m.status = 'pending' AND m.lease_until < $now THEN 'partial' ELSE coalesce(m.status, 'none') END AS materialization,
        v.sample_count AS samples, v.annotation_count AS annotations, v.split_samples, q.evaluation AS quality, v.manifest_hash,
        b.id AS build_id, b.created_at, b.created_by, coalesce(f.state = 'frozen', FALSE) AS is_frozen
    FROM (SELECT * FROM builds WHERE id BETWEEN $first AND $last) b
    JOIN (SELECT * FROM build_states WHERE build_id BETWEEN $first AND $last) t ON t.build_id = b.id
    JOIN datasets d ON d.id = b.dataset_id
    LEFT JOIN (SELECT * FROM dataset_versions WHERE build_id BETWEEN $first AND $last) v ON v.build_id = b.id
    LEFT JOIN (SELECT * FROM build_quality WHERE build_id BETWEEN $first AND $last) q ON q.build_id = b.id
    LEFT JOIN freeze_heads f ON f.version_id = b.version_id
    LEFT JOIN materialization_heads m ON m.version_id = b.version_id
    WHERE b.workspace_id = $workspace
"""
# No two included packs of a build label the same media, so that packs count media.
_SOURCES = """
    SELECT build_id, count(*) - count(reason) AS included_packs, count(reason) AS excluded_packs,
        min(CASE WHEN reason IS NULL THEN workspace END) AS one_workspace,
        max(CASE WHEN reason IS NULL THEN workspace END) AS other_workspace,
        min(CASE WHEN reason IS NULL THEN media END) AS one_media
    FROM build_sources WHERE build_id BETWEEN $first AND $last GROUP BY build_id
"""
_BUILT_FROM = """
    SELECT d.workspace_id, w.name AS dataset_workspace, d.name, v.number AS version, b.version_id AS id, b.capability, t.status,
        s.pack_id, s.workspace, s.media, s.revision_id, s.revision_number, s.reason IS NULL AS included, s.reason, b.created_at
    FROM build_sources s JOIN builds b ON b.id = s.build_id JOIN build_states t ON t.build_id = b.id
    JOIN datasets d ON d.id = b.dataset_id JOIN workspaces w ON w.id = d.workspace_id
    LEFT JOIN dataset_versions v ON v.build_id = b.id
    WHERE s.revision_id = $of OR s.pack_id = $of OR s.media_id = $of
    ORDER BY b.version_id DESC, s.pack_id
"""
_ORIGINS = """
    SELECT s.revision_id, r.provenance, r.created_at AS published_at, e.state AS eligibility
    FROM build_sources s JOIN revisions r ON r.id = s.revision_id LEFT JOIN eligibility e ON e.revision_id = r.id
    WHERE s.build_id = $build AND s.reason IS NULL
"""
_RUNS = """
    SELECT k.id AS prelabel_pack_id, k.run_id, n.model, n.model_version
    FROM prelabel_packs k JOIN prelabel_runs n ON n.id = k.run_id
"""


COLUMNS = (
    *("name", "version", "id", "capability", "scope", "status", "failure", "materialization", "samples", "annotations", "split_samples"),
    *("quality", "included_packs", "excluded_packs", "manifest_hash", "build_id", "created_at", "created_by", "is_frozen"),
)


def _scope() -> pl.Expr:
    """Return what a build includes in a few words: a media by its name, more of them by their number."""
    count = pl.format("{} media", "included_packs")
    several = (
        pl.when(pl.col("one_workspace") == pl.col("other_workspace")).then(pl.col("one_workspace")).otherwise(pl.lit("several workspaces"))
    )
    one = pl.concat_str("one_workspace", "one_media", separator="/")
    return pl.when(pl.col("included_packs") == 1).then(one).otherwise(pl.concat_str(several, count, separator=": ")).alias("scope")


class DatasetLists:
    """Reads builds and their sources as sets, inside one unit of work."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def page(
        self,
        workspace: str,
        *,
        name: str | None = None,
        capability: str | None = None,
        scope: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> pl.DataFrame:
        """Return builds of a workspace (id), newest first: those after `cursor` (a version's id), each filter equal where it is given."""
        wanted = {"name": name, "capability": capability, "scope": scope, "status": status, "cursor": cursor}
        picked = self._tx.frame(_PICKED, workspace=workspace, limit=limit, **wanted)
        between = {"first": picked["id"].min() or "", "last": picked["id"].max() or ""}
        known = self._tx.frame(_KNOWN, workspace=workspace, now=self._tx.now, **between)
        sources = self._tx.frame(_SOURCES, **between)
        rows = picked.select(build_id="id").join(known, on="build_id", how="left", maintain_order="left")
        rows = rows.join(sources, on="build_id", how="left", maintain_order="left").with_columns(_scope())
        return rows.select(COLUMNS)

    def built_from(self, of: str) -> pl.DataFrame:
        """Return one row a build and pack that names this revision, label pack or media (id), in all workspaces, newest build first."""
        return self._tx.frame(_BUILT_FROM, of=of)

    def origins(self, build: str) -> pl.DataFrame:
        """Return, for each revision in a build, the draft it was published from, by whom and when, and the model that proposed it.

        Columns: revision_id, eligibility (as it is now), published_at, published_by, draft_id, draft_version, prelabel_pack_id, run_id,
        model, model_version; null where it was drawn by hand.
        """
        made = pl.col("provenance").str.json_path_match
        revisions = self._tx.frame(_ORIGINS, build=build).select(
            "revision_id",
            "eligibility",
            "published_at",
            made("$.actor").alias("published_by"),
            made("$.draft").alias("draft_id"),
            made("$.draft_version").cast(pl.Int32).alias("draft_version"),
            made("$.lineage").str.extract("^pack:(.*)$").alias("prelabel_pack_id"),
        )
        named = revisions["prelabel_pack_id"].drop_nulls().unique()
        runs = self._tx.frame(_RUNS)
        return revisions.join(runs.filter(pl.col("prelabel_pack_id").is_in(named.implode())), on="prelabel_pack_id", how="left")
