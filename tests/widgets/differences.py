"""Pairs of versions that the difference's tests start from: golden examples, revisions of labels, built datasets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

import labelkit
from labelkit import BuildRequest, ReviewOp
from tests.widgets.scenes import PLAYERS, approved

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.core.review.revisions import Revision
    from labelkit.services.datasets import Dataset

NAME = "golden/contact-tier"
NOTES = "The contact answered our mail and asked for a call about prices next week."


def example(number: int, **changed: object) -> dict[str, object]:
    """Return a golden example as a row, `expected_output` and `input` canonical JSON; `tier`, `notes` and `employees` may be others."""
    tier = changed.get("tier", "ABCD"[number % 4])
    given = {
        "company": {"employees": changed.get("employees", 10 * number)},
        "notes": changed.get("notes", NOTES),
        "tags": changed.get("tags", ["eu"]),
    }
    return {
        "example_id": f"ex_{number:032x}",
        "split": "train" if number % 3 else "test",
        "input": json.dumps(given),
        "expected_output": json.dumps({"tier": tier}),
        "score": changed.get("score", 80.0 + number / 10),
    }


def golden(ws: Workspace) -> None:
    """Commit two versions of twelve golden examples: `NAME@v1`, and its head, to which one was added, one is missing and three differ."""
    ws.versions.commit(NAME, [example(number) for number in range(12)], key="example_id", message="first examples")
    ws.versions.tag(NAME, "v1")
    rows = [example(number) for number in range(1, 13)]
    rows[1] = example(2, notes=NOTES.replace("next week", "this month"), employees=44, tags=["eu", "churn"])
    rows[2] = example(3, score=91.5)
    rows[4] = example(5, tier="A", score=85.5)
    ws.versions.commit(NAME, rows, message="second round")


def examples() -> Workspace:
    """Return ana's workspace with the golden examples."""
    ws = labelkit.open(":memory:", workspace="club-a", user="ana")
    golden(ws)
    return ws


def revised(folder: Path) -> tuple[Workspace, Revision, Revision]:
    """Return a workspace with two revisions of clip-1.

    On frame 0 a label moved, one has another class, one is gone and one is new; frame 1 has a flag.
    """
    ws = approved(folder, clips=1)
    draft = ws.review.open("clip-1", PLAYERS)
    labels = draft.frames[0].annotations
    ops = [
        ReviewOp.move(0, labels[0].id, labels[0].geometry.x + 3, labels[0].geometry.y - 4),
        ReviewOp.relabel(0, labels[1].id, "goalkeeper"),
        ReviewOp.delete(0, labels[2].id),
        ReviewOp.add_box(0, "ball", 100, 100, 8, 8),
        ReviewOp.flag(1, "needs_human_review"),
    ]
    draft = ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    after = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="checked").revision
    before = next(one for one in ws.review.history("clip-1", PLAYERS) if one.number == after.number - 1)
    return ws, before, after


def rebuilt(folder: Path) -> tuple[Workspace, Dataset, Dataset]:
    """Return a workspace with two versions of a dataset: the second one has the later revision of `revised`."""
    ws, _, after = revised(folder)
    packs = ws.datasets.candidates(PLAYERS)["pack_id"].to_list()
    request = BuildRequest(capability=PLAYERS, label_pack_ids=packs, name="players", ratios={"train": 1.0})
    first = ws.datasets.build(request).dataset
    ws.review.set_eligibility(after.id, "APPROVED", expected_version=1)
    return ws, first, ws.datasets.build(request).dataset


def many(rows: int) -> Workspace:
    """Return a workspace with the versions `many@v1` and `many`, in which every row has another score and every third another text."""
    ws = labelkit.open(":memory:", workspace="club-a", user="ana")
    number = pl.int_range(rows, dtype=pl.Int64())
    keys = pl.format("row-{}", number.cast(pl.String()).str.zfill(7))
    before = pl.select(id=keys, score=number / 4, text=pl.format("text of row {}", number))
    ws.versions.commit("many", before, key="id")
    ws.versions.tag("many", "v1")
    third = pl.int_range(pl.len()) % 3 == 0
    ws.versions.commit(
        "many", before.with_columns(pl.col("score") + 1, pl.when(third).then(pl.col("text") + " again").otherwise("text").alias("text"))
    )
    return ws
