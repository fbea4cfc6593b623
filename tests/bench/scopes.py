"""Scopes to review, made from a seed: frames of one colour, and boxes that a model could have proposed."""

from __future__ import annotations

import io
import os
from random import Random
from typing import TYPE_CHECKING

from PIL import Image

from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation, FrameContent, FrameState

if TYPE_CHECKING:
    from pathlib import Path

    import labelkit

CAPABILITY = "player_detection"
CLASSES = ("player", "goalkeeper", "referee", "ball")
WIDTH, HEIGHT = 1280, 720
BOXES = 24  # on a frame, as in a match


def grey_frames(folder: Path, count: int) -> Path:
    """Return `folder`, which then holds that many grey JPEG frames of 1280 x 720 px; all are one file on the disk."""
    folder.mkdir(parents=True)
    out = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (90, 90, 90)).save(out, "JPEG")
    first = folder / "00000.jpg"
    first.write_bytes(out.getvalue())
    for number in range(1, count):
        os.link(first, folder / f"{number:05}.jpg")
    return folder


def boxes(random: Random, count: int = BOXES) -> list[Box]:
    """Return boxes of a player's size, wholly inside the frame, in rows, so that none is another's duplicate."""
    columns = 12
    rows = -(-count // columns)
    width, height = WIDTH / columns, HEIGHT / rows
    return [
        Box.at(
            n % columns * width + random.uniform(1, width / 3),
            n // columns * height + random.uniform(1, height / 3),
            random.uniform(width / 3, width / 2),
            random.uniform(height / 3, height / 2),
        )
        for n in range(count)
    ]


def frame_content(random: Random, index: int, count: int = BOXES) -> FrameContent:
    """Return the labels of one edited frame."""
    shapes = boxes(random, count)
    labels = tuple(Annotation(f"ann_{random.getrandbits(80):020x}", random.choice(CLASSES), shape) for shape in shapes)
    return FrameContent(index, labels, (), FrameState.EDITED)


def yolo_labels(folder: Path, frames: int, seed: int, count: int = BOXES) -> Path:
    """Return `folder`, which then holds YOLO text with scores for every frame of `grey_frames`."""
    folder.mkdir(parents=True)
    random = Random(seed)
    for index in range(frames):
        lines = [
            f"{random.randrange(len(CLASSES))} {(b.x + b.width / 2) / WIDTH:.7f} {(b.y + b.height / 2) / HEIGHT:.7f} "
            f"{b.width / WIDTH:.7f} {b.height / HEIGHT:.7f} {random.uniform(0.3, 1):.3f}\n"
            for b in boxes(random, count)
        ]
        (folder / f"{index:05}.txt").write_text("".join(lines), encoding="ascii")
    return folder


def proposed_scope(ws: labelkit.Workspace, folder: Path, frames: int, seed: int) -> str:
    """Bring in media "match" of that many frames with a model's boxes on them; returns the id of the prelabel run."""
    ws.media.add(grey_frames(folder / "frames", frames), name="match")
    labels = yolo_labels(folder / "labels", frames, seed)
    return ws.prelabels.import_("yolo", labels, media="match", capability=CAPABILITY, classes=CLASSES, model="bench", model_version="1").id
