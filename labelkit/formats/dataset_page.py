"""One HTML file that shows a dataset without a kernel, a server or a network: what is known of it, and samples with their labels."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import asdict, dataclass
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from labelkit.core.datasets.tables import table_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.core.review.shapes import Shape

Table = tuple["Sequence[str]", "Sequence[Sequence[object]]"]
# Nothing may be loaded from anywhere: what stands in the file is all there is.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class PageSample:
    """A sample on the page: what it is chosen by, facts and labels as texts, its picture (JPEG) or the code of why there is none.

    `legend` names the classes that are drawn, each with its colour.
    """

    key: str
    split: str
    group: str
    classes: Sequence[str]
    facts: Sequence[tuple[str, str]]
    labels: Sequence[Sequence[str]]
    size: tuple[int, int]
    shapes: Sequence[Shape]
    legend: Sequence[tuple[str, str]]
    picture: bytes | None
    reason_code: str
    sentence: str


@dataclass(frozen=True)
class Page:
    """What the page shows: badges and tables by their titles, the samples, and a sentence that says which samples these are."""

    title: str
    badges: Sequence[str]
    tables: Sequence[tuple[str, Table, str]]
    samples: Sequence[PageSample]
    which: str


def render(page: Page) -> str:
    """Return the page as one text; every word that people wrote is escaped."""
    script, style = (files("labelkit.formats").joinpath(f"dataset_page.{kind}").read_text("utf-8") for kind in ("js", "css"))
    badges = "".join(f'<span class="badge">{escape(badge)}</span>' for badge in page.badges)
    tables = "".join(_section(title, table, empty) for title, table, empty in page.tables)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(page.title)}</title>
<style>{style}</style>
</head>
<body>
<main>
<header><h1>{escape(page.title)}</h1><p class="badges">{badges}</p></header>
<section id="samples" aria-label="Samples"><h2>Samples</h2><p class="dim">{escape(page.which)}</p>
<noscript><p>Pictures are shown by a script that stands in this file; allow it to see them.</p></noscript><div id="viewer"></div></section>
{tables}
</main>
<script type="application/json" id="data">{_data(page.samples)}</script>
<script>{script}</script>
</body>
</html>
"""


def _section(title: str, table: Table, empty: str) -> str:
    head, rows = table
    body = table_html(head, rows) or f'<p class="dim">{escape(empty)}</p>'
    name = escape(title)
    scroll = f'<div class="scroll" tabindex="0" role="group" aria-label="{name}">{body}</div>'
    return f'<section aria-label="{name}"><h2>{name}</h2>{scroll}</section>'


def _data(samples: Sequence[PageSample]) -> str:
    """Return the samples as JSON that cannot end its script element."""
    rows = [
        {
            **{name: getattr(one, name) for name in ("key", "split", "group", "reason_code", "sentence")},
            "classes": list(one.classes),
            "facts": [list(fact) for fact in one.facts],
            "labels": [list(label) for label in one.labels],
            "legend": [list(entry) for entry in one.legend],
            "size": list(one.size),
            "picture": None if one.picture is None else f"data:image/jpeg;base64,{b64encode(one.picture).decode()}",
            "shapes": [asdict(shape) for shape in one.shapes],
        }
        for one in samples
    ]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return (
        text.replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )
