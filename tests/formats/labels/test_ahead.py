"""Reading beside working: the same parts in the same order, made elsewhere, and what goes wrong is raised where it is asked for."""

from __future__ import annotations

import threading

import pytest

from labelkit.formats.labels.ahead import ahead


def test_parts_come_in_their_order_made_by_another_thread():
    # given
    makers = set()

    def parts():
        for number in range(20):
            makers.add(threading.current_thread())
            yield number

    # when / then
    assert list(ahead(parts())) == list(range(20))
    assert threading.current_thread() not in makers


def test_no_more_than_one_part_is_made_before_it_is_asked_for():
    # given
    made = []
    taken = ahead(made.append(number) or number for number in range(20))

    # when
    found = [next(taken), next(taken)]
    taken.close()

    # then
    assert found == [0, 1]
    assert made in ([0, 1], [0, 1, 2])


def test_what_making_a_part_raises_comes_after_the_parts_before_it():
    # given
    def parts():
        yield 1
        raise ValueError("broken")

    taken = ahead(parts())

    # when / then
    assert next(taken) == 1
    with pytest.raises(ValueError, match="broken"):
        next(taken)


def test_no_thread_is_left_when_nobody_takes_the_rest():
    # given
    taken = ahead(iter(range(20)))
    next(taken)

    # when
    taken.close()

    # then
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("labelkit-read")]
