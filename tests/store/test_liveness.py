"""Whether a process lives is known on its own host, whoever got its number since."""

from __future__ import annotations

import json

import pytest

from labelkit.store.liveness import holder, is_gone
from tests.store.processes import finish, start

ASK = "from labelkit.store.liveness import holder; print(holder(), flush=True); import sys; sys.stdin.readline()"


def test_this_process_is_alive():
    assert not is_gone(holder())


@pytest.mark.parametrize("how", ["kill", "wait"])
def test_another_process_is_alive_until_it_ends(how):
    # given a process that has told its name
    process = start(ASK)
    name = process.stdout.readline()
    assert not is_gone(name)

    # when it is killed, or ends by itself; before and after somebody asks how it ended
    if how == "kill":
        process.kill()
        process.communicate(timeout=30)
    else:
        finish(process)

    # then
    assert is_gone(name)


@pytest.mark.parametrize(
    ("case", "change", "gone"),
    [
        ("another process has its number now", {"started": "1"}, True),
        ("it is of another host, boot or container", {"place": "elsewhere", "pid": 1}, False),
    ],
)
def test_a_number_alone_is_no_process(case, change, gone):
    assert is_gone(json.dumps(json.loads(holder()) | change)) == gone, case
