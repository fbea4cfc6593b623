"""The drawn match as numbers: a camera above the touch line, people who run and a ball that is passed. No pixels here.

World coordinates are metres: x along the pitch from its centre (goals at -52.5 and 52.5), y from the near touch line (0) to the far one
(68), z upward. The picture plane is a still panorama, wider than a frame; a frame is the part of it that the pan shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

HALF_LENGTH_M, WIDTH_M = 52.5, 68.0
FRAMES_PER_SECOND = 8.0
PASS_SPEED_M_S = 13.0
HOLD_S = 0.6


class Side(StrEnum):
    """Whose colours a figure wears."""

    HOME = "home"
    AWAY = "away"
    HOME_KEEPER = "home keeper"
    AWAY_KEEPER = "away keeper"
    REFEREE = "referee"


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera beside the pitch at `x_m`; pixels are of the panorama, `focal_px` wide per metre at one metre."""

    x_m: float
    focal_px: float
    centre_px: tuple[float, float]
    away_m: float = 38.0
    height_m: float = 20.0
    tilt: float = math.radians(18)

    def depth(self, y: float, z: float = 0.0) -> float:
        """Return the distance in m along the view of what stands at `y` and `z`."""
        return (y + self.away_m) * math.cos(self.tilt) + (self.height_m - z) * math.sin(self.tilt)

    def scale(self, y: float) -> float:
        """Return px per metre for what stands on the ground at `y`."""
        return self.focal_px / self.depth(y)

    def project(self, x: float, y: float, z: float = 0.0) -> tuple[float, float]:
        """Return the panorama px of a world point."""
        up = (y + self.away_m) * math.sin(self.tilt) - (self.height_m - z) * math.cos(self.tilt)
        scale = self.focal_px / self.depth(y, z)
        return self.centre_px[0] + (x - self.x_m) * scale, self.centre_px[1] - up * scale


@dataclass(frozen=True, slots=True)
class Person:
    """One figure at one instant: where it stands, how it runs (`stride` in radians, `heading` -1 to 1) and its constant looks."""

    side: Side
    number: int
    x: float
    y: float
    stride: float
    speed: float
    heading: float
    skin: int


@dataclass(frozen=True, slots=True)
class Instant:
    """Everything that moves, at one frame."""

    people: tuple[Person, ...]
    ball: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Runner:
    side: Side
    number: int
    home: tuple[float, float]
    phases: tuple[float, float, float]
    reach: float
    skin: int

    def at(self, t: float, flow: float) -> tuple[float, float]:
        """Return the place at `t` s; a sum of slow waves keeps speed and direction smooth and below about 6 m/s."""
        a, b, c = self.phases
        x = self.home[0] + self.reach * (math.sin(0.7 * t + a) + 0.35 * math.sin(1.9 * t + b)) + flow * t
        y = self.home[1] + self.reach * (0.8 * math.cos(0.6 * t + b) + 0.3 * math.sin(1.7 * t + c))
        return min(max(x, -HALF_LENGTH_M + 0.5), HALF_LENGTH_M - 0.5), min(max(y, 1.5), WIDTH_M + 0.9)


def _cast(random: Random, centre_m: float) -> list[_Runner]:
    def runner(side: Side, number: int, x: float, y: float, reach: float, jitter: float = 3.5) -> _Runner:
        home = (x + random.uniform(-jitter, jitter), y + random.uniform(-jitter, jitter))
        phases = (random.uniform(0, math.tau), random.uniform(0, math.tau), random.uniform(0, math.tau))
        return _Runner(side, number, home, phases, reach, random.randrange(4))

    people = []
    for side, ahead in ((Side.HOME, 1.0), (Side.AWAY, -1.0)):
        lines = ((-15.0, (9, 25, 43, 59)), (-3.0, (15, 34, 53)), (9.0, (14, 33, 55)))
        places = [(x, y) for x, row in lines for y in row]
        people += [runner(side, n, centre_m + ahead * x - ahead, y, 2.6) for n, (x, y) in enumerate(places, start=2)]
    people.append(runner(Side.HOME_KEEPER, 1, -HALF_LENGTH_M + 4, WIDTH_M / 2, 0.9, jitter=1))
    people.append(runner(Side.AWAY_KEEPER, 1, HALF_LENGTH_M - 4, WIDTH_M / 2, 0.9, jitter=1))
    people.append(runner(Side.REFEREE, 0, centre_m + 1, WIDTH_M / 2 - 6, 2.4))
    people.append(runner(Side.REFEREE, 0, centre_m - 8, WIDTH_M + 0.8, 0.8, jitter=0.1))
    return people


