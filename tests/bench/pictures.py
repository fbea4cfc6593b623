"""A store with a dataset of 20,000 pictures on disk, made from a seed: what materialization is measured on."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

import labelkit
from labelkit import BuildRequest
from labelkit.core.geometry import Box
from tests.bench.peers import cached
from tests.bench.stores import USER
from tests.services import packs

if TYPE_CHECKING:
    from labelkit import Workspace

SEED = 20_240_609
SIZE = (640, 360)
DRAWN = 16  # pictures that are drawn; the others have their pixels and bytes of their own behind them
MEDIA_FRAMES = 1_000
QUALITY = 60
NAME, FEW = "pictures", "few-pictures"
FEW_MEDIA = 2


def store_of(pictures: int) -> Path:
    """Return the file of a store with a dataset of that many JPEG files; made once and kept in the benchmarks' cache."""
    schema = b"".join(file.read_bytes() for file in sorted(Path(labelkit.__file__).parent.glob("store/migrations/*.sql")))
    key = hashlib.sha256(schema + f"{SEED} {pictures} {SIZE} {DRAWN} {QUALITY} {FEW_MEDIA}".encode()).hexdigest()[:12]
    folder = cached(f"pictures-{key}")
    done = folder / "complete"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        with labelkit.open(_made(folder) / "labels.duckdb", workspace="club-a", user=USER) as ws:
            _fill(ws, folder, pictures)
        done.touch()
    return folder / "labels.duckdb"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _fill(ws: Workspace, folder: Path, pictures: int) -> None:
    drawn = _drawn()
    media = []
    for first in range(0, pictures, MEDIA_FRAMES):
        frames = min(MEDIA_FRAMES, pictures - first)
        name = f"match-{first // MEDIA_FRAMES:03}"
        (folder / "media" / name).mkdir(parents=True)
        for index in range(frames):
            data = drawn[index % DRAWN] + f"{name}/{index}".encode()  # after the end of the picture, so that no two files are equal
            (folder / "media" / name / f"{index:06}.jpg").write_bytes(data)
        ws.media.add(folder / "media" / name, name=name)
        labels = {index: [("player", Box(20.0 + 7 * n, 40.0 + 5 * n, 40.0, 90.0)) for n in range(3)] for index in range(frames)}
        media.append(packs.Pack(name, [("APPROVED", labels)], frames=frames))
    ids = packs.add(ws, media)
    for name, some in ((NAME, [*ids.values()]), (FEW, [*ids.values()][:FEW_MEDIA])):
        ws.datasets.build(BuildRequest(capability=packs.CAPABILITY, label_pack_ids=some, name=name, force=True))


def _drawn() -> list[bytes]:
    """Return JPEG files of about 20 kB: soft noise, which compresses about as a grass pitch does."""
    noise, found = np.random.default_rng(SEED), []
    for _ in range(DRAWN):
        coarse = Image.fromarray(noise.integers(0, 256, (SIZE[1] // 8, SIZE[0] // 8, 3), dtype=np.uint8))
        out = io.BytesIO()
        coarse.resize(SIZE, Image.Resampling.BICUBIC).save(out, "JPEG", quality=QUALITY)
        found.append(out.getvalue())
    return found
