"""Two values side by side, path by path: words of texts, numbers with what they grew by, lists item by item, JSON by its fields."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from labelkit.core.text_diff import Edit, item_diff, word_diff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelkit.widgets.base import Json

Parts: TypeAlias = list[list[str]]

SAME_SHOWN = 160  # signs kept of a long stretch that is the same, and of a value that did not change
MOST_SHOWN = 6_000  # signs of a text that is new or gone
MOST_ENTRIES = 200  # of one column
MOST_TEXT = 200_000  # signs of a text that are compared word by word
ID_SHOWN = 6
_ABSENT = object()


def fields(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Json]:
    """Return every column of a row with its change and, path by path, what differs; changed ones first, each in column order.

    A column has `name`, `change` (same, added, removed, modified), `entries` and `more` (entries left out). An entry has `path`, `change`,
    `form` (words, number, items, plain), `before` and `after` as text (None where it is not there), `delta` and `parts`.
    """
    names = list(dict.fromkeys([*(after or {}), *(before or {})]))
    found = [column(name, (before or {}).get(name, _ABSENT), (after or {}).get(name, _ABSENT)) for name in names]
    return sorted(found, key=lambda one: one["change"] == "same")


def column(name: str, before: object, after: object) -> Json:
    """Return one column with what differs in it. JSON texts are compared by what they say."""
    old, new = _parsed(before), _parsed(after)
    if old == new and type(old) is type(new):
        return {"name": name, "change": "same", "entries": [_entry("", "same", None, clipped(_text(new), SAME_SHOWN))], "more": 0}
    entries = list(_compared("", old, new))
    change = "added" if before is _ABSENT else "removed" if after is _ABSENT else "modified"
    return {"name": name, "change": change, "entries": entries[:MOST_ENTRIES], "more": max(0, len(entries) - MOST_ENTRIES)}


def _parsed(value: object) -> object:
    """Return what a JSON object or list in a text says; any other value as it is."""
    if isinstance(value, str) and value[:1] in ("{", "[") and value[-1:] in ("}", "]"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _compared(path: str, old: Any, new: Any) -> Iterator[Json]:  # noqa: ANN401 - any JSON value
    if old is _ABSENT or new is _ABSENT:
        kept = new if old is _ABSENT else old
        text = clipped(_text(kept), MOST_SHOWN)
        yield _entry(path, "added", None, text) if old is _ABSENT else _entry(path, "removed", text, None)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _members(path, old, new, ".{}" if path else "{}")
    elif isinstance(old, list) and isinstance(new, list):
        yield from _listed(path, old, new)
    elif not _equal(old, new):
        yield _changed(path, old, new)


def _members(path: str, old: Mapping[str, Any], new: Mapping[str, Any], sign: str) -> Iterator[Json]:
    for name in dict.fromkeys([*old, *new]):
        yield from _compared(path + sign.format(name), old.get(name, _ABSENT), new.get(name, _ABSENT))


def _listed(path: str, old: list[Any], new: list[Any]) -> Iterator[Json]:
    if old == new:
        return
    if all(not isinstance(item, (Mapping, list)) for item in (*old, *new)):
        parts = [[str(edit), text] for edit, text in item_diff([_text(item) for item in old], [_text(item) for item in new])]
        yield {**_entry(path, "modified", _text(old), _text(new)), "form": "items", "parts": parts}
        return
    by_id = [_by_id(items) for items in (old, new)]
    sides = (
        by_id
        if by_id[0] is not None and by_id[1] is not None
        else [{str(at): item for at, item in enumerate(items)} for items in (old, new)]
    )
    yield from _members(path, sides[0] or {}, sides[1] or {}, "[{}]")


def _by_id(items: Sequence[Any]) -> dict[str, Any] | None:
    """Return structs by their ids, shortened where they stay apart; None where they have none or some have the same."""
    ids = [str(item.get("id")) for item in items if isinstance(item, Mapping) and item.get("id") is not None]
    if len(ids) != len(items) or len(set(ids)) != len(ids):
        return None
    short = {one: one if len(one) <= 2 * ID_SHOWN else f"…{one[-ID_SHOWN:]}" for one in ids}
    names = short if len(set(short.values())) == len(ids) else {one: one for one in ids}
    return {names[one]: {name: value for name, value in item.items() if name != "id"} for one, item in zip(ids, items, strict=True)}


def _changed(path: str, old: object, new: object) -> Json:
    before, after = _text(old), _text(new)
    entry = _entry(path, "modified", clipped(before, MOST_SHOWN), clipped(after, MOST_SHOWN))
    if _is_number(old) and _is_number(new):
        return {**entry, "form": "number", "delta": _delta(old, new)}
    if isinstance(old, str) and isinstance(new, str) and len(before) + len(after) <= MOST_TEXT:
        return {**entry, "form": "words", "parts": _shown(word_diff(before, after))}
    return entry


def _entry(path: str, change: str, before: str | None, after: str | None) -> dict[str, object]:
    return {"path": path, "change": change, "form": "plain", "before": before, "after": after, "delta": None, "parts": []}


def _shown(parts: Sequence[tuple[Edit, str]]) -> Parts:
    """Return the parts with the middle of long stretches left out."""
    last = len(parts) - 1
    shown = []
    for at, (edit, text) in enumerate(parts):
        if edit is not Edit.SAME or len(text) <= 2 * SAME_SHOWN:
            shown.append([str(edit), clipped(text, MOST_SHOWN)])
            continue
        head, tail = ("" if at == 0 else text[:SAME_SHOWN]), ("" if at == last else text[-SAME_SHOWN:])
        shown.append([str(edit), f"{head} [… {len(text) - len(head) - len(tail):,} signs alike …] {tail}".strip(" ")])
    return shown


def clipped(text: str, most: int) -> str:
    """Return a text of at most some `most` signs, with words for how many are left out."""
    return text if len(text) <= most + 20 else f"{text[:most]} [… {len(text) - most:,} signs more]"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _equal(old: object, new: object) -> bool:
    return old == new and isinstance(old, bool) == isinstance(new, bool)


def _delta(old: Any, new: Any) -> str | None:  # noqa: ANN401 - numbers
    grown = new - old
    if isinstance(grown, int):
        return f"{grown:+,}"
    return None if grown != grown else f"{grown:+,.6g}"  # noqa: PLR0124 - what is not a number does not grow


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is _ABSENT or value is None:
        return "null"
    if isinstance(value, bytes):
        return f"{len(value):,} bytes: {value[:16].hex(' ')}{'…' if len(value) > 16 else ''}"
    if isinstance(value, (bool, int, float, Mapping, list)):
        return json.dumps(value, ensure_ascii=False, default=_text)
    return str(value)
