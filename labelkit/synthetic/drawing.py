"""The drawn match as pixels: a still panorama of pitch and stand, and figures on top, each with the exact box of what was drawn.

Everything is drawn `FINE` times larger and reduced, which smooths the edges; boxes are measured on the primitives, not on pixels.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from labelkit.core.geometry import Box, Point
from labelkit.synthetic.scene import HALF_LENGTH_M, WIDTH_M, Camera, Instant, Person, Side

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

FINE = 2
FIGURE_M = 2.3  # people and ball are drawn larger than life, to be seen in a small picture
BALL_M = 0.52

Colour = tuple[int, int, int]
GRASS: tuple[Colour, Colour] = ((58, 134, 64), (49, 120, 57))
AROUND: Colour = (44, 106, 52)
LINE: Colour = (236, 243, 236)
BOARDS: tuple[Colour, ...] = ((23, 37, 84), (13, 110, 120), (120, 28, 52), (36, 44, 56))
WORDS = ("LABEL", "REVIEW", "PUBLISH", "APPROVE", "BUILD")
CROWD: tuple[Colour, ...] = ((198, 84, 80), (214, 214, 220), (92, 110, 150), (70, 74, 90), (226, 190, 120), (150, 60, 70), (110, 116, 128))
SKIN: tuple[Colour, ...] = ((241, 204, 170), (222, 172, 128), (160, 110, 76), (104, 70, 50))
HAIR: tuple[Colour, ...] = ((92, 62, 36), (44, 32, 26), (30, 24, 22), (24, 20, 18))
CLASS: dict[Side, str] = {
    Side.HOME: "player",
    Side.AWAY: "player",
    Side.HOME_KEEPER: "goalkeeper",
    Side.AWAY_KEEPER: "goalkeeper",
    Side.REFEREE: "referee",
}
KIT: dict[Side, tuple[Colour, Colour, Colour]] = {  # shirt, shorts, socks
    Side.HOME: ((206, 38, 54), (245, 245, 245), (206, 38, 54)),
    Side.AWAY: ((240, 244, 250), (30, 52, 110), (240, 244, 250)),
    Side.HOME_KEEPER: ((250, 196, 40), (60, 60, 60), (250, 196, 40)),
    Side.AWAY_KEEPER: ((140, 80, 190), (70, 40, 100), (140, 80, 190)),
    Side.REFEREE: ((70, 196, 226), (28, 30, 36), (28, 30, 36)),
}


def shade(colour: Colour, factor: float) -> Colour:
    """Return the colour made darker (`factor` below 1) or lighter."""
    red, green, blue = (min(255, round(part * factor)) for part in colour)
    return red, green, blue


class Pen:
    """Draws in frame px on a picture `FINE` times larger, and remembers the extent of what it drew since `lift`."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image, "RGBA")
        self.lift()

    def lift(self) -> None:
        """Forget the extent."""
        self._left = self._top = math.inf
        self._right = self._bottom = -math.inf

    @property
    def extent(self) -> Box:
        """Return the box around everything drawn since `lift`, in frame px, not clamped."""
        return Box.at(self._left, self._top, self._right - self._left, self._bottom - self._top)

    def _grow(self, left: float, top: float, right: float, bottom: float) -> None:
        self._left, self._top = min(self._left, left), min(self._top, top)
        self._right, self._bottom = max(self._right, right), max(self._bottom, bottom)

    def limb(self, a: tuple[float, float], b: tuple[float, float], width: float, colour: Colour) -> None:
        """Draw a line with round ends."""
        self._draw.line([a[0] * FINE, a[1] * FINE, b[0] * FINE, b[1] * FINE], fill=colour, width=max(1, round(width * FINE)))
        for x, y in (a, b):
            self.disc(x, y, width / 2, colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour, flat: float = 1.0) -> None:
        """Draw a disc, squeezed in height by `flat`."""
        self._grow(x - radius, y - radius * flat, x + radius, y + radius * flat)
        self._draw.ellipse([(x - radius) * FINE, (y - radius * flat) * FINE, (x + radius) * FINE, (y + radius * flat) * FINE], fill=colour)

    def area(self, points: Iterable[tuple[float, float]], colour: Colour) -> None:
        """Draw a filled polygon."""
        corners = list(points)
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        self._grow(min(xs), min(ys), max(xs), max(ys))
        self._draw.polygon([(x * FINE, y * FINE) for x, y in corners], fill=colour)

    def shadow(self, x: float, y: float, across: float, down: float) -> None:
        """Draw a soft ellipse on the ground; it belongs to no extent."""
        for grow, alpha in ((1.25, 26), (1.0, 38)):
            w, h = across * grow, down * grow
            self._draw.ellipse([(x - w) * FINE, (y - h) * FINE, (x + w) * FINE, (y + h) * FINE], fill=(6, 24, 8, alpha))


