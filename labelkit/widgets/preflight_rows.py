"""What a build would decide and what it came to, as plain rows: what the browser shows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelkit.widgets.quality_badge import quality_row

if TYPE_CHECKING:
    from labelkit.core.datasets.preflight import Preflight
    from labelkit.services.datasets import BuildResult
    from labelkit.widgets.base import Json

LISTED = 200


def preflight_row(plan: Preflight) -> Json:
    """Return what a build would decide, as a view shows it."""
    classes, shares = list(plan.class_counts), plan.plan.ratios
    excluded = plan.plan.excluded
    return {
        "ok": plan.ok,
        "outcome": str(plan.outcome),
        "dataset": plan.dataset_id,
        "packs": plan.selected_count,
        "requested": len(plan.plan.request.pack_ids),
        "groups": plan.group_count,
        "samples": plan.sample_count,
        "classes": classes,
        "splits": [
            {
                "name": split,
                "wanted": shares[split],
                "samples": plan.split_samples[split],
                "groups": plan.split_groups[split],
                "classes": [plan.class_counts[name][split] for name in classes],
            }
            for split in shares
        ],
        "issues": [{"code": issue.code, "message": issue.message, "blocking": issue.blocking} for issue in plan.issues],
        "excluded": [{"pack": v.pack.pack_id, "reason": str(v.reason), "why": v.why} for v in excluded[:LISTED]],
        "excluded_count": len(excluded),
        "kept_groups": plan.stability.kept,
        "stability_cost": plan.stability.cost,
        "never_searched": plan.never_searched_sentence,
        "reuse_fingerprint": plan.reuse_fingerprint,
    }


def result_row(result: BuildResult) -> Json:
    """Return what a build came to, as a view shows it."""
    dataset = result.dataset
    return {
        "outcome": str(result.outcome),
        "id": dataset.id,
        "name": dataset.name,
        "version": dataset.version,
        "status": str(result.build_status),
        "samples": dataset.sample_count,
        "manifest_hash": dataset.manifest_hash,
        "included": len(result.included_label_pack_ids),
        "excluded": len(result.excluded_label_pack_ids),
        "quality": quality_row(dataset.quality),
    }
