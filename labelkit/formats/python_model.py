"""A model as a Python function: called with one frame after another, what it returns are labels."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation
from labelkit.errors import InvalidValue
from labelkit.formats.labels.acceptance import accept
from labelkit.formats.labels.attributes import canonical_text
from labelkit.formats.labels.names import text_of
from labelkit.formats.labels.rows import RAW, OnInvalid, RefusedCode, refused_chunk

if TYPE_CHECKING:
    from labelkit.core.review.annotations import Capability
    from labelkit.formats.labels.rows import Chunk

LABELS_A_CHUNK = 20_000
FRAMES_A_CHUNK = 1_000
KEYS = ("label", "x", "y", "width", "height", "size", "score", "attributes")
_PLACES = {3: ("x", "y"), 4: ("x", "y", "score"), 5: ("x", "y", "width", "height"), 6: ("x", "y", "width", "height", "score")}

Progress = Callable[[int, int], object]


class GivenFrame(Protocol):
    """What a model is called with, at least; a workspace gives the picture too (see `media.model_frames.ModelFrame`)."""

    index: int
    name: str
    width: int
    height: int


class _WrongError(Exception):
    """A label that is refused: the code and the reason."""

    def __init__(self, code: RefusedCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def read(
    source: object,
    *,
    frames: pl.DataFrame,
    classes: Sequence[str] | None = None,
    capability: Capability,
    on_invalid: OnInvalid = "refuse",
    given: Callable[[int], GivenFrame] | None = None,
    progress: Progress | None = None,
) -> Iterator[Chunk]:
    """Call the model `source` with every frame that has a picture, in order, and read what it returns; None is no labels.

    A label is `(label, x, y)` or `(label, x, y, score)` for a point, `(label, x, y, width, height)` with or without a score for a box,
    a dictionary with `KEYS`, or an `Annotation`; px of the frame, left and top first. A label may be a class number from 0 where
    `classes` names them. A frame on which the model raises is refused as one record with the exception, one without a picture with its
    problem, and the next frame is called; a label that is wrong is refused alone. `given(index)` makes what the model gets.
    `progress(done, total)` is called after each frame; what it raises ends the reading, as do KeyboardInterrupt and SystemExit. The
    line is the label's place in what was returned, from 1. Raises `INVALID_VALUE` where `source` cannot be called.
    """
    if not callable(source) or given is None:
        raise InvalidValue(what="source", reason=f"{source!r} is no function", fix="Give a function that takes a frame and returns labels.")
    return _chunks(source, frames, classes, capability, on_invalid, given, progress)


def _chunks(
    model: Callable[[GivenFrame], object],
    frames: pl.DataFrame,
    classes: Sequence[str] | None,
    capability: Capability,
    on_invalid: OnInvalid,
    given: Callable[[int], GivenFrame],
    progress: Progress | None,
) -> Iterator[Chunk]:
    rows: list[tuple[Any, ...]] = []
    refused: list[tuple[str, str, str]] = []
    for done, (index, name, problem) in enumerate(frames.select("index", "name", "problem").iter_rows(), 1):
        file = name or f"frame {index}"
        if problem is not None:
            refused.append((file, str(RefusedCode.FRAME_BROKEN), f"frame {index}: {problem}; the model was not called"))
        else:
            try:
                rows += _answer(model(given(index)), file, index, classes)
            except Exception as error:  # noqa: BLE001 (a model may raise anything; it costs its frame)
                refused.append((file, str(RefusedCode.MODEL_FAILED), f"frame {index}: {_said(error)}"))
        if progress is not None:
            progress(done, frames.height)
        if len(rows) >= LABELS_A_CHUNK or done % FRAMES_A_CHUNK == 0 or done == frames.height:
            if refused:
                yield refused_chunk(pl.DataFrame(refused, schema=["file", "code", "detail"], orient="row"))
            yield accept(pl.DataFrame(rows, schema=RAW, orient="row"), frames, capability, on_invalid)
            rows, refused = [], []


def _answer(answer: object, file: str, index: int, classes: Sequence[str] | None) -> list[tuple[Any, ...]]:
    """Return rows of `RAW`, one a label that the model returned."""
    if answer is None:
        return []
    if not isinstance(answer, Iterable) or isinstance(answer, str | bytes | Mapping):
        raise TypeError(f"it returned {type(answer).__name__}, not a list of labels")
    rows = []
    for line, label in enumerate(answer, 1):
        row = dict.fromkeys(RAW) | {"file": file, "line": line, "frame_index": index}
        try:
            row |= _label(label, classes)
        except _WrongError as wrong:
            row |= {"code": str(wrong.code), "detail": f"frame {index}: {wrong}"}
        rows.append(tuple(row.values()))
    return rows


def _label(label: object, classes: Sequence[str] | None) -> dict[str, Any]:
    if isinstance(label, Annotation):
        place = label.geometry
        sides = {"width": place.width, "height": place.height} if isinstance(place, Box) else {"size": place.size}
        return {"label": label.label, "x": place.x, "y": place.y, **sides, "score": label.score, "attributes": label.attributes}
    if isinstance(label, Mapping):
        said = dict(label)
    elif isinstance(label, Sequence) and not isinstance(label, str | bytes) and len(label) in _PLACES:
        said = dict(zip(("label", *_PLACES[len(label)]), label, strict=True))
    else:
        reason = "it is no tuple (label, x, y, width, height, score), no dictionary and no Annotation"
        raise _WrongError(RefusedCode.MALFORMED, f"{reason}: {_short(label)}")
    unknown = [key for key in said if key not in KEYS]
    if unknown:
        raise _WrongError(RefusedCode.MALFORMED, f"key {_short(unknown[0])} is none of {', '.join(KEYS)}")
    numbers = {name: _number(name, said.get(name)) for name in KEYS[1:-1]}
    return {"label": _class(said.get("label"), classes), **numbers, "attributes": _attributes(said.get("attributes"))}


def _number(name: str, value: Any) -> float | None:  # noqa: ANN401 (of any kind, also of numpy or torch)
    if value is None:
        return None
    number = None
    if not isinstance(value, str | bytes | bool):
        with suppress(Exception):
            number = float(value)
    if number is None:
        raise _WrongError(RefusedCode.NOT_A_NUMBER, f"{name} is {_short(value)}")
    return number


def _class(label: object, classes: Sequence[str] | None) -> str:
    if isinstance(label, str):
        return text_of(label)
    try:
        number = operator.index(label)  # type: ignore[arg-type]
    except TypeError as error:
        raise _WrongError(RefusedCode.MALFORMED, f"its label is {_short(label)}") from error
    if classes is None or not 0 <= number < len(classes):
        known = "classes=[...] names none" if classes is None else f"there are 0 to {len(classes) - 1}"
        raise _WrongError(RefusedCode.CLASS_OUT_OF_RANGE, f"class {number}: {known}")
    return classes[number]


def _attributes(attributes: object) -> str | None:
    if attributes is None or attributes == {}:
        return None
    text = canonical_text(dict(attributes)) if isinstance(attributes, Mapping) else None
    if text is None:
        raise _WrongError(RefusedCode.MALFORMED, f"its attributes are no plain JSON: {_short(attributes)}")
    return text


def _short(value: object) -> str:
    try:
        return text_of(repr(value))[:80]
    except Exception:  # noqa: BLE001 (what a foreign object says of itself may raise anything)
        return f"a {type(value).__name__}"


def _said(error: Exception) -> str:
    try:
        return text_of(f"{type(error).__name__}: {error}")[:400]
    except Exception:  # noqa: BLE001 (as above)
        return type(error).__name__