def figure(pen: Pen, camera: Camera, person: Person, left: float) -> Box:
    """Draw one person and return the exact box, in px of the frame whose left edge is `left`."""
    x, foot = camera.project(person.x, person.y)
    h = camera.scale(person.y) * FIGURE_M
    x -= left
    shirt, shorts, socks = KIT[person.side]
    run = min(person.speed / 4.0, 1.0)
    lean = person.heading * run * 0.05 * h
    hip, neck = (x + lean * 0.4, foot - 0.46 * h), (x + lean, foot - 0.80 * h)
    pen.shadow(x + 0.10 * h, foot, 0.24 * h, 0.055 * h)
    pen.lift()
    for side, phase in ((-1, person.stride + math.pi), (1, person.stride)):
        swing = math.sin(phase) * run * (0.25 + 0.75 * abs(person.heading))
        lift = max(0.0, math.cos(phase)) * run * 0.09 * h
        top = (hip[0] + side * 0.045 * h, hip[1])
        knee = (top[0] + swing * 0.10 * h + side * 0.012 * h, foot - 0.235 * h - lift * 0.6)
        ankle = (knee[0] + (swing - 0.5 * abs(swing) * math.copysign(1, person.heading)) * 0.10 * h, foot - 0.030 * h - lift)
        pen.limb(top, knee, 0.070 * h, SKIN[person.skin])
        pen.limb(knee, ankle, 0.062 * h, shade(socks, 0.92))
        pen.limb(ankle, (ankle[0] + 0.05 * h * math.copysign(1, person.heading), ankle[1] + 0.008 * h), 0.045 * h, (24, 24, 28))
        pen.limb(top, (top[0] * 0.45 + knee[0] * 0.55, top[1] * 0.45 + knee[1] * 0.55), 0.105 * h, shade(shorts, 0.9 if side < 0 else 1.0))
        shoulder = (neck[0] + side * 0.085 * h, neck[1] + 0.035 * h)
        elbow = (shoulder[0] + side * 0.055 * h - swing * 0.05 * h, shoulder[1] + 0.13 * h)
        hand = (elbow[0] - swing * 0.09 * h + person.heading * run * 0.03 * h, elbow[1] + 0.10 * h - run * 0.05 * h)
        pen.limb(elbow, hand, 0.040 * h, SKIN[person.skin])
        pen.limb(shoulder, elbow, 0.058 * h, shade(shirt, 0.88))
    pen.area(
        [
            (hip[0] - 0.085 * h, hip[1]),
            (hip[0] + 0.085 * h, hip[1]),
            (hip[0] + 0.08 * h, hip[1] + 0.05 * h),
            (hip[0] - 0.08 * h, hip[1] + 0.05 * h),
        ],
        shorts,
    )
    torso = [
        (neck[0] - 0.10 * h, neck[1] + 0.01 * h),
        (neck[0] + 0.10 * h, neck[1] + 0.01 * h),
        (hip[0] + 0.082 * h, hip[1]),
        (hip[0] - 0.082 * h, hip[1]),
    ]
    pen.area(torso, shirt)
    pen.area([(neck[0] + 0.03 * h, neck[1] + 0.01 * h), torso[1], torso[2], (hip[0] + 0.03 * h, hip[1])], shade(shirt, 0.86))
    head = (neck[0] + lean * 0.3, foot - 0.90 * h)
    pen.limb(neck, head, 0.05 * h, SKIN[person.skin])
    pen.disc(head[0], head[1] - 0.012 * h, 0.068 * h, HAIR[person.skin])
    pen.disc(head[0] + person.heading * 0.016 * h, head[1] + 0.012 * h, 0.055 * h, SKIN[person.skin])
    return pen.extent