def _carriers(random: Random, tracks: list[list[tuple[float, float]]]) -> list[tuple[int, int, int]]:
    """Return (runner, first frame held, last frame held) in order; the frames between two rows are a pass."""
    side = random.randrange(2) * 10
    carrier = side + random.choice((4, 5, 6))
    rows, frame, end = [], 0, len(tracks[0]) - 1
    while frame <= end:
        until = frame + max(1, round(HOLD_S * FRAMES_PER_SECOND * random.uniform(0.7, 1.6)))
        rows.append((carrier, frame, until))
        here = tracks[carrier][min(until, end)]
        mates = [mate for mate in range(side, side + 10) if mate != carrier]
        mates.sort(key=lambda mate: math.dist(here, tracks[mate][min(until, end)]))
        carrier = random.choice(mates[1:4])
        distance = math.dist(here, tracks[carrier][min(until, end)])
        frame = until + max(2, round(distance / PASS_SPEED_M_S * FRAMES_PER_SECOND))
    return [*rows, (carrier, frame, frame)]


def _ball(random: Random, tracks: list[list[tuple[float, float]]], frames: int) -> list[tuple[float, float, float]]:
    rows = _carriers(random, tracks)
    path: list[tuple[float, float, float]] = []
    for (carrier, first, last), (receiver, received, _) in zip(rows, [*rows[1:], rows[-1]], strict=True):
        for frame in range(first, min(last + 1, frames)):
            x, y = tracks[carrier][frame]
            path.append((x + 0.75, y - 0.25, 0.0))
        loft = random.choice((0.0, 0.0, 1.4, 2.6))
        x0, y0 = tracks[carrier][min(last, frames - 1)]
        x1, y1 = tracks[receiver][min(received, frames - 1)]
        for frame in range(last + 1, min(received, frames)):
            s = (frame - last) / (received - last)
            path.append((x0 + (x1 - x0) * s + 0.75, y0 + (y1 - y0) * s - 0.25, 4 * loft * s * (1 - s)))
    return path[:frames]


def play(random: Random, *, frames: int, centre_m: float) -> list[Instant]:
    """Return `frames` instants of a passage of play around `centre_m`, an eighth of a second apart, decided by `random` alone."""
    cast = _cast(random, centre_m)
    flow = random.choice((-1, 1)) * random.uniform(0.3, 0.9)
    moving = [0.0 if person.side in {Side.HOME_KEEPER, Side.AWAY_KEEPER} else flow for person in cast]
    times = [frame / FRAMES_PER_SECOND for frame in range(frames)]
    tracks = [[person.at(t, speed) for t in times] for person, speed in zip(cast, moving, strict=True)]
    ball = _ball(random, tracks, frames)
    strides = [random.uniform(0, math.tau) for _ in cast]
    instants = []
    for frame in range(frames):
        people = []
        for index, person in enumerate(cast):
            x, y = tracks[index][frame]
            before = tracks[index][frame - 1] if frame else person.at(-1 / FRAMES_PER_SECOND, moving[index])
            step = math.dist(before, (x, y))
            strides[index] += step * 2.4
            heading = (x - before[0]) / step if step else 0.0
            people.append(Person(person.side, person.number, x, y, strides[index], step * FRAMES_PER_SECOND, heading, person.skin))
        instants.append(Instant(tuple(people), ball[frame]))
    return instants


def pan(camera: Camera, instants: list[Instant], *, width_px: int, panorama_px: int, steps_per_px: int) -> list[float]:
    """Return each frame's left edge in the panorama: the ball in the middle, as a calm operator would hold it."""
    xs = [camera.project(instant.ball[0], instant.ball[1])[0] for instant in instants]
    reach = round(FRAMES_PER_SECOND * 1.5)
    lefts = []
    for frame in range(len(xs)):
        around = xs[max(0, frame - reach) : frame + reach + 1]
        left = sum(around) / len(around) - width_px / 2
        lefts.append(round(min(max(left, 0.0), panorama_px - width_px) * steps_per_px) / steps_per_px)
    return lefts
