"""Lists over datasets: builds page by page, what a build was made of down to the model, and which builds hold a revision, pack or media."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from labelkit.store.statements import Statements

# Which builds are on a page, with what their own row says.
_PICKED = """
    SELECT b.id AS build_id, b.version_id AS id, d.name, b.capability, b.created_at, b.created_by
    FROM builds b JOIN datasets d ON d.id = b.dataset_id
    WHERE b.workspace_id = $workspace {filters}
    ORDER BY b.version_id DESC LIMIT $limit
"""
# Only the filters that are asked for are planned: to plan a query costs more than to run it. A build's scope is what it includes: a
# workspace, one of its media as workspace/media, or a media by its name alone.
_FILTERS = {
    "cursor": "AND b.version_id < $cursor",
    "capability": "AND b.capability = $capability",
    "name": "AND d.name = $name",
    "status": "AND b.id IN (SELECT t.build_id FROM build_states t WHERE t.status = $status)",
    "scope": """AND b.id IN (SELECT c.build_id FROM build_sources c WHERE c.reason IS NULL
        AND (c.workspace = $scope OR c.media = $scope OR c.workspace || '/' || c.media = $scope))""",
}
# What else is known of builds, those between two ids: ids grow with time, so that a page is a short stretch of each table, and the rest of
# it, with its wide texts, is never read. Tables are joined by few, because the time to plan a join grows with its square.
_STATES = """
    SELECT t.build_id, t.status, t.failure, v.number AS version, v.sample_count AS samples, v.annotation_count AS annotations,
        v.split_samples, v.manifest_hash
    FROM (SELECT * FROM build_states WHERE build_id BETWEEN $first AND $last) t
    LEFT JOIN (SELECT * FROM dataset_versions WHERE build_id BETWEEN $first AND $last) v ON v.build_id = t.build_id
"""
_QUALITY = "SELECT build_id, evaluation AS quality FROM build_quality WHERE build_id BETWEEN $first AND $last"
_FILES = """
    SELECT version_id AS id, CASE WHEN status = 'pending' AND lease_until < $now THEN 'partial' ELSE status END AS materialization
    FROM materialization_heads WHERE version_id BETWEEN $oldest AND $newest
"""
_FROZEN = "SELECT version_id AS id, TRUE AS is_frozen FROM freeze_heads WHERE state = 'frozen' AND version_id BETWEEN $oldest AND $newest"
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
        given = {"name": name, "capability": capability, "scope": scope, "status": status, "cursor": cursor}
        wanted = {column: value for column, value in given.items() if value is not None}
        sql = _PICKED.format(filters=" ".join(_FILTERS[column] for column in wanted))
        picked = self._tx.frame(sql, workspace=workspace, limit=limit, **wanted)
        between = {"first": picked["build_id"].min() or "", "last": picked["build_id"].max() or ""}
        ids = {"oldest": picked["id"].min() or "", "newest": picked["id"].max() or ""}
        of_builds = [self._tx.frame(sql, **between) for sql in (_STATES, _QUALITY, _SOURCES)]
        of_versions = [self._tx.frame(_FILES, now=self._tx.now, **ids), self._tx.frame(_FROZEN, **ids)]
        rows = picked.lazy()
        for on, frames in (("build_id", of_builds), ("id", of_versions)):
            for known in frames:
                rows = rows.join(known.lazy(), on=on, how="left", maintain_order="left")
        rows = rows.with_columns(_scope(), pl.col("materialization").fill_null("none"), pl.col("is_frozen").fill_null(value=False))
        return rows.select(COLUMNS).collect()

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
