"""Rows of near-duplicates: hashes by picture, media that were searched, pairs of media as evidence, and rulings."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets.near_duplicates import Evidence, Link, Ruling
from labelkit.core.hashing import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labelkit.store.statements import Statements

HASHES = {"sha256": pl.String(), "dhash": pl.UInt64(), "phash": pl.UInt64()}
_IDS = """SELECT DISTINCT unnest(from_json($ids::JSON, '["VARCHAR"]')) AS id"""
_NEWEST = """
    SELECT pair_id, ruling, version, reason, ruled_by, ruled_at,
        row_number() OVER (PARTITION BY pair_id ORDER BY version DESC) AS place
    FROM near_duplicate_rulings WHERE workspace_id = $workspace
"""


def pair_id(media_a: str, media_b: str) -> str:
    """Return the id of the pair of two media (ids), whichever comes first."""
    return f"near_{sha256_hex(' '.join(sorted((media_a, media_b))).encode())[:26]}"


class NearDuplicateRows:
    """Reads and writes hashes, evidence and rulings inside one unit of work."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    # --- hashes, by the sha256 of a picture

    def hashes(self, wanted: pl.Series) -> pl.DataFrame:
        """Return sha256, dhash and phash (UInt64) of those of these pictures that have hashes; each once, in no order."""
        if wanted.is_empty():
            return pl.DataFrame(schema=HASHES)
        with tempfile.TemporaryDirectory(prefix="labelkit-hashes-") as folder:
            file = str(Path(folder, "wanted.parquet"))
            wanted.unique().to_frame("sha256").write_parquet(file)
            rows = self._tx.frame(
                "SELECT h.sha256, h.dhash, h.phash FROM frame_hashes h WHERE h.sha256 IN (SELECT sha256 FROM read_parquet($file))",
                file=file,
            )
        return rows.with_columns(pl.col("dhash", "phash").reinterpret(signed=False))

    def add_hashes(self, rows: pl.DataFrame) -> None:
        """Keep the hashes of pictures (columns of `HASHES`); those that are there stay."""
        new = rows.unique("sha256", maintain_order=True).join(self.hashes(rows["sha256"]), on="sha256", how="anti")
        self._tx.insert("frame_hashes", new.with_columns(pl.col("dhash", "phash").reinterpret(signed=True)))

    # --- media, and which were searched

    def media(self, ids: Sequence[str]) -> pl.DataFrame:
        """Return id, workspace_id, workspace, name, group_key, kind, root, frames_object of these media (ids), by id."""
        return self._tx.frame(
            f"""SELECT m.id, m.workspace_id, s.name AS workspace, m.name, m.group_key, m.kind, m.root, m.frames_object
                FROM media m JOIN workspaces s ON s.id = m.workspace_id JOIN ({_IDS}) w ON w.id = m.id ORDER BY m.id""",
            ids=json.dumps(list(ids)),
        )

    def searched(self, workspace: str) -> dict[str, int]:
        """Return the media that were searched, by id, with the number of frames whose picture could not be read."""
        rows = self._tx.frame("SELECT media_id, unavailable FROM searched_media WHERE workspace_id = $workspace", workspace=workspace)
        return dict(rows.iter_rows())

    def add_searched(self, workspace: str, unavailable: dict[str, int], *, actor: str) -> None:
        """Keep that these media (ids) were searched, now, with the number of frames whose picture could not be read."""
        for media in self.searched(workspace).keys() & unavailable.keys():
            self._tx.execute(
                """UPDATE searched_media SET unavailable = $unavailable, searched_at = $now, searched_by = $actor
                   WHERE workspace_id = $workspace AND media_id = $media""",
                unavailable=unavailable.pop(media),
                now=self._tx.now,
                actor=actor,
                workspace=workspace,
                media=media,
            )
        stamps = {"workspace_id": workspace, "searched_at": self._tx.now, "searched_by": actor}
        self._tx.insert("searched_media", [{**stamps, "media_id": media, "unavailable": count} for media, count in unavailable.items()])

    # --- evidence and rulings

    def add(self, workspace: str, found: pl.DataFrame, *, actor: str) -> int:
        """Keep pairs (id, media_a, media_b, frame_a, …, frame_pairs) as evidence and return how many are new; what is there stays."""
        there = self._tx.frame("SELECT id FROM near_duplicates WHERE workspace_id = $workspace", workspace=workspace)
        new = found.join(there, on="id", how="anti")
        self._tx.insert(
            "near_duplicates",
            new.with_columns(
                pl.lit(workspace).alias("workspace_id"), pl.lit(self._tx.now).alias("found_at"), pl.lit(actor).alias("found_by")
            ),
        )
        return new.height

    def listed(self, workspace: str, *, media: Sequence[str] | None = None, ruling: str | None = None) -> pl.DataFrame:
        """Return evidence with its newest ruling, closest pairs first; of `media` (ids) those that lie between two of them."""
        return self._tx.frame(
            f"""SELECT n.id, r.ruling, coalesce(r.version, 0) AS ruling_version,
                    a.group_key AS group_a, wa.name AS workspace_a, a.name AS media_a, n.frame_a,
                    b.group_key AS group_b, wb.name AS workspace_b, b.name AS media_b, n.frame_b,
                    n.dhash_distance, n.phash_distance, n.frame_pairs, r.reason, r.ruled_by, r.ruled_at, n.found_by, n.found_at,
                    n.sha256_a, n.sha256_b, a.workspace_id AS workspace_id_a, b.workspace_id AS workspace_id_b
                FROM near_duplicates n
                JOIN media a ON a.id = n.media_a JOIN workspaces wa ON wa.id = a.workspace_id
                JOIN media b ON b.id = n.media_b JOIN workspaces wb ON wb.id = b.workspace_id
                LEFT JOIN ({_NEWEST}) r ON r.pair_id = n.id AND r.place = 1
                WHERE n.workspace_id = $workspace AND ($ruling::TEXT IS NULL OR coalesce(r.ruling, 'none') = $ruling)
                    AND ($all OR (n.media_a IN ({_IDS}) AND n.media_b IN ({_IDS})))
                ORDER BY n.dhash_distance + n.phash_distance, n.id""",
            workspace=workspace,
            ruling=ruling,
            all=media is None,
            ids=json.dumps(list(media or [])),
        )

    def present(self, workspace: str, pairs: Sequence[str]) -> dict[str, tuple[str | None, int]]:
        """Return the newest ruling and its version (None and 0 where nobody ruled) of those of these pairs (ids) that are evidence."""
        rows = self._tx.frame(
            f"""SELECT n.id, r.ruling, coalesce(r.version, 0) AS version
                FROM near_duplicates n JOIN ({_IDS}) w ON w.id = n.id LEFT JOIN ({_NEWEST}) r ON r.pair_id = n.id AND r.place = 1
                WHERE n.workspace_id = $workspace""",
            workspace=workspace,
            ids=json.dumps(list(pairs)),
        )
        return {pair: (ruling, version) for pair, ruling, version in rows.iter_rows()}

    def rule(self, workspace: str, versions: Mapping[str, int], ruling: Ruling, *, reason: str, actor: str) -> None:
        """Add a ruling to each pair (id) under its version; another one of the same version is the use case's conflict."""
        made = {"workspace_id": workspace, "ruling": ruling, "reason": reason, "ruled_at": self._tx.now, "ruled_by": actor}
        self._tx.insert("near_duplicate_rulings", [{**made, "pair_id": pair, "version": number} for pair, number in versions.items()])

    def rulings(self, workspace: str, pair: str) -> pl.DataFrame:
        """Return every ruling on a pair, newest first: version, ruling, reason, ruled_by, ruled_at."""
        return self._tx.frame(
            """SELECT version, ruling, reason, ruled_by, ruled_at FROM near_duplicate_rulings
               WHERE workspace_id = $workspace AND pair_id = $pair ORDER BY version DESC""",
            workspace=workspace,
            pair=pair,
        )

    def ruled_out(self, workspace: str) -> pl.DataFrame:
        """Return the ids of the pairs that were ruled different."""
        return self._tx.frame(
            f"SELECT pair_id FROM ({_NEWEST}) WHERE place = 1 AND ruling = $different", workspace=workspace, different=Ruling.DIFFERENT
        )

    # --- what a build is planned with

    def evidence(self, workspace: str, media: Sequence[str]) -> Evidence:
        """Return the links of groups that nobody ruled out, and how many of these media (ids) were searched or not."""
        searched = self.searched(workspace)
        found = sum(one in searched for one in media)
        if not searched:
            return Evidence((), 0, len(media))
        rows = self._tx.frame(
            f"""SELECT least(a.group_key, b.group_key) AS x, greatest(a.group_key, b.group_key) AS y, count(*) AS pairs
                FROM near_duplicates n JOIN media a ON a.id = n.media_a JOIN media b ON b.id = n.media_b
                LEFT JOIN ({_NEWEST}) r ON r.pair_id = n.id AND r.place = 1
                WHERE n.workspace_id = $workspace AND coalesce(r.ruling, 'none') <> $different
                GROUP BY x, y ORDER BY x, y""",
            workspace=workspace,
            different=Ruling.DIFFERENT,
        )
        return Evidence(tuple(Link(*row) for row in rows.iter_rows()), found, len(media) - found)
