"""The smallest set of reviews that brings a share of the examples to a tier, found as sets.

What a review is assumed to do. Whoever reviews an example validates it, says why where it is an edge case, and where similar examples
expect something else settles which output is right for their input: from then on all of these expect the same, whichever of them was
reviewed. So the first review in such a group may lift several examples. Everything else stays as it was scored: fields, outcomes,
confidence, the counts of classes and slices.

Why greedy is the smallest set. Groups do not touch each other, and within one only the first review settles. The first review can lift all
that settling alone lifts, and an example that needs a review of its own, if there is one; each later review lifts one such example, as long
as there are any. So the gains of a group's first, second, … review never grow, and the largest gains of all groups taken together are at
each number of reviews the most that this number can lift; a group's later reviews come after its first because they gain no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.reasons import Code
from labelkit.store.golden.scoring_facts import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.core.golden.tiers import Tier
    from labelkit.store.analysis import Store

_SETTLED = (Code.NOT_VERIFIED, Code.VERIFIED_ELSEWHERE, Code.INCONSISTENT_WITH_SIMILAR, Code.EDGE_CASE_UNDOCUMENTED)
_LIVE = """
    live AS (
        SELECT example_id, type, status, similar_to, total, reviewed_total, reasons, total >= $least AS there,
            settled_total >= $least AS by_settling, reviewed_total >= $least AS by_review
        FROM read_parquet($scores) WHERE status <> 'rejected'
    )
"""
_COUNTS = f"WITH {_LIVE} SELECT count(*) AS examples, count(*) FILTER (WHERE there) AS reached FROM live"
_REVIEWS = f"""
    WITH {_LIVE}, alone AS (
        SELECT *, FALSE AS settles, 1 AS lifts FROM live WHERE similar_to IS NULL AND by_review AND NOT there
    ), grouped AS (
        SELECT *, by_review AND NOT by_settling AS own,
            row_number() OVER (
                PARTITION BY similar_to ORDER BY by_review AND NOT by_settling DESC, reviewed_total DESC, example_id) AS place,
            count(*) FILTER (WHERE by_settling AND NOT there) OVER (PARTITION BY similar_to) AS settled
        FROM live WHERE similar_to IS NOT NULL
    ), together AS (
        SELECT * EXCLUDE (own, place, settled), place = 1 AS settles,
            CAST(own AS INTEGER) + CASE WHEN place = 1 THEN settled ELSE 0 END AS lifts FROM grouped
    ), helpful AS (
        SELECT * FROM alone UNION ALL SELECT * FROM together WHERE lifts > 0
    ), counted AS (
        SELECT *, sum(lifts) OVER (ORDER BY lifts DESC, reviewed_total DESC, example_id ROWS UNBOUNDED PRECEDING) AS lifted FROM helpful
    )
    SELECT example_id, type,
        list_filter([
            CASE WHEN status = 'pending' THEN 'validate' END,
            CASE WHEN settles THEN 'settle' END,
            CASE WHEN list_contains(reasons, '{Code.EDGE_CASE_UNDOCUMENTED}') THEN 'document' END], lambda one: one IS NOT NULL) AS review,
        similar_to, total, reviewed_total, CAST(lifts AS BIGINT) AS lifts, CAST(lifted AS BIGINT) AS lifted
    FROM counted WHERE lifted - lifts < $needed ORDER BY lifts DESC, reviewed_total DESC, example_id
"""
_LACKS = f"""
    WITH {_LIVE}, lacking AS (
        SELECT DISTINCT example_id, regexp_extract(unnest(reasons), '^[A-Z_]+') AS code FROM live WHERE NOT by_review
    )
    SELECT code, count(*) AS examples FROM lacking WHERE code NOT IN ({", ".join(map(text, _SETTLED))})
    GROUP BY code ORDER BY examples DESC, code
"""


@dataclass(frozen=True, slots=True)
class Lift:
    """Reviews in order, and what they come to.

    `examples` that no reviewer rejected are counted; `reached` of them are at the tier now, `after` will be after the reviews, `wanted`
    should be. Where `after` is below `wanted`, these are all reviews that help.
    `reviews` has example_id, type, review (validate, settle, document), similar_to, total, reviewed_total, lifts (how many examples this
    review brings to the tier) and lifted (by it and those before it). `lacks` has code and examples: why even a review does not lift
    those that stay below; empty where the share is reached.
    """

    examples: int
    reached: int
    after: int
    wanted: int
    reviews: pl.DataFrame
    lacks: pl.DataFrame


def lift(db: Store, scores: Sequence[str], tier: Tier, share: float) -> Lift:
    """Return the smallest set of reviews with which `share` of the examples of these objects (digests) are at the tier or above."""
    least = tier.least / 100
    given = {"scores": [db.objects.path(one) for one in scores], "least": least}
    counts = db.analyse(_COUNTS, **given).row(0, named=True)
    examples, reached = counts["examples"], counts["reached"]
    wanted = _at_least(share, examples)
    needed = max(wanted - reached, 0)
    reviews = db.analyse(_REVIEWS, **given, needed=needed)
    lifted = int(reviews["lifts"].sum())
    short = lifted < needed
    lacks = db.analyse(_LACKS, **given) if short else pl.DataFrame(schema={"code": pl.String(), "examples": pl.Int64()})
    return Lift(examples, reached, reached + lifted, wanted, reviews, lacks)


def _at_least(share: float, examples: int) -> int:
    """Return how many examples a share is: the smallest number that is not below it, whatever the share's last digit."""
    return -int(-(share * examples - 1e-6) // 1)
