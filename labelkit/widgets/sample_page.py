"""A sample in words and numbers, for the viewer and for its static page, which needs no kernel and no script."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING
from uuid import uuid4

from labelkit.core.datasets.samples import ViewState
from labelkit.core.geometry import Box
from labelkit.core.review.shapes import style_of
from labelkit.widgets import static
from labelkit.widgets.still import still

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.core.datasets.samples import Sample
    from labelkit.core.review.annotations import Annotation
    from labelkit.widgets.base import Json
    from labelkit.widgets.sample_look import Look

NAMED_SHAPES = 8  # with more of them their names would hide the picture; the legend has them
TITLES = {
    ViewState.READY: "",
    ViewState.ASSET_UNAVAILABLE: "Sample asset unavailable",
    ViewState.OVERLAY_UNAVAILABLE: "Overlay unavailable",
    ViewState.NOT_SUPPORTED: "This sample type is not supported yet",
}


def detail_row(seen: Look, capability: str) -> Json:
    """Return everything that the viewer says of a sample: facts, labels, and the state of its picture and overlay."""
    sample = seen.sample
    return {
        "key": sample.key,
        "facts": [[name, value] for name, value in facts(sample)],
        "labels": [label_row(annotation) for annotation in sample.annotations],
        "classes": dict(sorted(Counter(annotation.label for annotation in sample.annotations).items())),
        "capability": capability,
        "has_picture": seen.picture is not None or seen.asset is not None,
        "url": None if seen.asset is None else seen.asset.url,
        "state": seen.state.state.value,
        "title": TITLES[seen.state.state],
        "reason_code": seen.state.reason_code,
        "sentence": seen.state.sentence,
    }


def facts(sample: Sample) -> list[tuple[str, str]]:
    """Return what is known of a sample beside its labels, as named texts."""
    return [
        ("Split", sample.split),
        ("Group", sample.group),
        ("Camera", sample.camera_type),
        ("Media", f"{sample.workspace}/{sample.media}"),
        ("Frame", f"{sample.frame_index:,}{f' ({sample.frame_name})' if sample.frame_name else ''}"),
        ("Time", f"{sample.pts_ms / 1000:,.3f} s"),
        ("Size", f"{sample.width} x {sample.height} px"),
        ("Flags", ", ".join(sample.flags) or "none"),
        ("Findings", ", ".join(sample.findings) or "none"),
        ("Frame sha256", sample.sha256),
        ("Label digest", sample.digest),
    ]


def label_row(annotation: Annotation) -> Json:
    """Return one label with its numbers in px, as texts that line up."""
    geometry = annotation.geometry
    if isinstance(geometry, Box):
        size = f"{geometry.width:.1f} × {geometry.height:.1f}"
    else:
        size = "–" if geometry.size is None else f"⌀ {geometry.size:.1f}"
    return {
        "label": annotation.label,
        "x": f"{geometry.x:.1f}",
        "y": f"{geometry.y:.1f}",
        "size": size,
        "score": "–" if annotation.score is None else f"{annotation.score:.2f}",
        "source": str(annotation.source),
    }


def page(title: str, looks: Sequence[Look], width: int, note: str) -> str:
    """Return samples one below the other as HTML that needs no script, each with links to the one before and after it."""
    mark = f"labelkit-{uuid4().hex[:8]}"
    samples = [_sample(seen, at, len(looks), mark, width) for at, seen in enumerate(looks)]
    if not samples:
        samples = [static.Html(f"<p>No sample to show. {escape(note)}</p>")]
    elif note:
        samples.insert(0, static.Html(f"<p>{escape(note)}</p>"))
    return static.Html('<!doctype html><meta charset="utf-8">') + static.card(title, *samples)


def _sample(seen: Look, at: int, count: int, mark: str, width: int) -> static.Html:
    sample = seen.sample
    steps = [f'<a href="#{mark}-{other}">{word}</a>' for word, other in (("Previous", at - 1), ("Next", at + 1)) if 0 <= other < count]
    shown = [(name, value) for name, value in facts(sample) if name not in ("Frame sha256", "Label digest")]
    rows = static.table(("Sample", ""), [*shown, ("Labels", _legend(seen))])
    return static.Html(
        f'<div id="{mark}-{at}" style="margin:16px 0"><p><strong>{escape(sample.key)}</strong> '
        f"<small>{at + 1} of {count}</small> {' · '.join(steps)}</p>"
        f'<div style="display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start"><div>{_picture(seen, width)}</div>{rows}</div></div>'
    )


def _legend(seen: Look) -> static.Html:
    """Return the classes with their counts, each beside the colour that it has on the picture."""
    drawn = seen.capability if seen.shapes else None
    counts = Counter(annotation.label for annotation in seen.sample.annotations)
    lines = [
        f'<span style="border-left:12px solid {style_of(drawn, label).colour if drawn else "transparent"};padding-left:4px">'
        f"{escape(label)} {number}</span>"
        for label, number in sorted(counts.items())
    ]
    return static.Html("<br>".join(lines) or "none")


def _picture(seen: Look, width: int) -> static.Html:
    said = ""
    if seen.state.state is not ViewState.READY:
        parts = (TITLES[seen.state.state], seen.state.sentence)
        said = f"<p><strong>{escape(parts[0])}</strong> <code>{escape(seen.state.reason_code)}</code> {escape(parts[1])}</p>"
    if seen.picture is None:
        return static.Html(said)
    sample = seen.sample
    crowded = len(seen.shapes) > NAMED_SHAPES
    shapes = [replace(shape, text="") for shape in seen.shapes] if crowded else seen.shapes
    try:
        picture = still(seen.picture, shapes, (sample.width, sample.height), width, width)
    except (OSError, SyntaxError, ValueError):
        return static.Html("<p><strong>Sample asset unavailable</strong> <code>SAMPLE_ASSET_NOT_AN_IMAGE</code></p>")
    alt = f"Frame {sample.frame_index} of {sample.media} with its labels"
    return static.Html(said + static.image(picture, "image/jpeg", alt, min(width, sample.width)))
