"""Two processes do the same thing at the same moment: one does it, the other one finds it done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import labelkit
from labelkit import ReviewOp
from tests.services.worlds import PLAYERS, add_media
from tests.store.processes import finish, start

if TYPE_CHECKING:
    from pathlib import Path

PUBLISHER = """
import json, sys
import labelkit
from labelkit import LabelkitError

with labelkit.open(sys.argv[1], user=sys.argv[2], deadline_s=60) as ws:
    print("ready", flush=True)
    for line in sys.stdin:
        draft, version = json.loads(line)
        try:
            out = ws.review.publish(draft, expected_version=version)
            print(json.dumps([out.code, out.revision.id, out.revision.number]), flush=True)
        except LabelkitError as refusal:
            print(json.dumps([refusal.code, None, None]), flush=True)
"""

OPENER = """
import sys
import labelkit
with labelkit.open(sys.argv[1], user=sys.argv[2], deadline_s=60) as ws:
    print("ready", flush=True)
    for line in sys.stdin:
        print(ws.review.open(line.strip(), "player_detection").id, flush=True)
"""


def at_once(code: str, path: Path, users: list[str], asked: list[str]) -> list[list[str]]:
    """Ask one process a user the same things, each time all at once, and return what they answered, a row a question."""
    running = [start(code, path, user) for user in users]
    try:
        for process in running:
            assert process.stdout.readline() == "ready\n"
        answers = []
        for question in asked:
            for process in running:
                process.stdin.write(question + "\n")
                process.stdin.flush()
            answers.append([process.stdout.readline().strip() for process in running])
        for process in running:
            finish(process)
    finally:
        for process in running:
            process.kill()
            process.communicate(timeout=60)
    return answers


@pytest.mark.timeout(300)
def test_of_two_processes_that_publish_one_draft_at_once_one_succeeds(tmp_path):
    # given ten scopes with a draft that is ready
    path, users = tmp_path / "labels.duckdb", ["rita", "rob"]
    with labelkit.open(path, user="ana") as ws:
        for user in users:
            ws.set_role(user, "reviewer")
        drafts = []
        for number in range(10):
            add_media(ws, f"match-{number}", 2)
            draft = ws.review.open(f"match-{number}", PLAYERS)
            ops = [ReviewOp.add_box(0, "ball", 1, 2, 30, 40), ReviewOp.accept(0), ReviewOp.accept(1)]
            drafts.append(ws.review.apply(draft.id, base_version=1, ops=ops))

    # when both publish each of them at the same moment
    asked = [json.dumps([draft.id, draft.version]) for draft in drafts]
    answers = [[json.loads(line) for line in row] for row in at_once(PUBLISHER, path, users, asked)]

    # then one revision came of each
    for row in answers:
        codes = sorted(code for code, _, _ in row)
        assert codes in (["NO_OP_ALREADY_PUBLISHED", "PUBLISH_SUCCESS"], ["PUBLISH_LOCK_CONFLICT", "PUBLISH_SUCCESS"])
        assert len({revision for _, revision, _ in row if revision is not None}) == 1
    with labelkit.open(path, user="ana") as ws:
        for draft in drafts:
            assert [row.number for row in ws.review.history(draft.media, PLAYERS)] == [1]
            assert len(ws.review.packs(draft.media, PLAYERS)) == 1
        assert ws.check() == []


@pytest.mark.timeout(300)
def test_processes_that_open_one_scope_at_once_get_one_draft(tmp_path):
    # given
    path, users = tmp_path / "labels.duckdb", ["abe", "bea", "cem"]
    names = [f"match-{number}" for number in range(8)]
    with labelkit.open(path, user="ana") as ws:
        for user in users:
            ws.set_role(user, "annotator")
        for name in names:
            add_media(ws, name, 2)

    # when
    answers = at_once(OPENER, path, users, names)

    # then
    assert [len(set(row)) for row in answers] == [1] * len(names)
    with labelkit.open(path, user="ana") as ws:
        assert ws.review.drafts().height == len(names)
        assert ws.audit()["code"].to_list().count("DRAFT_CREATED") == len(names)
