"""Draws a small football match: frames, exact labels and a noisy model. The same seed gives the same bytes on the same machine.

>>> import tempfile
>>> match = match(tempfile.mkdtemp(), frames=6, width=320, height=180, clips=2)
>>> [clip.name for clip in match.clips], match.truth("clip-1", 0).ball.kind
(['clip-1', 'clip-2'], 'point')
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from labelkit.errors import InvalidValue
from labelkit.synthetic.model import guess

if TYPE_CHECKING:
    from labelkit.core.geometry import Box, Point

CLASSES = ("ball", "goalkeeper", "player", "referee")
LEAST_VISIBLE = 0.3  # of a figure's box; what the frame cuts off further is not labelled


@dataclass(frozen=True, slots=True)
class TrueLabel:
    """One figure or the ball, as it was drawn: class and box in px, cut at the frame's edge."""

    label: str
    box: Box


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything true of one frame: its file, the boxes (far ones first, the ball last) and the ball's centre and diameter in px."""

    file: Path
    labels: tuple[TrueLabel, ...]
    ball: Point


@dataclass(frozen=True, slots=True)
class Clip:
    """One passage of play: a folder of frames in name order; `name` is its group key."""

    name: str
    folder: Path
    frames: tuple[Truth, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A drawn match: `clips` with their frames and truth; sizes in px."""

    folder: Path
    width: int
    height: int
    seed: int
    clips: tuple[Clip, ...]
    classes: tuple[str, ...] = CLASSES

    def __len__(self) -> int:
        """Return the number of frames of all clips."""
        return sum(len(clip.frames) for clip in self.clips)

    def truth(self, clip: str, index: int) -> Truth:
        """Return what is true of one frame of a clip, both as named and counted here."""
        return next(each for each in self.clips if each.name == clip).frames[index]

    def write_yolo(self, folder: str | Path, *, scores: bool = True, noise: float = 1.0, seed: int | None = None) -> Path:
        """Return `folder`, which then holds `<clip>/<frame>.txt` for every frame, and classes.txt.

        With `noise` 0 the labels are the truth. With 1 they are a passable model's: boxes tremble, some people and many balls are missed,
        a few things are taken for people, referees and players are mixed up now and then; `scores` adds its confidence as a sixth column.
        """
        target = Path(folder)
        random = Random(self.seed if seed is None else seed)
        for clip in self.clips:
            (target / clip.name).mkdir(parents=True, exist_ok=True)
            for truth in clip.frames:
                pairs = [(true.label, true.box) for true in truth.labels]
                guesses = guess(random, pairs, width=self.width, height=self.height, noise=noise)
                lines = [self._yolo(label, box, score if scores else None) for label, box, score in guesses]
                (target / clip.name / f"{truth.file.stem}.txt").write_text("".join(lines), encoding="ascii", newline="\n")
        (target / "classes.txt").write_text("".join(f"{name}\n" for name in self.classes), encoding="ascii", newline="\n")
        return target

    def _yolo(self, label: str, box: Box, score: float | None) -> str:
        centre = ((box.x + box.width / 2) / self.width, (box.y + box.height / 2) / self.height)
        numbers = [*centre, box.width / self.width, box.height / self.height]
        row = [str(self.classes.index(label)), *(f"{number:.7f}" for number in numbers)]
        return " ".join(row if score is None else [*row, f"{score:.3f}"]) + "\n"


def match(folder: str | Path, *, frames: int = 48, width: int = 960, height: int = 540, seed: int = 7, clips: int = 3) -> Match:
    """Return the match drawn from `seed` into `folder`/images/clip-1 and so on: `frames` in all, shared among the clips.

    Frames are JPEG files of `width` x `height` px. Raises `InvalidValue` where a number is too small to draw.
    """
    for what, value, least in (("clips", clips, 1), ("frames", frames, clips), ("width", width, 64), ("height", height, 36)):
        if value < least:
            raise InvalidValue(what=f"{what}={value}", reason=f"a match needs at least {least}", fix=f"Ask for {what}={least} or more.")
    target = Path(folder)
    share = [frames // clips + (number < frames % clips) for number in range(clips)]
    return Match(
        target, width, height, seed, tuple(_draw_clip(target, number, share[number], width, height, seed) for number in range(clips))
    )


def _draw_clip(folder: Path, number: int, frames: int, width: int, height: int, seed: int) -> Clip:
    from labelkit.synthetic import drawing, scene

    name = f"clip-{number + 1}"
    random = Random(f"{seed}/{name}")
    target = folder / "images" / name
    target.mkdir(parents=True, exist_ok=True)
    for stale in target.glob(f"{name}_*.jpg"):
        stale.unlink()
    centre = (1.5, -25.0, 26.0)[number % 3] + random.uniform(-2, 2)
    panorama_px = round(width * 1.4)
    camera = scene.Camera(x_m=centre, focal_px=1346 * height / 540, centre_px=(panorama_px / 2, height * 0.53))
    instants = scene.play(random, frames=frames, centre_m=centre)
    lefts = scene.pan(camera, instants, width_px=width, panorama_px=panorama_px, steps_per_px=drawing.FINE)
    background = drawing.panorama(camera, panorama_px, height, random)
    truths = []
    for index, (instant, left) in enumerate(zip(instants, lefts, strict=True)):
        file = target / f"{name}_{index:03d}.jpg"
        edge = round(left * drawing.FINE)
        image = background.crop((edge, 0, edge + width * drawing.FINE, height * drawing.FINE))
        drawn, ball = drawing.instant(drawing.Pen(image), camera, instant, left)
        image.reduce(drawing.FINE).save(file, quality=88)
        labels = [TrueLabel(label, cut) for label, box in drawn if (cut := _visible(box, width, height))]
        truths.append(Truth(file, tuple(labels), ball))
    return Clip(name, target, tuple(truths))


def _visible(box: Box, width: int, height: int) -> Box | None:
    """Return the part of the box inside the frame, None where too little of it is left to be labelled."""
    cut = box.clamp(width, height)
    return None if cut.too_small() or cut.width * cut.height < LEAST_VISIBLE * box.width * box.height else cut
