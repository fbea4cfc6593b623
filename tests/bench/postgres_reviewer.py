"""One reviewer on PostgreSQL, run by the peers' interpreter, without labelkit: `DSN prepare FILE...` or `DSN review BEGIN SECONDS PACE N`.

A save runs what the store runs: who acts, the draft, its media, whether the save is known, the version check, and four inserts.
"""

import hashlib
import json
import random
import sys
import time
from pathlib import Path

import psycopg

FRAMES, BOXES = 500, 24
COLUMNS = "frame_index INTEGER, position INTEGER, id TEXT, label TEXT, x FLOAT8, y FLOAT8, width FLOAT8, height FLOAT8, source TEXT"


def prepare(dsn: str, files: list[str]) -> None:
    """Make the tables, a workspace and eight drafts."""
    with psycopg.connect(dsn) as con:
        con.execute("CREATE TABLE schema_migrations (number INTEGER, name TEXT, applied_at TIMESTAMP)")
        for file in files:
            statements = Path(file).read_text().replace("CREATE TABLE schema_migrations", "CREATE TABLE IF NOT EXISTS schema_migrations")
            con.execute(statements)
        con.execute("INSERT INTO users VALUES ('bench', true, false)")
        con.execute("INSERT INTO members (workspace_id, user_name, role) VALUES ('w', 'bench', 'owner')")
        con.execute("INSERT INTO media VALUES ('m', 'w', 'match', 'images', '/', 'match', 'unknown', 500, 'o', now(), 'bench')")
        for number in range(64):
            con.execute(
                "INSERT INTO drafts VALUES (%(d)s, %(d)s, 'w', 'm', 'c', 1, 'manual', NULL, 1, 2, now(), now(), 'bench')",
                {"d": f"drf_{number}"},
            )


def save(con: psycopg.Connection, draft: str, version: int, frame: int, labels: str) -> None:
    """Save one frame at a version, durably."""
    names = {"draft": draft, "version": version, "frame": frame, "id": f"{draft}-{version}", "labels": labels}
    with con.transaction():
        con.execute("SELECT is_developer, is_support FROM users WHERE user_name = 'bench'").fetchall()
        con.execute("SELECT workspace_id, role FROM members WHERE user_name = 'bench' AND role IS NOT NULL").fetchall()
        con.execute("SELECT * FROM drafts WHERE id = %(draft)s", names).fetchall()
        con.execute("SELECT version FROM draft_saves WHERE save_id = %(id)s", names).fetchall()
        con.execute("SELECT * FROM media WHERE workspace_id = 'w' AND (name = 'm' OR id = 'm')").fetchall()
        moved = con.execute(
            "UPDATE drafts SET version = version + 1, updated_at = now() WHERE id = %(draft)s AND version = %(version)s RETURNING id", names
        ).fetchall()
        if len(moved) != 1:
            raise RuntimeError(f"{draft} is not at version {version}")
        con.execute(
            "INSERT INTO draft_saves (save_id, draft_id, version, actor, saved_at)"
            " VALUES (%(id)s, %(draft)s, %(version)s + 1, 'bench', now())",
            names,
        )
        con.execute(
            "INSERT INTO draft_frames (draft_id, epoch, version, frame_index, state, flags, digest)"
            " VALUES (%(draft)s, 1, %(version)s + 1, %(frame)s, 'edited', '[]', %(digest)s)",
            names | {"digest": hashlib.sha256(labels.encode()).hexdigest()},
        )
        con.execute(
            "INSERT INTO draft_annotations (draft_id, epoch, version, frame_index, position, id, label, x, y, width, height, source)"
            f" SELECT %(draft)s, 1, %(version)s + 1, r.* FROM json_to_recordset(%(labels)s::json) AS r({COLUMNS})",
            names,
        )
        con.execute(
            "INSERT INTO audit (id, recorded_at, workspace_id, actor, action, code, allowed, subject, facts)"
            " VALUES (%(id)s, now(), 'w', 'bench', 'edit', 'DRAFT_SAVED', true, %(draft)s, '{}')",
            names,
        )


def review(dsn: str, begin: float, seconds: float, pace_s: float, number: int) -> None:
    """Save from the moment `begin` on for some seconds and print the seconds of each save."""
    chance, draft, spent, version = random.Random(number), f"drf_{number}", [], 1
    with psycopg.connect(dsn, autocommit=True) as con:
        due = begin + pace_s * chance.random()
        while time.time() < begin + seconds:
            time.sleep(max(0.0, due - time.time()))
            frame = chance.randrange(FRAMES)
            labels = json.dumps([_box(chance, frame, position) for position in range(BOXES)])
            started = time.perf_counter()
            save(con, draft, version, frame, labels)
            spent.append(time.perf_counter() - started)
            version += 1
            due = max(due + pace_s, begin)
    print(json.dumps(spent))


def _box(chance: random.Random, frame: int, position: int) -> dict[str, object]:
    numbers = {name: round(chance.uniform(1, 600), 4) for name in ("x", "y", "width", "height")}
    return {
        "frame_index": frame,
        "position": position,
        "id": f"ann_{chance.getrandbits(80):020x}",
        "label": "player",
        "source": "human",
        **numbers,
    }


if __name__ == "__main__":
    if sys.argv[2] == "prepare":
        prepare(sys.argv[1], sys.argv[3:])
    else:
        review(sys.argv[1], *(float(value) for value in sys.argv[3:6]), int(sys.argv[6]))
