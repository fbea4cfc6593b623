"""What becomes of each row of decisions: its one place, the reason in words, and the sum that must add up."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Place(StrEnum):
    """Where a row of the source ends; every row ends in exactly one place."""

    NEW = "new"
    CHANGED = "changed"
    PRESENT = "present"
    DUPLICATE = "duplicate"
    FILTERED = "filtered"
    REFUSED = "refused"

    @property
    def sentence(self) -> str:
        """Say what the place means."""
        return _SENTENCES[self]


_SENTENCES = {
    Place.NEW: "a decision that was not seen before",
    Place.CHANGED: "a decision that was taken before says something else now; both stay examples of it",
    Place.PRESENT: "an example with this content is there already",
    Place.DUPLICATE: "an earlier row of the source has the same content",
    Place.FILTERED: "a filter leaves it out",
    Place.REFUSED: "it cannot become an example, for the reason that stands beside it",
}
KEPT = (Place.NEW, Place.CHANGED)


class Reason(StrEnum):
    """Why a row was refused."""

    MISSING_VALUE = "MISSING_VALUE"
    WRONG_TYPE = "WRONG_TYPE"
    NOT_IN_MAP = "NOT_IN_MAP"
    NOT_EXACT = "NOT_EXACT"
    NO_DECISION_ID = "NO_DECISION_ID"
    SCHEMA = "SCHEMA"
    CONFLICTING_DECISION = "CONFLICTING_DECISION"
    BELOW_THRESHOLD = "BELOW_THRESHOLD"

    @property
    def sentence(self) -> str:
        """Say what is wrong, as a template of column, target and value."""
        return _REASONS[self]


_REASONS = {
    Reason.MISSING_VALUE: "{column} has no value, and {target} needs one",
    Reason.WRONG_TYPE: "{column} is {value}, which is not what {target} takes",
    Reason.NOT_IN_MAP: "the value map of {target} does not know {value}",
    Reason.NOT_EXACT: "{column} is {value}, which JSON cannot say exactly",
    Reason.NO_DECISION_ID: "{column} is empty, so nobody could find the decision again",
    Reason.SCHEMA: "the type does not take {target}: {value}",
    Reason.CONFLICTING_DECISION: "the decision stands in several rows with different content; which one holds is not guessed",
    Reason.BELOW_THRESHOLD: "its score is {value}, below the threshold",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows were read and where they ended; `filters` and `reasons` part the filtered and the refused ones."""

    read: int
    places: Mapping[Place, int]
    filters: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    tiers: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sums = (sum(self.places.values()), sum(self.filters.values()), sum(self.reasons.values()))
        wanted = (self.read, self.count(Place.FILTERED), self.count(Place.REFUSED))
        if sums != wanted:
            raise ValueError(f"rows do not add up: {sums} and {wanted}")

    def count(self, *places: Place) -> int:
        """Return how many rows ended in these places."""
        return sum(self.places.get(place, 0) for place in places)

    @property
    def kept(self) -> int:
        """Return how many rows became examples: new and changed."""
        return self.count(*KEPT)

    def as_json(self) -> dict[str, object]:
        """Return the counts as plain JSON values."""
        places = {str(place): self.count(place) for place in Place}
        return {"read": self.read, **places, "filters": dict(self.filters), "reasons": dict(self.reasons), "tiers": dict(self.tiers)}

    @classmethod
    def of_json(cls, told: Mapping[str, object]) -> Tally:
        """Return what `as_json` gave."""
        counts: dict[str, int] = {str(place): _number(told[str(place)]) for place in Place}
        parts = {name: {str(key): _number(count) for key, count in _items(told[name])} for name in ("filters", "reasons", "tiers")}
        return cls(_number(told["read"]), {place: counts[place] for place in Place if counts[place]}, **parts)


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no count")
    return value


def _items(value: object) -> list[tuple[object, object]]:
    return list(value.items()) if isinstance(value, dict) else []
