"""A workspace whose datasets are frozen and trained on."""

from __future__ import annotations

import polars as pl

from labelkit import BuildRequest
from labelkit.core.geometry import Box
from labelkit.store.datasets.near_duplicates import HASHES
from tests.services.packs import Pack, add, sha256
from tests.services.worlds import as_user

BOX = Box(10.0, 20.0, 30.0, 40.0)
PLAIN = Pack("m", [("APPROVED", {0: [("player", BOX)]})], frames=3)


class World:
    """A workspace with packs by media, datasets built from some of them, and other people."""

    def __init__(self, ws) -> None:
        self.ws = ws
        self.ids: dict[str, str] = {}
        self.add(*(PLAIN.with_(media=name, split=split) for name, split in [("a", "test"), ("b", "train"), ("c", "val"), ("d", "train")]))
        with ws._database.transaction() as tx:
            tx.workspaces.set_flags("sue", is_developer=False, is_support=True)
        self.support, self.reviewer, self.viewer = as_user(ws, "sue"), as_user(ws, "rob", "reviewer"), as_user(ws, "vic", "viewer")

    def add(self, *packs: Pack) -> None:
        self.ids |= add(self.ws, packs)

    def build(self, name: str, media: str, **more):
        asked = {"capability": "player_detection", "label_pack_ids": [self.ids[one] for one in media.split()], "name": name}
        return self.ws.datasets.build(BuildRequest(**asked | {"split_strategy": "predefined"} | more)).dataset

    def seen_by(self, ws, dataset):
        return ws.datasets.get(dataset.id)


def train(dataset, **more) -> int:
    with dataset.for_training(**more) as data:
        return data.to_polars().height


def workspace(ws, name):
    with ws._database.transaction() as tx:
        return tx.workspaces.create(name, owner="ana")


def near(world, *media: str, bits: int = 3) -> None:
    """Say that the same frames of these media look alike, each `bits` apart from the media before; other pictures have no hashes."""
    looks = [
        (sha256(f"{name}/{frame}"), int(sha256(f"look {frame}")[:16], 16) ^ ((1 << bits * n) - 1), frame << 40)
        for n, name in enumerate(media)
        for frame in range(3)
    ]
    with world.ws._database.transaction() as tx:
        tx.datasets.near_duplicates.add_hashes(pl.DataFrame(looks, schema=HASHES, orient="row"))
