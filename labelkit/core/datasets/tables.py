"""Plans and datasets as text and as escaped HTML, for people at a prompt and in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SHOWN_ROWS = 20


def table_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a table as lines: texts to the left, numbers to the right, columns two spaces apart."""
    cells = [[str(cell) for cell in row] for row in rows]
    numbers = [all(row[n].lstrip("-").replace(",", "").isdigit() for row in cells) for n in range(len(head))] if cells else []
    widths = [max(len(name), *(len(row[n]) for row in cells)) if cells else len(name) for n, name in enumerate(head)]

    def line(row: Sequence[str]) -> str:
        return "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, numbers, strict=False)).rstrip()

    return [line(list(head)), *map(line, cells)] if cells else []


def table_html(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as HTML with every cell escaped; columns of numbers have the class `number`."""
    listed = [list(row) for row in rows]
    if not listed:
        return ""
    marks = [' class="number"' if all(isinstance(cell, (int, float)) for cell in column) else "" for column in zip(*listed, strict=True)]
    top = "".join(f"<th{mark}>{escape(name)}</th>" for name, mark in zip(head, marks, strict=True))
    cells = ("".join(f"<td{mark}>{escape(str(cell))}</td>" for cell, mark in zip(row, marks, strict=True)) for row in listed)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in cells)}</tbody></table>"


def split_table(
    samples: Mapping[str, int], groups: Mapping[str, int], classes: Mapping[str, Mapping[str, int]]
) -> tuple[list[str], list[list[object]]]:
    """Return head and rows of splits against samples, groups and classes."""
    rows: list[list[object]] = [
        [split, count, groups.get(split, 0), *(classes[name].get(split, 0) for name in classes)] for split, count in samples.items()
    ]
    return ["split", "samples", "groups", *classes], rows


def indented(lines: Iterable[str]) -> list[str]:
    """Return the lines two spaces to the right."""
    return [f"  {line}" for line in lines]
