"""The regions of a Label Studio answer: what form each has, its numbers in percent, its label, and what is kept in its attributes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from labelkit.formats.labels.attributes import canonical_text
from labelkit.formats.labels.names import text_of
from labelkit.formats.labels.rows import RefusedCode
from labelkit.formats.labelstudio_tasks import is_own, picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelkit.formats.labelstudio_tasks import Answer, Json

OWN = "labelkit"  # in `meta` of a region: the attributes for which Label Studio has no place
FLAGS = "flags"  # the control of our own exports that says what is wrong with a picture
_RECTANGLE = ("x", "y", "width", "height")
_FORMS = {  # a form, how its value is known, and the numbers that it needs
    "video": ("sequence", ()),
    "polygon": ("points", ()),
    "ellipse": ("radiusX", ("x", "y", "radiusX", "radiusY")),
    "rectangle": ("height", _RECTANGLE),
    "point": ("x", ("x", "y")),
}


class Region(NamedTuple):
    """One region; numbers are percent of the picture, `rotation` degrees; `code` and `detail` where it is refused.

    `radius_x` and `radius_y` are an ellipse's, `points` (x, y, x, y, …) a polygon's; `frame` counts from 1 in a video.
    """

    image: str | None = None
    frame: int | None = None
    original_width: float | None = None
    original_height: float | None = None
    label: str | None = None
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    radius_x: float | None = None
    radius_y: float | None = None
    rotation: float | None = None
    points: list[float] | None = None
    score: float | None = None
    attributes: str | None = None
    id: str | None = None
    size: float | None = None
    code: str | None = None
    detail: str | None = None


class _WrongError(Exception):
    """A region that is refused: the code and the reason."""

    def __init__(self, code: RefusedCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def regions(record: Json, answer: Answer, frame_count: int) -> Iterator[Region]:
    """Yield the regions of an answer: results of one id are one region, which those with a place give its place.

    A region of a video is one a frame, up to `frame_count` of them.
    """
    groups: dict[str, list[Json]] = {}
    own = is_own(record)
    for number, result in enumerate(answer.results, 1):
        if own and result.get("type") == "choices" and result.get("from_name") == FLAGS:
            continue
        groups.setdefault(name if isinstance(name := result.get("id"), str) else f"{number}", []).append(result)
    for name, group in groups.items():
        main = next((result for result in group if _form(_value(result)) is not None), group[0])
        at = Region(image=picture(record, main.get("to_name")), id=name if own and main.get("id") == name else None)
        region = text_of(f"task {record.get('id', '')}, region {name}")
        if answer.refused is not None:
            yield at._replace(code=str(RefusedCode.NOT_CHOSEN), detail=f"{region}: {text_of(answer.refused)}")
            continue
        try:
            yield from _read(at, main, group, answer, frame_count)
        except _WrongError as wrong:
            yield at._replace(code=str(wrong.code), detail=f"{region}: {text_of(str(wrong))}")


def _read(at: Region, main: Json, group: list[Json], answer: Answer, frame_count: int) -> Iterator[Region]:
    value = _value(main)
    form = _form(value)
    if form is None:
        said = str(main.get("type") or next(iter(value), "it"))
        reason = "a mask without a box" if "rle" in value else "it is not in one place of the picture"
        raise _WrongError(RefusedCode.NO_PLACE, f"{said}: {reason}")
    labels = next((names for result in group if (names := _labels(_value(result)))), [])
    if not labels:
        raise _WrongError(RefusedCode.MALFORMED, "it has no label")
    score = next((s for result in group for s in (result.get("score"), _value(result).get("score")) if s is not None), answer.score)
    region = at._replace(
        label=labels[0],
        score=None if score is None else _number(score, "score"),
        original_width=_size(main.get("original_width")),
        original_height=_size(main.get("original_height")),
    )
    kept = _kept(main, group, labels)
    if form == "video":
        yield from _of_video(region, value, kept, frame_count)
        return
    numbers = {name: _number(value.get(name), name) for name in _FORMS[form][1]}
    turn = _number(value.get("rotation") or 0, "rotation") if form in {"rectangle", "ellipse"} else 0.0
    if turn or form in {"ellipse", "polygon"}:
        kept |= {"shape": form, "value": {key: one for key, one in value.items() if not key.endswith("labels")}}
    yield region._replace(
        x=numbers.get("x"),
        y=numbers.get("y"),
        width=numbers.get("width"),
        height=numbers.get("height"),
        radius_x=numbers.get("radiusX"),
        radius_y=numbers.get("radiusY"),
        rotation=turn or None,
        size=_point_size(value) if form == "point" and at.id else None,
        points=_points(value) if form == "polygon" else None,
        attributes=_text(kept),
    )


def _of_video(region: Region, value: Json, kept: Json, frame_count: int) -> Iterator[Region]:
    """Yield a region at its keyframes and, evenly moved, at the frames between; one that is switched off is not there until the next."""
    keys = [key for key in value["sequence"] if isinstance(key, dict)] if isinstance(value["sequence"], list) else []
    found = sorted(
        ((int(_number(key.get("frame"), "frame")), [_number(key.get(n), n) for n in _RECTANGLE], key) for key in keys), key=_first
    )
    if not found:
        raise _WrongError(RefusedCode.MALFORMED, "its sequence has no keyframes")
    own, between = _text(kept), _text(kept | {"keyframe": False})
    for number, (frame, box, key) in enumerate(found):
        turn = _number(key.get("rotation") or 0, "rotation") or None
        end, to = found[number + 1][:2] if number + 1 < len(found) else (frame_count + 1, box)
        yield _at(region, frame, box, turn)._replace(attributes=own)
        for step in range(frame + 1, min(end, frame_count + 1)) if key.get("enabled", True) else ():
            share = (step - frame) / (end - frame)
            moved = [here + (there - here) * share for here, there in zip(box, to, strict=True)]
            yield _at(region, step, moved, turn)._replace(attributes=between)


def _first(key: tuple[int, list[float], Json]) -> int:
    return key[0]


def _at(region: Region, frame: int, box: list[float], turn: float | None) -> Region:
    x, y, width, height = box
    return region._replace(frame=frame, x=x, y=y, width=width, height=height, rotation=turn)


def _kept(main: Json, group: list[Json], labels: list[str]) -> Json:
    """Return what a region holds beside label, place and score: further labels, answers about it, and a turned view."""
    kept: Json = {}
    for result in group:
        name, value, kind = result.get("from_name"), _value(result), result.get("type")
        if result is not main and isinstance(kind, str) and not kind.endswith("labels") and kind in value:
            kept[str(name or kind)] = value[kind]
        if result.get("meta"):
            kept["meta"] = result["meta"]
    if isinstance(kept.get("meta"), dict) and isinstance(kept["meta"].get(OWN), dict):
        own = kept["meta"][OWN]
        rest = {key: one for key, one in kept.pop("meta").items() if key != OWN}
        kept |= own | ({"meta": rest} if rest else {})
    if len(labels) > 1:
        kept["labels"] = labels
    if main.get("image_rotation"):
        kept["image_rotation"] = main["image_rotation"]
    return kept


def _form(value: Json) -> str | None:
    return next((form for form, (sign, _) in _FORMS.items() if sign in value), None)


def _value(result: Json) -> Json:
    value = result.get("value")
    return value if isinstance(value, dict) else {}


def _labels(value: Json) -> list[str]:
    lists = [names for key, names in value.items() if key.endswith("labels") and isinstance(names, list)]
    return [text_of(name) for names in lists for name in names if isinstance(name, str) and name]


def _points(value: Json) -> list[float]:
    pairs = value["points"] if isinstance(value["points"], list) else []
    if not pairs or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise _WrongError(RefusedCode.MALFORMED, "its points are no list of pairs")
    return [_number(number, "a point") for pair in pairs for number in pair]


def _number(value: Any, name: str) -> float:  # noqa: ANN401 (JSON)
    if value is None:
        raise _WrongError(RefusedCode.MALFORMED, f"it has no {name}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise _WrongError(RefusedCode.NOT_A_NUMBER, f"{name} is {text_of(json.dumps(value))[:80]}")
    return float(value)


def _point_size(value: Json) -> float | None:
    """Return the width of a point in percent; 0 is how a point without a size is written."""
    return _number(value.get("width") or 0, "width") or None


def _size(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 < value < 1e9 else None


def _text(kept: Json) -> str | None:
    text = canonical_text(kept) if kept else None
    if kept and text is None:
        raise _WrongError(RefusedCode.MALFORMED, "its attributes hold NaN, a number beyond 2**53, or text that is not UTF-8")
    return text
