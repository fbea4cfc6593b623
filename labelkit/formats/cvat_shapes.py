"""What one shape of a CVAT file says: where it is, as text, and what is kept in its attributes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from labelkit.formats.labels.attributes import canonical_text, exact_text
from labelkit.formats.labels.rows import RefusedCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.formats.xml_stream import Element

_CORNERS = {"left": "xtl", "top": "ytl", "right": "xbr", "bottom": "ybr"}
_CUBOID = tuple(f"{corner}{face}" for face in (1, 2) for corner in ("tl", "bl", "tr", "br"))
OWN_ID, OWN_SCORE, OWN_SIZE, OWN_ATTRIBUTES, OWN_FLAG = (f"labelkit_{name}" for name in ("id", "score", "size", "attributes", "flag"))
_BUILT_IN = {"z_order": "0", "group_id": "0", "source": "manual"}  # and the value that says nothing


class Place(NamedTuple):
    """Where a shape is: sides, or a list of points, in px as text; `degrees` turn the sides clockwise about their centre."""

    left: str | None = None
    top: str | None = None
    right: str | None = None
    bottom: str | None = None
    width: str | None = None
    height: str | None = None
    points: str | None = None
    degrees: str | None = None
    size: str | None = None


class Shape(NamedTuple):
    """One shape, in a named `image` or at a `frame` of a track; `code` and `detail` where it has no place."""

    line: int
    image: str | None
    subset: str | None
    frame: str | None
    image_width: str | None
    image_height: str | None
    label: str | None
    attributes: str | None
    id: str | None
    score: str | None
    code: str | None
    detail: str | None
    place: Place


def shape_of(element: Element, owner: Element) -> Shape | None:
    """Return what a shape of an `<image>` or `<track>` says, None where a track has left the frame, and for a flag of our own exports."""
    said, track = element.attributes, owner.attributes if owner.tag == "track" else None
    if (track is not None and said.get("outside") == "1") or (element.tag == "tag" and OWN_FLAG in said):
        return None
    label = (said if track is None else track).get("label")
    place, form, detail = _place(element)
    code = RefusedCode.NO_PLACE if detail else None if label else RefusedCode.MALFORMED
    return Shape(
        line=element.line,
        image=owner.attributes.get("name") if track is None else None,
        subset=owner.attributes.get("subset"),
        frame=None if track is None else said.get("frame"),
        image_width=owner.attributes.get("width"),
        image_height=owner.attributes.get("height"),
        label=label,
        attributes=exact_text(said[OWN_ATTRIBUTES]) if OWN_ATTRIBUTES in said else attributes_of(element, track, form),
        id=said.get(OWN_ID) or None,
        score=said.get(OWN_SCORE),
        code=code and str(code),
        detail=detail or (None if label else f"<{element.tag}> has no label"),
        place=place,
    )


def _place(element: Element) -> tuple[Place, dict[str, Any], str | None]:
    """Return where a shape is, what its form adds to the attributes, and why it has no place."""
    said, tag = element.attributes, element.tag
    if tag in _FORMS:
        place, form = _FORMS[tag](element)
        return place, form if not form or tag == "box" else {"shape": tag} | form, None
    whole = f"the tag {said.get('label', '')} is of the whole picture"
    return Place(), {}, whole if tag == "tag" else f"<{tag[:80]}> is no shape that is read"


def _box(element: Element) -> tuple[Place, dict[str, Any]]:
    said = element.attributes
    corners = {side: said.get(name) for side, name in _CORNERS.items()}
    if not _number(said.get("rotation")):
        return Place(**corners), {}
    turned = {"rotation": _number(said["rotation"]), "unturned": [_number(corner) for corner in corners.values()]}
    return Place(**corners, degrees=said["rotation"]), turned


def _mask(element: Element) -> tuple[Place, dict[str, Any]]:
    said, sides = element.attributes, ("left", "top", "width", "height")
    return Place(**{name: said.get(name) for name in sides}), {"rle": said.get("rle", ""), **_numbers(said, sides)}


def _points(element: Element) -> tuple[Place, dict[str, Any]]:
    text = element.attributes.get("points", "")
    return Place(points=text, size=element.attributes.get(OWN_SIZE)), {"points": _pairs(text)} if ";" in text else {}


def _cuboid(element: Element) -> tuple[Place, dict[str, Any]]:
    said = element.attributes
    text = ";".join(f"{said.get(f'x{corner}', '')},{said.get(f'y{corner}', '')}" for corner in _CUBOID)
    return Place(points=text), {"points": _pairs(text)}


def _skeleton(element: Element) -> tuple[Place, dict[str, Any]]:
    parts = [child.attributes for child in element.children if child.tag == "points"]
    return Place(points=";".join(part.get("points", "") for part in parts if part.get("outside") != "1")), {"parts": parts}


def _ellipse(element: Element) -> tuple[Place, dict[str, Any]]:
    """Return the box around an ellipse; where a number is wrong, the place that shows it."""
    said = element.attributes
    kept: dict[str, Any] = _numbers(said, ("cx", "cy", "rx", "ry", "rotation"))
    x, y, across, down = (_number(said.get(name)) for name in ("cx", "cy", "rx", "ry"))
    turn = math.radians(_number(said.get("rotation")) or 0.0)
    if x is None or y is None or across is None or down is None or not math.isfinite(turn):
        wrong = Place(said.get("cx"), said.get("cy"), width=said.get("rx"), height=said.get("ry"), degrees=said.get("rotation"))
        return wrong, kept
    wide = math.hypot(across * math.cos(turn), down * math.sin(turn))
    high = math.hypot(across * math.sin(turn), down * math.cos(turn))
    return Place(left=repr(x - wide), top=repr(y - high), width=repr(2 * wide), height=repr(2 * high)), kept


_FORMS: dict[str, Callable[[Element], tuple[Place, dict[str, Any]]]] = {
    "box": _box,
    "cuboid": _cuboid,
    "ellipse": _ellipse,
    "mask": _mask,
    "points": _points,
    "polygon": _points,
    "polyline": _points,
    "skeleton": _skeleton,
}


def attributes_of(element: Element, track: dict[str, str] | None, form: dict[str, Any]) -> str | None:
    """Return as canonical JSON text its form, the attributes that the label declares, and the built in ones where they say something."""
    said = element.attributes
    kept: dict[str, Any] = form | {child.attributes.get("name", ""): child.text for child in element.children if child.tag == "attribute"}
    for name, nothing in _BUILT_IN.items():
        value = said.get(name) or (track or {}).get(name) or nothing
        if value != nothing:
            kept[name] = _whole(value)
    if said.get("occluded") == "1":
        kept["occluded"] = True
    if track is not None:
        kept["track_id"] = _whole(track.get("id", ""))
        if said.get("keyframe") == "0":
            kept["keyframe"] = False
    return canonical_text(kept) if kept else None


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _numbers(said: dict[str, str], names: tuple[str, ...]) -> dict[str, float | None]:
    return {name: _number(said[name]) for name in names if name in said}


def _pairs(text: str) -> list[list[float | None]]:
    return [[_number(number) for number in pair.split(",")] for pair in text.split(";")]


def _whole(text: str) -> int | str:
    return int(text) if text.removeprefix("-").isdecimal() and len(text) < 16 else text
