"""Lists over datasets: builds page by page, what a build was made of down to the model, and which builds hold a revision, pack or media."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from labelkit.store.statements import Statements

# A build's scope is what it includes: a workspace, one of its media as workspace/media, or a media by its name alone.
_IN_SCOPE = """($scope::TEXT IS NULL OR b.id IN (SELECT c.build_id FROM build_sources c WHERE c.reason IS NULL
    AND (c.workspace = $scope OR c.media = $scope OR c.workspace || '/' || c.media = $scope)))"""
_PAGE = f"""
    WITH picked AS (
        SELECT b.id, b.version_id, b.dataset_id, b.capability, b.created_at, b.created_by, t.status, t.failure
        FROM builds b JOIN build_states t ON t.build_id = b.id JOIN datasets d ON d.id = b.dataset_id
        WHERE b.workspace_id = $workspace
          AND ($name::TEXT IS NULL OR d.name = $name)
          AND ($capability::TEXT IS NULL OR b.capability = $capability)
          AND ($status::TEXT IS NULL OR t.status = $status)
          AND ($cursor::TEXT IS NULL OR b.version_id < $cursor)
          AND {_IN_SCOPE}
        ORDER BY b.version_id DESC LIMIT $limit
    ), sources AS (
        SELECT s.build_id, count(*) FILTER (WHERE s.reason IS NULL) AS included, count(s.reason) AS excluded,
            count(DISTINCT s.workspace_id) FILTER (WHERE s.reason IS NULL) AS workspaces,
            count(DISTINCT s.media_id) FILTER (WHERE s.reason IS NULL) AS media,
            min(s.workspace) FILTER (WHERE s.reason IS NULL) AS one_workspace, min(s.media) FILTER (WHERE s.reason IS NULL) AS one_media
        FROM build_sources s JOIN picked ON picked.id = s.build_id GROUP BY s.build_id
    )
    SELECT d.name, v.number AS version, p.version_id AS id, p.capability,
        CASE WHEN s.media = 1 THEN s.one_workspace || '/' || s.one_media
             WHEN s.workspaces = 1 THEN s.one_workspace || ': ' || s.media || ' media'
             ELSE s.workspaces || ' workspaces: ' || s.media || ' media' END AS scope,
        p.status, p.failure,
        CASE WHEN m.status = 'pending' AND m.lease_until < $now THEN 'partial'
             ELSE coalesce(m.status, 'none') END AS materialization,
        v.sample_count AS samples, v.annotation_count AS annotations, v.split_samples, q.evaluation AS quality,
        s.included AS included_packs, s.excluded AS excluded_packs, v.manifest_hash, p.id AS build_id, p.created_at, p.created_by,
        coalesce(f.state = 'frozen', FALSE) AS is_frozen
    FROM picked p JOIN datasets d ON d.id = p.dataset_id LEFT JOIN sources s ON s.build_id = p.id
    LEFT JOIN dataset_versions v ON v.build_id = p.id LEFT JOIN build_quality q ON q.build_id = p.id
    LEFT JOIN freeze_heads f ON f.version_id = p.version_id
    LEFT JOIN materialization_heads m ON m.version_id = p.version_id
    ORDER BY p.version_id DESC
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
        return self._tx.frame(_PAGE, workspace=workspace, limit=limit, now=self._tx.now, **wanted)

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
