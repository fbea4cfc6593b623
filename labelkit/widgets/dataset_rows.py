"""Dataset versions as plain rows: what the explorer's list and its detail show, and the same as static HTML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from labelkit.core.datasets.builds import BuildStatus
from labelkit.core.datasets.tables import split_table
from labelkit.services.datasets.exploring.facts import LINEAGE_HEAD
from labelkit.widgets import static
from labelkit.widgets.quality_badge import quality_row
from labelkit.widgets.quality_panel import quality_html
from labelkit.widgets.rows import when

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labelkit.services.datasets import Dataset
    from labelkit.widgets.base import Json

NOT_YET = "Stats not available yet"
LISTED_PACKS = 1000
SHOWN_PACKS = 50  # in a notebook that is kept
LIST_HEAD = ("Name", "Version", "Capability", "Scope", "Status", "Files", "Quality", "Samples by split", "Included", "Excluded", "Manifest")


def list_row(row: Mapping[str, Any]) -> Json:
    """Return one row of `ws.datasets.list` as a view shows it."""
    names = (
        "id",
        "name",
        "display_name",
        "version_id",
        "capability",
        "scope",
        "status",
        "failure",
        "materialization",
        "samples",
        "quality",
    )
    return {
        **{name: row[name] for name in (*names, "included_packs", "excluded_packs", "manifest_hash", "is_frozen", "created_by")},
        "splits": json.loads(row["split_samples"] or "{}"),
        "tone": tone(row["quality"]),
        "created_at": when(row["created_at"]),
    }


def tone(badge: str) -> str:
    """Return the tone of a badge."""
    return {"Pass": "good", "Warnings": "warn", "Hard": "bad"}.get(badge.split(maxsplit=1)[0], "plain")


def detail(dataset: Dataset) -> dict[str, Any]:
    """Return everything that is known of a dataset version; statistics are None while it is built, and after a build that failed."""
    facts = dataset.facts
    lineage = facts.lineage_rows
    head, rows = split_table(dataset.split_counts, dataset.group_counts, dataset.class_counts)
    stability = dataset.stability
    return {
        "id": dataset.id,
        "title": dataset.title,
        "name": dataset.name,
        "version": dataset.version,
        "capability": dataset.capability,
        "status": str(dataset.status),
        "progress": dataset.progress,
        "ready": dataset.status is BuildStatus.SUCCESS,
        "is_frozen": facts.freezing_state.is_frozen,
        "failure": dataset.failure or "",
        "reason": dataset.reason or "",
        "provenance": facts.provenance,
        "job": facts.status,
        "sources": facts.sources,
        "materialization": facts.materialization,
        "freezing": facts.freezing,
        "samples": dataset.sample_count,
        "annotations": dataset.annotation_count,
        "splits": {"head": [*(name.capitalize() for name in head[:3]), *head[3:]], "rows": rows} if rows else None,
        "stability": None if stability is None or not stability.kept else {"kept": stability.kept, "cost": stability.cost},
        "quality": quality_row(dataset.quality),
        "lineage": {"head": LINEAGE_HEAD, "rows": lineage[:LISTED_PACKS], "count": len(lineage)},
    }


def list_html(rows: list[Mapping[str, Any]]) -> static.Html:
    """Return rows of `ws.datasets.list` as a static table."""
    return static.table(LIST_HEAD, [_list_cells(row) for row in rows], "No dataset here.")


def _list_cells(row: Mapping[str, Any]) -> tuple[object, ...]:
    splits = ", ".join(f"{name} {number:,}" for name, number in json.loads(row["split_samples"] or "{}").items()) or NOT_YET
    state = f"{row['status']} ({row['failure']})" if row["failure"] else row["status"]
    return (
        f"{row['display_name']}{' (frozen)' if row['is_frozen'] else ''}",
        row["id"],
        row["capability"],
        row["scope"],
        state,
        row["materialization"],
        row["quality"],
        splits,
        row["included_packs"],
        row["excluded_packs"],
        row["manifest_hash"],
    )


def detail_html(dataset: Dataset) -> static.Html:
    """Return everything that is known of a dataset version as static HTML."""
    made = detail(dataset)
    splits = static.table(made["splits"]["head"], made["splits"]["rows"]) if made["splits"] else static.Html(f"<p>{NOT_YET}</p>")
    named = ("Fact", "Value")
    parts = [
        ("Status", static.table(named, made["job"])),
        (
            "Quality",
            static.Html("".join(p if isinstance(p, static.Html) else f"<p>{static.text(p)}</p>" for p in quality_html(dataset.quality))),
        ),
        ("Splits", splits),
        ("Sources", static.table(named, made["sources"])),
        ("Files and protection", static.table(named, [*made["materialization"], *made["freezing"]])),
        ("Provenance", static.table(named, made["provenance"])),
        (f"Lineage of {made['lineage']['count']:,} packs", static.table(LINEAGE_HEAD, made["lineage"]["rows"][:SHOWN_PACKS])),
    ]
    body = "".join(f"<p><strong>{name}</strong></p>{part}" for name, part in parts)
    frozen = " <small>frozen test set</small>" if made["is_frozen"] else ""
    return static.Html(f"<p><strong>{static.text(made['title'])}</strong>{frozen}</p>{body}")