def ball(pen: Pen, camera: Camera, place: tuple[float, float, float], left: float) -> Point:
    """Draw the ball and return its centre and diameter, in px of the frame whose left edge is `left`."""
    x, y, z = place
    size = camera.scale(y) * BALL_M
    ground = camera.project(x, y)
    centre = camera.project(x, y, z + BALL_M / 2)
    pen.shadow(ground[0] - left + 0.25 * size, ground[1], 0.55 * size, 0.22 * size)
    cx, cy = centre[0] - left, centre[1]
    pen.disc(cx, cy, size / 2, (150, 156, 160))
    pen.disc(cx - 0.03 * size, cy - 0.03 * size, size * 0.44, (252, 252, 252))
    pen.disc(cx, cy, size * 0.15, (40, 44, 52))
    return Point.at(cx, cy, size)


def instant(pen: Pen, camera: Camera, now: Instant, left: float) -> tuple[list[tuple[str, Box]], Point]:
    """Draw everything that moves, far things first; return (class, exact box) of each, the ball's last, and the ball's centre and size."""
    drawn = [(CLASS[person.side], figure(pen, camera, person, left)) for person in sorted(now.people, key=lambda person: -person.y)]
    mark = ball(pen, camera, now.ball, left)
    diameter = mark.size or 0.0
    return [*drawn, ("ball", Box.at(mark.x - diameter / 2, mark.y - diameter / 2, diameter, diameter))], mark


def _stand(pen: Pen, camera: Camera, width: float, random: Random) -> None:
    edge = camera.project(0, WIDTH_M + 3.2)[1]
    pen.area([(0, 0), (width, 0), (width, edge), (0, edge)], (46, 50, 62))
    rows, pitch = 0, 7.2
    while rows * pitch < edge + pitch:
        y = edge - 22 - rows * pitch
        for seat in range(int(width / 6.4) + 2):
            if random.random() < 0.86:
                colour = shade(random.choice(CROWD), random.uniform(0.55, 0.85))
                x = seat * 6.4 + (rows % 2) * 3.2
                pen.area([(x - 2.6, y + 6.5), (x - 2.0, y + 2.2), (x + 2.0, y + 2.2), (x + 2.6, y + 6.5)], colour)
                pen.disc(x, y, 1.9, shade(random.choice(SKIN), 0.78))
        rows += 1
    for aisle in range(5):
        x = width * (aisle + 0.5) / 5
        pen.area([(x - 5, 0), (x + 5, 0), (x + 9, edge), (x - 9, edge)], (78, 84, 98))


def _boards(pen: Pen, image: Image.Image, camera: Camera) -> None:
    text = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=13 * FINE)
    board_m, index = 9.0, 0
    x = -72.0
    while x < 72.0:
        (left, low), (right, high) = camera.project(x, WIDTH_M + 3.2), camera.project(x + board_m - 0.15, WIDTH_M + 3.2, 1.5)
        colour = BOARDS[index % len(BOARDS)]
        pen.area([(left, low), (right, low), (right, high), (left, high)], colour)
        middle = ((left + right) / 2 * FINE, (low + high) / 2 * FINE)
        text.text(middle, WORDS[index % len(WORDS)], fill=shade(LINE, 0.95), font=font, anchor="mm")
        x, index = x + board_m, index + 1


def _ground(pen: Pen, camera: Camera, points: Iterable[tuple[float, float]], colour: Colour) -> None:
    pen.area([camera.project(x, y) for x, y in points], colour)


def _line(pen: Pen, camera: Camera, points: list[tuple[float, float]], width_m: float = 0.22) -> None:
    """Draw a painted line along world points, as wide as perspective makes it."""
    for (x0, y0), (x1, y1) in pairwise(points):
        length = math.dist((x0, y0), (x1, y1))
        across, along = -(y1 - y0) / length * width_m / 2, (x1 - x0) / length * width_m / 2
        _ground(
            pen, camera, [(x0 + across, y0 + along), (x1 + across, y1 + along), (x1 - across, y1 - along), (x0 - across, y0 - along)], LINE
        )


