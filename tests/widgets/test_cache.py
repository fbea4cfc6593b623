"""The cache of the sample viewer: quick for a minute, then true again."""

from __future__ import annotations

import pytest

from labelkit.widgets.cache import TimedCache


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize(("after_s", "made"), [(0.0, 1), (59.9, 1), (60.0, 2), (3600.0, 2)])
def test_a_value_is_made_again_when_its_time_is_over(after_s: float, made: int) -> None:
    # given
    clock, calls = Clock(), []
    cache: TimedCache[str, int] = TimedCache(60.0, 10, clock)
    cache.get("a", lambda: calls.append(1) or 1)
    # when
    clock.now_s = after_s
    fresh = "a" in cache
    cache.get("a", lambda: calls.append(2) or 2)
    # then
    assert len(calls) == made
    assert fresh is (made == 1)


def test_the_value_made_first_goes_when_there_are_too_many() -> None:
    # given
    cache: TimedCache[int, int] = TimedCache(60.0, 3, Clock())
    # when
    for number in (1, 2, 3, 1, 4):
        cache.get(number, lambda number=number: number)
    # then
    assert [number in cache for number in (1, 2, 3, 4)] == [False, True, True, True]


def test_what_could_not_be_made_is_tried_again() -> None:
    # given
    cache: TimedCache[str, float] = TimedCache(60.0, 3, Clock())
    # when
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 / 0)
    # then
    assert "a" not in cache
    assert cache.get("a", lambda: 0.5) == 0.5
