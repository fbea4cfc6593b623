"""The catalogue of refusals: every class is complete, its code is its own, and its facts fill its sentences."""

from __future__ import annotations

import pickle
import re
import string

import pytest

from labelkit import errors

CATALOGUE = errors.catalogue()


def fields(template: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name}


def example(kind: type[errors.LabelkitError]) -> errors.LabelkitError:
    """A refusal of this kind with a number for every fact: numbers fit `{x}`, `{x!r}` and `{x:.1f}` alike."""
    return kind(**dict.fromkeys(fields(kind.template) | fields(kind.advice), 7))


def every_kind() -> list[type[errors.LabelkitError]]:
    found, waiting = [], [errors.LabelkitError]
    while waiting:
        below = waiting.pop().__subclasses__()
        found += below
        waiting += below
    return [kind for kind in found if kind.__module__.startswith("labelkit.")]


def test_no_two_refusals_share_a_code():
    codes = [kind.code for kind in every_kind()]
    assert sorted(codes) == sorted(set(codes))


def test_every_refusal_stands_in_the_one_catalogue():
    assert set(CATALOGUE) == set(every_kind())
    for kind in CATALOGUE:
        assert kind.__module__.startswith("labelkit.errors.")
        assert getattr(errors, kind.__name__) is kind


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.code)
def test_a_refusal_has_a_code_a_title_a_detail_and_a_hint_of_its_own(kind):
    # given
    base = errors.LabelkitError

    # then its words are set in the class itself or a parent below the base, and read as sentences
    assert re.fullmatch(r"[A-Z][A-Z0-9_]+", kind.code)
    assert kind.code != base.code
    assert kind.title not in {"", base.title}
    assert not kind.title.endswith(".")
    assert kind.template != base.template
    assert kind.advice != base.advice
    assert kind.status is None or 400 <= kind.status <= 599


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.code)
def test_a_refusal_survives_a_process_pool_and_says_everything_as_json_values(kind):
    # given
    refusal = example(kind)

    # when
    copy = pickle.loads(pickle.dumps(refusal))

    # then
    assert type(copy) is kind
    assert copy.as_dict() == refusal.as_dict()
    assert refusal.as_dict() == {
        "code": kind.code,
        "title": kind.title,
        "detail": refusal.detail,
        "hint": refusal.hint,
        "status": kind.status,
    }
    assert "{" not in refusal.detail + refusal.hint
