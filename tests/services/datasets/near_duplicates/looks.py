"""Media whose frames look alike where a test says so, with an approved pack each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from PIL import Image

from labelkit import BuildRequest
from labelkit.core.geometry import Box
from labelkit.store.datasets.near_duplicate_rows import HASHES
from tests.media.helpers import encoded, picture
from tests.services.packs import CAPABILITY, Pack, add, sha256

if TYPE_CHECKING:
    from labelkit.workspace import Workspace

BOX = Box(1.0, 2.0, 3.0, 4.0)
LABELS = [("APPROVED", {0: [("player", BOX)]})]
LOOKS = {"red": 0x0F0F_F0F0_1234_5678, "blue": 0xFFFF_0000_FFFF_0000, "green": 0x00FF_00FF_1111_2222, "grey": 0x3333_CCCC_5A5A_A5A5}


def soft(seed: int) -> Image.Image:
    return picture(20, 12, seed).resize((320, 180), Image.Resampling.BICUBIC)


def folder_of(path, *seeds: int, quality: int = 90):
    """A folder of pictures, one a seed: the same seed looks the same whatever the quality."""
    path.mkdir()
    for index, seed in enumerate(seeds):
        (path / f"{index:03}.jpg").write_bytes(encoded(soft(seed), "JPEG", quality=quality))
    return path


def filmed(ws: Workspace, tmp_path, **clips: tuple[int, ...]) -> dict[str, str]:
    """Media with pictures and an approved pack each; quality falls from one to the next, so that no two files are equal."""
    for number, (name, seeds) in enumerate(clips.items()):
        ws.media.add(folder_of(tmp_path / name, *seeds, quality=95 - 10 * number), name=name)
    return add(ws, [Pack(name, LABELS, frames=len(seeds)) for name, seeds in clips.items()])


def looking(ws: Workspace, **clips: str) -> dict[str, str]:
    """Media without files whose frames have these looks (words of `LOOKS`), and an approved pack each."""
    packs = [Pack(name, LABELS, frames=len(looks.split())) for name, looks in clips.items()]
    rows = [
        (sha256(f"{name}/{index}"), LOOKS[look] ^ len(name), LOOKS[look] ^ index)
        for name, looks in clips.items()
        for index, look in enumerate(looks.split())
    ]
    with ws._database.transaction() as tx:
        tx.datasets.near_duplicates.add_hashes(pl.DataFrame(rows, schema=HASHES, orient="row"))
    return add(ws, packs)


def request(ids, **more) -> BuildRequest:
    return BuildRequest(**{"capability": CAPABILITY, "label_pack_ids": list(ids), "name": "players"} | more)


def pairs(rows: pl.DataFrame) -> list[tuple[str, str]]:
    return sorted(rows.select("media_a", "media_b").rows())


def codes(preflight) -> list[tuple[str, bool]]:
    return [(issue.code, issue.blocking) for issue in preflight.issues]


def splits_of(ws: Workspace, ids, **more) -> dict[str, str]:
    rows = ws.datasets.build(request(ids, **more)).dataset.to_polars()
    return dict(rows.select("group_key", "split").unique().rows())