def _arc(centre: tuple[float, float], radius: float, start: float, end: float) -> list[tuple[float, float]]:
    steps = max(8, round(abs(end - start) / 0.06))
    angles = [start + (end - start) * step / steps for step in range(steps + 1)]
    return [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles]


def _markings(pen: Pen, camera: Camera) -> None:
    mid = WIDTH_M / 2
    _line(pen, camera, [(-HALF_LENGTH_M, 0), (HALF_LENGTH_M, 0), (HALF_LENGTH_M, WIDTH_M), (-HALF_LENGTH_M, WIDTH_M), (-HALF_LENGTH_M, 0)])
    _line(pen, camera, [(0, 0), (0, WIDTH_M)])
    _line(pen, camera, _arc((0, mid), 9.15, 0, math.tau))
    _ground(pen, camera, _arc((0, mid), 0.35, 0, math.tau), LINE)
    for end in (-1, 1):
        goal = end * HALF_LENGTH_M
        for deep, half in ((16.5, 20.16), (5.5, 9.16)):
            inner = goal - end * deep
            _line(pen, camera, [(goal, mid - half), (inner, mid - half), (inner, mid + half), (goal, mid + half)])
        spot = (goal - end * 11, mid)
        _ground(pen, camera, _arc(spot, 0.2, 0, math.tau), LINE)
        reach = math.acos(5.5 / 9.15)
        base = math.pi if end > 0 else 0.0
        _line(pen, camera, _arc(spot, 9.15, base - reach, base + reach))
        for corner, start in ((0.0, 0.0), (WIDTH_M, -math.pi / 2)):
            turn = math.pi / 2 if end > 0 else 0.0
            _line(
                pen,
                camera,
                _arc((goal, corner), 1.0, start + (turn if corner == 0 else -turn), start + math.pi / 2 + (turn if corner == 0 else -turn)),
            )


def _goals(pen: Pen, camera: Camera) -> None:
    mid, high = WIDTH_M / 2, 2.9
    for end in (-1, 1):
        front, back = end * HALF_LENGTH_M, end * (HALF_LENGTH_M + 2.2)
        posts = [(front, mid - 3.66), (front, mid + 3.66)]
        for step in range(13):
            y = mid - 3.66 + 7.32 * step / 12
            pen.limb(camera.project(back, y), camera.project(front + end * 0.8, y, high), 0.6, (206, 214, 210))
        for step in range(5):
            z = high * step / 4
            x = back + (front + end * 0.8 - back) * step / 4
            pen.limb(camera.project(x, mid - 3.66, z), camera.project(x, mid + 3.66, z), 0.6, (206, 214, 210))
        for x, y in posts:
            pen.limb(camera.project(x, y), camera.project(x, y, high), 2.2, (250, 250, 250))
        pen.limb(camera.project(front, mid - 3.66, high), camera.project(front, mid + 3.66, high), 2.2, (250, 250, 250))


def panorama(camera: Camera, width: int, height: int, random: Random) -> Image.Image:
    """Return the still background, `FINE` times `width` x `height` px: stand, boards, striped pitch, lines, goals, shade."""
    image = Image.new("RGB", (width * FINE, height * FINE), AROUND)
    pen = Pen(image)
    _stand(pen, camera, width, random)
    _boards(pen, image, camera)
    stripes = 20
    for stripe in range(stripes):
        left = -HALF_LENGTH_M + 2 * HALF_LENGTH_M * stripe / stripes
        right = left + 2 * HALF_LENGTH_M / stripes
        _ground(pen, camera, [(left, 0), (right, 0), (right, WIDTH_M), (left, WIDTH_M)], GRASS[stripe % 2])
    _markings(pen, camera)
    shade_m = 47.0  # the stand's shadow falls on the far side, as on a late afternoon
    overlay = ImageDraw.Draw(image, "RGBA")
    corners = [camera.project(x, y) for x, y in ((-90, shade_m), (90, shade_m + 5), (90, WIDTH_M + 3.2), (-90, WIDTH_M + 3.2))]
    overlay.polygon([(x * FINE, y * FINE) for x, y in corners], fill=(8, 26, 40, 58))
    _goals(pen, camera)
    return image
