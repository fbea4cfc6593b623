"""Draws golden examples of contact tiers: contacts as a sales team meets them, the tier that an expert gives, and why."""

from __future__ import annotations

from itertools import product
from random import Random

from labelkit.errors import InvalidValue

_SENIORITY = {"C-Level": 3, "VP": 3, "Director": 2, "Manager": 1, "Individual Contributor": 0}
_DEPARTMENTS = {"Sales": 2, "Marketing": 2, "Engineering": 1, "Finance": 1, "Human Resources": 0}
_SIZES = {"1-50": 0, "51-500": 1, "501-5000": 2, "5000+": 2}
_INDUSTRIES = ("Software", "Manufacturing", "Retail", "Healthcare")
_TIERS = ((6, "A"), (4, "B"), (2, "C"), (0, "D"))
_TITLES = {
    "C-Level": "Chief {} Officer",
    "VP": "VP {}",
    "Director": "Director of {}",
    "Manager": "{} Manager",
    "Individual Contributor": "{} Specialist",
}


def contact_tiers(count: int = 24, *, seed: int = 7) -> list[dict[str, object]]:
    """Return `count` different examples of the type `contact_tier`, each with input, expected_output, labels and source_decision_id.

    The same seed gives the same examples. Raises `InvalidValue` for more than there are, or none.

    >>> contact_tiers(1)[0]["expected_output"]["tier"] in "ABCD"
    True
    """
    contacts = list(product(_SENIORITY, _DEPARTMENTS, _SIZES, _INDUSTRIES))
    if not 1 <= count <= len(contacts):
        raise InvalidValue(what=f"count={count}", reason=f"there are {len(contacts)} contacts to draw", fix="Ask for one of them or more.")
    random = Random(f"{seed}/contact_tier")
    return [_example(number, contact, random) for number, contact in enumerate(random.sample(contacts, count))]


def _example(number: int, contact: tuple[str, str, str, str], random: Random) -> dict[str, object]:
    seniority, department, size, industry = contact
    points = _SENIORITY[seniority] + _DEPARTMENTS[department] + _SIZES[size]
    tier = next(name for least, name in _TIERS if points >= least)
    near = points in {least - 1 for least, _ in _TIERS} | {least for least, _ in _TIERS[:-1]}
    confidence = round(random.uniform(0.62, 0.8) if near else random.uniform(0.86, 0.99), 2)
    reasoning = f"{seniority} in {department} of a company of {size} people: {'close to the next tier' if near else 'a clear case'}."
    labels = {
        "confidence": confidence,
        "difficulty": "hard" if near else "easy",
        "edge_case": near,
        "clear_indicators": [seniority, department],
    }
    return {
        "input": {
            "title": _TITLES[seniority].format(department),
            "seniority": seniority,
            "department": department,
            "company_size": size,
            "industry": industry,
        },
        "expected_output": {"tier": tier, "confidence": confidence, "reasoning": reasoning},
        "labels": labels,
        "source_decision_id": f"decision-{number + 1:04}",
    }
