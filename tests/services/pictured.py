"""Datasets whose frames have pictures: folders of noise as media, packs with boxes on them, and what a materialization left."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from labelkit import BuildRequest
from labelkit.core.geometry import Box
from tests.services.packs import Pack, add

if TYPE_CHECKING:
    from labelkit import Workspace
    from labelkit.services.datasets import Dataset

SIZE = (64, 48)
# One box inside, one that touches parts of pixels and reaches over the edge of the frame.
BOXES = [("player", Box(10.0, 20.0, 16.0, 8.0)), ("ball", Box(60.25, -2.0, 10.0, 9.5))]


def draw(folder: Path, names: list[str], *, seed: int = 0, size: tuple[int, int] = SIZE) -> Path:
    """Write pictures of noise; the suffix says the format."""
    noise = np.random.default_rng(seed)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(folder / name)
    return folder


def pack(ws: Workspace, source: Path, media: str, frames: int, *, labels: dict | None = None, capability: str = "player_detection") -> str:
    """Add a folder or video as a media, with an approved pack whose every frame has `BOXES` unless told, and return the pack's id."""
    ws.media.add(source, name=media)
    chosen = dict.fromkeys(range(frames), BOXES) if labels is None else labels
    return add(ws, [Pack(media, [("APPROVED", chosen)], frames=frames, capability=capability)])[media]


def dataset(ws: Workspace, root: Path, media: int = 2, frames: int = 4, *, size: tuple[int, int] = SIZE) -> Dataset:
    """Build a dataset of that many media below `root`, each with that many PNG frames."""
    names = [f"{index:06}.png" for index in range(frames)]
    packs = [pack(ws, draw(root / f"match-{n}", names, seed=n, size=size), f"match-{n}", frames) for n in range(media)]
    return built(ws, packs)


def built(ws: Workspace, packs: list[str], **more: object) -> Dataset:
    return ws.datasets.build(request(packs, **more)).dataset


def request(packs: list[str], **more: object) -> BuildRequest:
    return BuildRequest(**{"capability": "player_detection", "label_pack_ids": packs, "name": "players", "ratios": {"train": 1.0}} | more)


def files(folder: Path) -> dict[str, bytes]:
    """The materialized files by path; hidden ones, which are the manifests and what must not be left, apart."""
    return {name: data for name, data in everything(folder).items() if not name.startswith(".")}


def everything(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def manifest(folder: Path, shard: int = 0) -> list[dict[str, object]]:
    """The rows of a shard's manifest."""
    kept = json.loads(Path(folder, ".labelkit", f"shard-{shard:06}.json").read_text(encoding="utf-8"))
    return [dict(zip(kept["columns"], row, strict=True)) for row in kept["rows"]]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def source(root: Path, key: str) -> Path:
    """The picture that a sample comes from."""
    _, media, index = key.split("/")
    return root / media / f"{index}.png"


def replace(file: Path, data: bytes) -> None:
    """Put other bytes in a file's place, never into a frame that it may be a link to."""
    file.unlink()
    file.write_bytes(data)
