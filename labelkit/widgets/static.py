"""Plain HTML for places without a kernel: nbconvert, GitHub, an executed recipe. Readable even where styles are stripped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FONT = "font-family:system-ui,sans-serif;font-size:13px;line-height:1.4"


class Html(str):
    """Text that is HTML already and must not be escaped again."""

    __slots__ = ()


def text(value: object) -> str:
    """Return a value as HTML: escaped unless it is `Html`; None is a dash."""
    if isinstance(value, Html):
        return value
    return "&ndash;" if value is None else escape(str(value))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "Nothing here yet.") -> Html:
    """Return a table with a head row; `empty` is the sentence for a table without rows."""
    lines = [
        "<tr>" + "".join(f'<td style="text-align:left;padding:4px 12px 4px 0">{text(cell)}</td>' for cell in row) + "</tr>" for row in rows
    ]
    if not lines:
        return Html(f"<p>{escape(empty)}</p>")
    head = "".join(f'<th style="text-align:left;padding:4px 12px 4px 0">{escape(column)}</th>' for column in columns)
    body = "".join(lines)
    return Html(f'<table style="font:inherit"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def image(data: bytes, mime: str, alt: str, width: int = 320) -> Html:
    """Return a picture that carries its bytes in itself."""
    from base64 import b64encode

    return Html(f'<img alt="{escape(alt)}" width="{width}" src="data:{mime};base64,{b64encode(data).decode()}">')


def card(title: str, *parts: str, note: str = "Shown without a kernel: run the notebook to work with it.") -> Html:
    """Return a titled block of parts, each text or `Html`, with a note in small print."""
    body = "".join(part if isinstance(part, Html) else f"<p>{escape(part)}</p>" for part in parts)
    small = f'<p style="opacity:.7"><small>{escape(note)}</small></p>' if note else ""
    return Html(f'<div class="labelkit-static" style="{_FONT}"><p><strong>{escape(title)}</strong></p>{body}{small}</div>')


class Notice:
    """A few sentences in place of a widget that cannot be shown: a title, what is the matter, and what to do."""

    def __init__(self, title: str, *sentences: str) -> None:
        self.title = title
        self.sentences = sentences

    def _repr_html_(self) -> str:
        return card(self.title, *self.sentences, note="")

    def __repr__(self) -> str:
        return "\n".join((self.title, *self.sentences))
