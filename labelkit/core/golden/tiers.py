"""Tiers of quality and the one rounding of points: hundredths of a point, in which every comparison with a limit is exact.

Each part of a score is rounded once, to hundredths, a half upwards; the total is the sum of the rounded parts. So what people see adds
up, a total never lies between two hundredths, and 89.99 is Silver while 90.00 is Gold: there is nothing in between. `HALF` is a little
more than a half, so that 14.995, which a double cannot hold, goes up whatever the order in which its summands were added.
"""

from __future__ import annotations

import math
from enum import StrEnum

from labelkit.errors import InvalidValue

HALF = 0.500001  # hundredths


class Tier(StrEnum):
    """How good an example is, best first."""

    GOLD = "gold"
    SILVER = "silver"
    BRONZE = "bronze"
    REJECTED = "rejected"

    @property
    def least(self) -> int:
        """Return the lowest total of the tier in hundredths of a point."""
        return LEAST[self]

    @property
    def above(self) -> Tier | None:
        """Return the next better tier, None above Gold."""
        order = list(Tier)
        return None if self is Tier.GOLD else order[order.index(self) - 1]

    @classmethod
    def named(cls, name: str) -> Tier:
        """Return the tier of a name in any case. Raises `INVALID_VALUE`."""
        try:
            return cls(str(name).strip().lower())
        except ValueError as error:
            raise InvalidValue(what="tier", reason=f"there is no tier {name!r}", fix=f"Use one of: {', '.join(Tier)}.") from error


LEAST = {Tier.GOLD: 9000, Tier.SILVER: 7500, Tier.BRONZE: 6000, Tier.REJECTED: 0}


def hundredths(points: float) -> int:
    """Return points as hundredths, a half upwards.

    >>> hundredths(14.995), hundredths(14.99499), hundredths(0.1 + 0.2)
    (1500, 1499, 30)
    """
    return math.floor(points * 100 + HALF)


def tier_of(total: int) -> Tier:
    """Return the tier of a total in hundredths of a point.

    >>> [str(tier_of(total)) for total in (10000, 9000, 8999, 7500, 7499, 6000, 5999, 0)]
    ['gold', 'gold', 'silver', 'silver', 'bronze', 'bronze', 'rejected', 'rejected']
    """
    return next(tier for tier in Tier if total >= tier.least)
