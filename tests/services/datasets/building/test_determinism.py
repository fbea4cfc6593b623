"""The same inputs have the same hashes in every store: the literals below hold on every machine, and for ever."""

from __future__ import annotations

import pytest

import labelkit
from labelkit import BuildRequest
from labelkit.core.geometry import Box
from labelkit.core.review.annotations import FrameFlag
from labelkit.store.engine import PROCESS
from tests.services.packs import Pack, add

MANIFEST = "9cd14f9d5db1dd133ee2cc683c9bd3bf116793d72cbe166ca1bbe48d6e986687"
CONTENT = "f3cbe8272f99a3e75b7797adb1e8515b99cc9fd76ca432325425860152c8cc23"


def packs() -> list[Pack]:
    """Forty packs of 300 frames, odd names, flags, broken frames and coordinates that are no short decimals among them."""
    made = []
    for number in range(40):
        labels = {
            index: [("player", Box.at(1 + (number * 7 + index) / 3, 2 + index / 7, 10.1, 20.2)), ("ball", Box.at(3, 4, 5, 6 + number / 9))]
            for index in range(0, 300, 2 + number % 3)
        }
        odd = {7: 'clip é "7"', 8: "clip/8", 9: "clip/8/0"}
        made.append(
            Pack(
                odd.get(number, f"clip-{number}"),
                [("APPROVED", labels)],
                frames=300,
                group=f"match-{number // 3}",
                broken=[number + 1] if number % 5 == 0 else (),
                flags={5: FrameFlag.BAD_FRAME} if number % 2 else {},
                camera="broadcast" if number % 4 else "tactical",
            )
        )
    return [pack.with_(revisions=[("APPROVED", {i: b for i, b in pack.revisions[0][1].items() if i not in pack.broken})]) for pack in made]


@pytest.mark.parametrize(
    ("case", "backwards", "threads", "batch"),
    [
        ("one thread", False, 1, 600_000),
        ("two threads", False, 2, 600_000),
        ("packs made in the other order, so that their ids sort the other way", True, 2, 600_000),
        ("small batches", True, 1, 1_000),
    ],
)
def test_equal_inputs_have_equal_hashes(monkeypatch, case, backwards, threads, batch):
    # given a fresh store
    monkeypatch.setattr("labelkit.store.datasets.samples.BATCH_ROWS", batch)
    with PROCESS.cursor() as cursor:
        cursor.execute(f"SET threads = {threads}")
    try:
        with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
            ids = add(ws, packs()[::-1] if backwards else packs())

            # when
            made = ws.datasets.build(
                BuildRequest(capability="player_detection", label_pack_ids=sorted(ids.values()), name="players", seed=3, force=backwards)
            ).dataset

            # then
            hashes = {verdict.pack.media: verdict.revision.content_hash for verdict in made.lineage.included}
            assert (made.sample_count, len(made._tree.chunks)) == (40 * 300 - 8, 7), case
            assert hashes["clip-0"] == CONTENT, case
            assert made.manifest_hash == MANIFEST, case
    finally:
        with PROCESS.cursor() as cursor:
            cursor.execute("RESET threads")
