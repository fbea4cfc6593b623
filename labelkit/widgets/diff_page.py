"""A difference as plain HTML, for places without a kernel: what changed in numbers, then the first rows before and after."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from labelkit.widgets import diff_labels, static
from labelkit.widgets.still import still

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from labelkit.errors import LabelkitError
    from labelkit.widgets.base import Json
    from labelkit.widgets.diff_frames import Frame
    from labelkit.widgets.diff_rows import Found

SIGNS = {"added": "+", "removed": "−", "modified": "~", "same": ""}
# Readable on white and on black, and told apart without colour by the line through or below.
STYLES = {
    "removed": "text-decoration:line-through;background:rgba(220,60,50,.2)",
    "added": "text-decoration:underline;background:rgba(40,160,80,.22)",
}
TAGS = {"removed": "del", "added": "ins"}
PICTURES = 6
PICTURE_PX = 360
VALUE_SIGNS = 300
FIELDS = 8


def page(title: str, summary: Json, found: Sequence[Found], left_out: int, width: int = PICTURE_PX) -> str:
    """Return summary and rows in detail, the first few with pictures at most `width` px wide; `left_out` rows follow that are not shown."""
    parts = [_summary(summary)]
    if summary["same"]:
        parts.append(static.Html("<p><strong>The same rows.</strong> Nothing was added, removed or changed.</p>"))
    rows = [(_change(one.shown), _key(one.shown), _row(one, width if at < PICTURES else 0)) for at, one in enumerate(found)]
    if rows:
        parts.append(_table(rows))
    if left_out:
        parts.append(static.Html(f"<p>{left_out:,} more {'rows differ' if left_out > 1 else 'row differs'}.</p>"))
    return static.card(title, *parts)


def refused(title: str, error: LabelkitError) -> str:
    """Return why there is nothing to show."""
    words = f"<strong>{escape(error.title)}</strong> <code>{escape(error.code)}</code><br>{escape(error.detail)}<br>{escape(error.hint)}"
    return static.card(title, static.Html(f"<p>{words}</p>"))


def _summary(summary: Json) -> static.Html:
    sides: Any = summary["sides"]
    lines = [
        f"{side}: <strong>{escape(one['title'])}</strong> {escape(one['about'])}"
        for side, one in zip(("Before", "After"), sides, strict=True)
    ]
    counts = " · ".join(
        f"{SIGNS[change]}{number:,} {change}"
        for change, number in zip(("added", "removed", "modified"), _list(summary, "counts"), strict=True)
    )
    lines.append(f"{escape(str(summary['unit']).capitalize())}s: <strong>{counts}</strong>")
    if _list(summary, "fields"):
        lines.append("Fields: " + ", ".join(f"{escape(name)} {number:,}" for name, number in _list(summary, "fields")))
    lines += [escape(words) for words in _list(summary, "columns")]
    step: Any = summary["step"]
    if step:
        lines.append(f"Version step: <strong>{escape(step[0])}</strong>. {escape(step[1])}")
    tables: list[str] = [static.table((name.capitalize(), "Added", "Removed", "Modified"), rows) for name, rows in _list(summary, "groups")]
    return static.Html(
        f"<p>{'<br>'.join(lines)}</p>"
        + "".join(f'<div style="display:inline-block;vertical-align:top;margin-right:32px">{one}</div>' for one in tables)
    )


def _list(summary: Json, name: str) -> list[Any]:
    found: Any = summary[name]
    return list(found)


def _table(rows: Sequence[Sequence[str]]) -> static.Html:
    """Return the rows with their cells at the top, because the last one may be high."""
    style = "text-align:left;vertical-align:top;padding:6px 16px 6px 0"
    head = "".join(f'<th style="{style}">{name}</th>' for name in ("Change", "Key", "What changed"))
    body = "".join("<tr>" + "".join(f'<td style="{style}">{cell}</td>' for cell in row) + "</tr>" for row in rows)
    return static.Html(f'<table style="font:inherit"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def _change(row: Json) -> static.Html:
    change = str(row["change"])
    return static.Html(f'<span style="white-space:nowrap">{SIGNS[change]} {change}</span>')


def _key(row: Json) -> static.Html:
    return static.Html(f"<code>{escape(str(row['key']))}</code>")


def _row(found: Found, width: int) -> static.Html:
    fields: Any = found.shown["fields"]
    changed = [one for one in fields if one["change"] != "same"]
    whole = bool(changed) and {one["change"] for one in fields} in ({"added"}, {"removed"})  # nothing in it needs a mark
    lines = [_entry(field["name"], entry, whole=whole) for field in changed[:FIELDS] for entry in field["entries"][:FIELDS]]
    if len(changed) > FIELDS:
        lines.append(f"and {len(changed) - FIELDS} more fields")
    frame = found.frame
    if frame is not None:
        differing = [_label(pair) for pair in frame.pairs if pair.change != "same"]
        lines += differing[:FIELDS]
        lines.append(_pictures(frame, width) if width and differing else "")
    return static.Html("<br>".join(line for line in lines if line) or "&ndash;")


def _label(pair: diff_labels.Pair) -> str:
    name, what, where = diff_labels.words(pair)
    return f"{SIGNS[pair.change]} {escape(name)}: {escape(what)} ({escape(where)})"


def _entry(name: str, entry: dict[str, Any], *, whole: bool) -> str:
    path = escape(name + (f" · {entry['path']}" if entry["path"] else ""))
    return f'<span style="opacity:.75">{path}:</span> {_plain(entry) if whole else _values(entry)}'


def _plain(entry: dict[str, Any]) -> str:
    return _marked("same", entry["after"] if entry["before"] is None else entry["before"])


def _values(entry: dict[str, Any]) -> str:
    if entry["form"] in ("words", "items"):
        said = [_marked(edit, text) for edit, text in entry["parts"]]
        if entry["form"] == "items":
            return ", ".join(said)
        text = "".join(said).replace("</del><ins", "</del> <ins")
        return f'<span style="white-space:pre-wrap">{text}</span>'
    shown = [_marked(edit, entry[side]) for edit, side in (("removed", "before"), ("added", "after")) if entry[side] is not None]
    grown = f' <span style="opacity:.75">({entry["delta"]})</span>' if entry["delta"] else ""
    return " ".join(shown) + grown


def _marked(edit: str, text: str) -> str:
    said = escape(text if len(text) <= VALUE_SIGNS else f"{text[:VALUE_SIGNS]}…")
    return said if edit == "same" else f'<{TAGS[edit]} style="{STYLES[edit]}">{said}</{TAGS[edit]}>'


def _pictures(frame: Frame, width: int) -> str:
    if frame.data is None:
        return f"No picture: <code>{escape(frame.problem or '')}</code>"
    return "".join(_figure(frame, side, width) for side in ("before", "after"))


def _figure(frame: Frame, side: str, width: int) -> str:
    try:
        drawn = still(frame.data or b"", diff_labels.shapes(frame.pairs, side), (frame.width, frame.height), width, width)
    except (OSError, SyntaxError, ValueError):
        return "The stored bytes are no picture."
    image = static.image(drawn, "image/jpeg", f"Frame {frame.index + 1} of {frame.media}, labels {side}", min(width, frame.width))
    return f'<figure style="display:inline-block;margin:8px 8px 0 0">{image}<figcaption>{side.capitalize()}</figcaption></figure>'


def describe(summary: Json) -> str:
    """Return both sides and the counts in one line."""
    sides: Any = summary["sides"]
    counts: Iterable[str] = (
        f"{number:,} {change}" for change, number in zip(("added", "removed", "modified"), _list(summary, "counts"), strict=True)
    )
    said = "the same rows" if summary["same"] else f"{', '.join(counts)} ({summary['unit']}s)"
    return f"Difference {sides[0]['title']} → {sides[1]['title']}: {said}"
