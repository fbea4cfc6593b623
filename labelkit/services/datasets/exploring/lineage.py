"""What a dataset was made from, and why each pack is in it or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets.samples import Answer

if TYPE_CHECKING:
    from labelkit.core.datasets.eligibility import Verdict


ORIGINS = {
    "revision_id": pl.String(),
    "eligibility": pl.String(),
    "published_at": pl.Datetime("us", "UTC"),
    "published_by": pl.String(),
    "draft_id": pl.String(),
    "draft_version": pl.Int32(),
    "prelabel_pack_id": pl.String(),
    "run_id": pl.String(),
    "model": pl.String(),
    "model_version": pl.String(),
}


@dataclass(frozen=True)
class Lineage:
    """What a dataset was made from: verdicts by pack id, each with its pack, the revision taken or the reason, and `why`.

    `origins` has one row a revision that was taken: its eligibility now, who published it from which draft, and the model before that.
    """

    included: tuple[Verdict, ...]
    excluded: tuple[Verdict, ...]
    origins: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ORIGINS))

    def to_polars(self) -> pl.DataFrame:
        """Return one row a requested pack: id, verdict, reason, why, where it is from, the revision that was taken, and its origin."""
        rows = [
            (
                v.pack_id,
                v.included,
                None if v.reason is None else str(v.reason),
                v.why,
                v.pack.workspace,
                v.pack.media,
                v.pack.group_key,
                v.revision.id if v.revision else None,
                v.revision.number if v.revision else None,
                v.revision.content_hash if v.revision else None,
            )
            for v in sorted((*self.included, *self.excluded), key=lambda one: one.pack_id)
        ]
        names = ("workspace", "media", "group_key", "revision_id")
        schema = {"pack_id": pl.String, "included": pl.Boolean, "reason": pl.String, "why": pl.String, **dict.fromkeys(names, pl.String)}
        packs = pl.DataFrame(rows, schema={**schema, "revision_number": pl.Int32, "content_hash": pl.String}, orient="row")
        return packs.join(self.origins, on="revision_id", how="left", maintain_order="left")

    def __repr__(self) -> str:
        head = f"<Lineage: {len(self.included)} packs included, {len(self.excluded)} excluded>"
        return "\n".join([head, *(f"  {v.pack_id}: {v.reason or 'included'}. {v.why}" for v in (*self.excluded, *self.included)[:20])])


def answer(verdict: Verdict) -> Answer:
    """Return the rule that decided about a pack, with the row that it looked at."""
    pack, revision = verdict.pack, verdict.revision
    row = {
        "pack_id": pack.pack_id,
        "workspace": pack.workspace,
        "training_policy": pack.training_policy,
        "media": pack.media,
        "capability": pack.capability,
        "review_status": str(pack.review_status),
        "validation_status": str(pack.validation_status),
        "revision_id": revision.id if revision else None,
        "revision_number": revision.number if revision else None,
        "content_hash": revision.content_hash if revision else None,
    }
    return Answer(str(verdict.reason or "INCLUDED"), verdict.why, row if pack.found else {"pack_id": pack.pack_id})
