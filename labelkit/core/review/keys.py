"""The keys of the widgets: one registry, from which the browser binds them, `?` shows them and clashes are found."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from labelkit.core.review.annotations import FrameFlag
from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Sequence


class When(StrEnum):
    """While what a key is bound; in a list, its rows are selected while they have the focus. `ALWAYS` clashes with every other."""

    ALWAYS = "always"
    SELECTED = "selected"
    NOTHING_SELECTED = "nothing_selected"


@dataclass(frozen=True, slots=True)
class Key:
    """An action with the chords that start it.

    A chord is modifiers in the order Ctrl, Alt, Shift and a key: a letter in upper case, a digit, a sign as typed, or a key's name.
    Ctrl stands for Cmd too. `hold` means that the action lasts while the key is down.
    """

    action: str
    chords: tuple[str, ...]
    group: str
    text: str
    when: When = When.ALWAYS
    hold: bool = False


FRAMES, OBJECTS, VIEW, REVIEW = "Frames", "Objects", "View", "Review"
_MODIFIERS = ("Ctrl", "Alt", "Shift")
_SIGNS = {"<": "Shift+,", ">": "Shift+.", "?": "Shift+/", "+": "Shift+="}

LABELKIT: tuple[Key, ...] = (
    Key("next_frame", (".",), FRAMES, "Next frame"),
    Key("previous_frame", (",",), FRAMES, "Previous frame"),
    Key("next_frame_arrow", ("ArrowRight",), FRAMES, "Next frame", When.NOTHING_SELECTED),
    Key("previous_frame_arrow", ("ArrowLeft",), FRAMES, "Previous frame", When.NOTHING_SELECTED),
    Key("forward_10", (">",), FRAMES, "Ten frames on"),
    Key("back_10", ("<",), FRAMES, "Ten frames back"),
    Key("forward_10_arrow", ("Shift+ArrowRight",), FRAMES, "Ten frames on", When.NOTHING_SELECTED),
    Key("back_10_arrow", ("Shift+ArrowLeft",), FRAMES, "Ten frames back", When.NOTHING_SELECTED),
    Key("worth_a_look", ("N",), FRAMES, "Go to the riskiest frame that nobody has seen"),
    Key("next_untouched", ("U",), FRAMES, "Next untouched frame"),
    Key("accept_next", ("A",), REVIEW, "Accept the frame and go on"),
    *(Key(f"flag_{n}", (f"Shift+{n}",), REVIEW, f"Flag: {flag.value.replace('_', ' ')}") for n, flag in enumerate(FrameFlag, 1)),
    Key("undo", ("Ctrl+Z",), REVIEW, "Undo"),
    Key("redo", ("Ctrl+Shift+Z", "Ctrl+Y"), REVIEW, "Redo"),
    Key("publish", ("Ctrl+Enter",), REVIEW, "Publish"),
    Key("select_tool", ("V",), OBJECTS, "Select tool: a drag moves what it starts on"),
    Key("box_tool", ("B",), OBJECTS, "Box tool: every drag draws, also inside a box"),
    Key("point_tool", ("P",), OBJECTS, "Point tool: a click places a point"),
    *(Key(f"class_{n}", (str(n),), OBJECTS, "Class of the selected object, else of new ones") for n in range(1, 10)),
    Key("next_object", ("]",), OBJECTS, "Select the next object"),
    Key("previous_object", ("[",), OBJECTS, "Select the previous object"),
    Key("delete", ("Delete", "Backspace"), OBJECTS, "Delete the selected object", When.SELECTED),
    Key("copy", ("Ctrl+C",), OBJECTS, "Copy the selected object", When.SELECTED),
    Key("paste", ("Ctrl+V",), OBJECTS, "Paste into this frame"),
    Key("copy_previous", ("C",), OBJECTS, "Copy what the frame before has and this one lacks"),
    Key("propagate", ("Ctrl+B",), OBJECTS, "Repeat the selected object on the next frames", When.SELECTED),
    Key("interpolate", ("I",), OBJECTS, "Fill the frames up to the next one where a person placed it", When.SELECTED),
    *(
        Key(f"nudge_{side}", (f"Arrow{side.title()}",), OBJECTS, "Move the selected object by 1 px", When.SELECTED)
        for side in ("left", "right", "up", "down")
    ),
    *(
        Key(f"nudge_10_{side}", (f"Shift+Arrow{side.title()}",), OBJECTS, "Move the selected object by 10 px", When.SELECTED)
        for side in ("left", "right", "up", "down")
    ),
    *(
        Key(f"grow_{side}", (f"Alt+Arrow{side.title()}",), OBJECTS, "Resize the selected object by 1 px", When.SELECTED)
        for side in ("left", "right", "up", "down")
    ),
    Key("place", ("Enter",), OBJECTS, "Put a new object into the middle of the view"),
    Key("hide", ("H",), VIEW, "Hide every label while held", hold=True),
    Key("diff", ("G",), VIEW, "Show what changed against the model while held", hold=True),
    Key("pan", ("Space",), VIEW, "Drag to move the picture while held", hold=True),
    Key("zoom_in", ("+", "="), VIEW, "Zoom in"),
    Key("zoom_out", ("-",), VIEW, "Zoom out"),
    Key("zoom_fit", ("0",), VIEW, "Fit the frame into the view"),
    Key("brighter", ("Ctrl+ArrowUp",), VIEW, "Brighter"),
    Key("darker", ("Ctrl+ArrowDown",), VIEW, "Darker"),
    Key("more_contrast", ("Ctrl+Shift+ArrowUp",), VIEW, "More contrast"),
    Key("less_contrast", ("Ctrl+Shift+ArrowDown",), VIEW, "Less contrast"),
    Key("light", ("L",), VIEW, "Open brightness and contrast"),
    Key("filmstrip", ("T",), VIEW, "Show small pictures of the frames around"),
    Key("advance", ("J",), VIEW, "Go on to the next frame after a click places the point, or stay"),
    Key("onion", ("O",), VIEW, "Show the points of the three frames before and after"),
    Key("magnifier", ("M",), VIEW, "Show the picture around the pointer enlarged"),
    Key("help", ("?",), VIEW, "Show the keys"),
    Key("leave", ("Escape",), VIEW, "Stop drawing, then let go of the object, then leave the stage"),
)

_CVAT = {
    "next_frame": ("F",),
    "previous_frame": ("D",),
    "forward_10": ("V",),
    "back_10": ("C",),
    "copy_previous": ("Y",),
    "box_tool": ("N",),
    "select_tool": ("Shift+N",),
    "worth_a_look": ("L",),
    "light": ("Shift+L",),
    "next_object": ("]",),
    "previous_object": ("[",),
}

CVAT: tuple[Key, ...] = tuple(replace(key, chords=_CVAT.get(key.action, key.chords)) for key in LABELKIT)

PRESETS: dict[str, tuple[Key, ...]] = {"labelkit": LABELKIT, "cvat": CVAT}

ROWS = "Rows"

_WALK: tuple[Key, ...] = (
    Key("next_row", ("ArrowDown",), ROWS, "Next row, while the list has the focus", When.SELECTED),
    Key("previous_row", ("ArrowUp",), ROWS, "The row before", When.SELECTED),
    Key("page_down", ("PageDown",), ROWS, "A page on", When.SELECTED),
    Key("page_up", ("PageUp",), ROWS, "A page back", When.SELECTED),
    Key("first_row", ("Home",), ROWS, "First row", When.SELECTED),
    Key("last_row", ("End",), ROWS, "Last row", When.SELECTED),
)

DIFFERENCE: tuple[Key, ...] = (
    *_WALK,
    Key("search", ("/",), ROWS, "Search in keys and values"),
    Key("before", ("G",), VIEW, "Show what was there before while held", hold=True),
    Key("close_up", ("Z",), VIEW, "Show the part of the frame that changed, or all of it"),
    Key("help", ("?",), VIEW, "Show the keys"),
)

SAMPLES: tuple[Key, ...] = (
    Key("next_sample", ("ArrowRight", "."), ROWS, "Next sample"),
    Key("previous_sample", ("ArrowLeft", ","), ROWS, "The sample before"),
    *_WALK,
    Key("help", ("?",), VIEW, "Show the keys"),
)

LISTS: dict[str, tuple[Key, ...]] = {"difference": DIFFERENCE, "samples": SAMPLES}


def preset(name: str) -> tuple[Key, ...]:
    """Return the keys of a preset. Raises `INVALID_VALUE` for an unknown name."""
    if name not in PRESETS:
        raise InvalidValue(what="keys", reason=f"unknown preset {name!r}", fix=f"Use one of {', '.join(sorted(PRESETS))}.")
    return PRESETS[name]


def clashes(keys: Sequence[Key]) -> list[tuple[str, str, str]]:
    """Return every chord that starts two actions at the same time, as (chord, action, action)."""
    by_chord: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        for chord in key.chords:
            by_chord[_SIGNS.get(chord, chord)].append(key)
    return [
        (chord, one.action, other.action)
        for chord, bound in by_chord.items()
        for i, one in enumerate(bound)
        for other in bound[i + 1 :]
        if When.ALWAYS in (one.when, other.when) or one.when is other.when
    ]


def well_formed(chord: str) -> bool:
    """Say whether a chord is written as the browser writes it: modifiers in order, one key, letters in upper case.

    >>> well_formed("Ctrl+Shift+Z"), well_formed("Shift+Ctrl+Z"), well_formed("z")
    (True, False, False)
    """
    *modifiers, key = [*chord[:-1].split("+")[:-1], chord[-1]] if chord.endswith("+") else chord.split("+")
    order = [name for name in _MODIFIERS if name in modifiers]
    return modifiers == order and bool(key) and not (len(key) == 1 and key.islower())


def as_json(keys: Sequence[Key], actions: Sequence[str] | None = None) -> list[dict[str, object]]:
    """Return the keys as plain JSON for the browser, those of `actions` where given."""
    return [
        {"action": key.action, "chords": list(key.chords), "group": key.group, "text": key.text, "when": str(key.when), "hold": key.hold}
        for key in keys
        if actions is None or key.action in actions
    ]
