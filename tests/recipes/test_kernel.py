"""What is said of a kernel that is no more."""

from __future__ import annotations

import pytest

from labelkit.recipes.kernel import Death


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(None, "it does not answer", id="it never came, or hangs"),
        pytest.param(0, "its process ended with the exit code 0", id="it ended itself"),
        pytest.param(-9, "it was killed (SIGKILL), as a machine or a container does with what takes too much memory", id="out of memory"),
        pytest.param(-6, "it was ended by the signal SIGABRT", id="a library gave up"),
        pytest.param(-99, "it was ended by the signal 99", id="a signal without a name"),
    ],
)
def test_a_death_says_how_the_process_ended(status, words):
    death = Death()
    death.status = status
    assert str(death) == words
