"""CVAT out: one `annotations/<split>.xml` a split (CVAT for images 1.1), streamed, the same bytes for the same samples."""

from __future__ import annotations

import io
import json
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.formats.cvat_shapes import OWN_ATTRIBUTES, OWN_FLAG, OWN_ID, OWN_SCORE, OWN_SIZE, attributes_of
from labelkit.formats.exports import SAMPLE_FACETS, Facet, Format, file_name, labelled_with, with_split
from labelkit.formats.json_text import decimal, filled, units
from labelkit.formats.labels.label_rows import labels_of, with_said
from labelkit.formats.xml_stream import elements
from labelkit.formats.xml_text import escape, escaped, with_escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from labelkit.formats.exports import About

_WHOLE = {"z_order", "group_id"}
_PLAIN = ' source="manual" occluded="0" z_order="0"'
_ATTRIBUTE = '      <attribute name="{}">{}</attribute>\n'
_DECLARED = (
    "          <attribute><name>{}</name><mutable>False</mutable><input_type>text</input_type><default_value></default_value>"
    "<values></values></attribute>\n"
)


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About) -> Mapping[str, int]:
    """Write sample rows (see `exports.Writer`) as CVAT for images, and return the samples a file.

    Images count from 0 in each file and are named workspace/media/name of the frame. Coordinates are exact; points are `<points>` of one
    point. Occluded, z_order, group_id and source stand where CVAT has them, other attributes and scores in `<attribute>`, declared with
    their labels; a flag of a picture is a `<tag>`. Ids, sizes of points, and attributes that are no texts stand in attributes of the
    element named `labelkit_…`, which CVAT passes over. Raises `INVALID_VALUE` for a class that the capability does not have, and for a
    sign that XML cannot hold.
    """
    capability = labelled_with(about)
    parts = folder / ".parts"
    parts.mkdir()
    (folder / "annotations").mkdir()
    with ExitStack() as stack:
        files = {part: stack.enter_context((parts / part).open("w+b")) for part in about.parts}
        counts, said, flags = dict.fromkeys(files, 0), {part: set[tuple[str, str]]() for part in files}, dict[str, set[str]]()
        for chunk in chunks:
            for split, samples in with_split(chunk, about).rechunk().group_by("split", maintain_order=True):
                part = str(split[0])
                rows = labels_of(samples.with_row_index("sample"), capability, "sample")
                said[part] |= set(_names(rows))
                flags.setdefault(part, set()).update(samples["flags"].explode().drop_nulls())
                files[part].write("".join(_texts(samples, rows, counts[part]).to_list()).encode())
                counts[part] += samples.height
        for part, images in files.items():
            with (folder / "annotations" / f"{part}.xml").open("wb") as file:
                file.write(_header(about.title, counts[part], capability.classes, said[part], flags.get(part, set())).encode())
                images.seek(0)
                shutil.copyfileobj(images, file, 1 << 20)
                file.write(b"</annotations>\n")
    shutil.rmtree(parts)
    return {f"annotations/{part}.xml": count for part, count in counts.items()}


def _header(title: str, count: int, classes: Iterable[str], said: set[tuple[str, str]], flags: set[str]) -> str:
    """Return what stands before the images: the task with its labels and the attributes that they have."""
    labels = ""
    for label in (*classes, *sorted(flags - set(classes))):
        declared = "".join(_DECLARED.format(escape(name)) for one, name in sorted(said) if one == label)
        within = f"\n{declared}        " if declared else ""
        labels += f"        <label><name>{escape(label)}</name><attributes>{within}</attributes></label>\n"
    task = f"      <name>{escape(title)}</name>\n      <size>{count}</size>\n      <mode>annotation</mode>\n"
    meta = f"  <meta>\n    <task>\n{task}      <labels>\n{labels}      </labels>\n    </task>\n  </meta>\n"
    return f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n{meta}'


def _names(rows: pl.DataFrame) -> Iterable[tuple[str, str]]:
    """Yield label and name of every attribute that labels have here, scores among them."""
    for label in rows.filter(pl.col("score").is_not_null())["label"].unique():
        yield label, "score"
    for label, text in rows.select("label", "attributes").drop_nulls().unique().iter_rows():
        yield from ((label, name) for name in _listed(json.loads(text)))


def _texts(samples: pl.DataFrame, rows: pl.DataFrame, first: int) -> pl.Series:
    """Return the text of each sample with its shapes and flags, in order; images are numbered from `first`."""
    numbered = samples.with_row_index("sample").with_columns(name=file_name())
    joined = numbered.join(_shapes(rows), on="sample", how="left", maintain_order="left")
    safe = with_escaped(joined, "name", "sample_key", "group_key", "sha256")
    tag = pl.format('    <tag label="{}" source="manual" ' + OWN_FLAG + '="1"></tag>\n', pl.element())
    flags = (
        pl.Series(samples["flags"].to_list(), dtype=pl.List(pl.String)).list.eval(tag).list.join("") if samples.height else samples["flags"]
    )
    return (
        safe.with_columns(tags=flags)
        .select(
            pl.concat_str(
                filled('  <image id="$" name="$" width="$" height="$"', pl.col("sample").cast(pl.Int64) + first, "name", "width", "height"),
                filled(' sample_key="$" frame_index="$"', "sample_key", "frame_index"),
                filled(' group_key="$"', "group_key").fill_null(""),
                filled(' pts_ms="$"', decimal(units(pl.col("pts_ms")), 4)).fill_null(""),
                filled(' sha256="$"', "sha256").fill_null(""),
                pl.lit(">\n"),
                pl.col("shapes").fill_null(""),
                pl.col("tags"),
                pl.lit("  </image>\n"),
            )
        )
        .to_series()
    )


def _shapes(rows: pl.DataFrame) -> pl.DataFrame:
    """Return sample and the text of all its shapes, in order."""
    safe = with_escaped(with_said(rows, ("attributes",), _said, {"built_in": _PLAIN, "inside": "", "exact": None}), "label", "id")
    all_of_them = escaped(rows["attributes"]).fill_null("")
    point, scored = pl.col("width").is_null(), pl.col("score").is_not_null()
    x, y, width, height, size = (units(pl.col(name)) for name in ("x", "y", "width", "height", "size"))
    corners = [decimal(value, 4) for value in (x, y, x + width, y + height)]
    tag = pl.when(point).then(pl.lit("points")).otherwise(pl.lit("box"))
    at = filled(' points="$,$"', *corners[:2])
    sides = filled(' xtl="$" ytl="$" xbr="$" ybr="$"', *corners)
    inside = pl.concat_str(filled(_ATTRIBUTE.format("score", "$"), "score").fill_null(""), "inside")
    text = pl.concat_str(
        pl.format("    <{}", tag),
        filled(' label="$"$', "label", "built_in"),
        pl.when(point).then(at).otherwise(sides),
        filled(f' {OWN_ID}="$"', "id").fill_null(""),
        filled(f' {OWN_SCORE}="$"', "score").fill_null(""),
        pl.when(point).then(filled(f' {OWN_SIZE}="$"', decimal(size, 4))).fill_null(""),
        pl.when(scored | pl.col("exact").is_not_null()).then(filled(f' {OWN_ATTRIBUTES}="$"', "all_of_them")).fill_null(""),
        pl.when(inside == "").then(pl.lit("/>\n")).otherwise(pl.format(">\n{}    </{}>\n", inside, tag)),
    )
    return (
        safe.with_columns(all_of_them=all_of_them)
        .select("sample", text=text)
        .group_by("sample", maintain_order=True)
        .agg(shapes=pl.col("text").str.join(""))
    )


def _said(text: str) -> tuple[str, str, str | None]:
    """Return the attributes that every shape has, the others as elements, and the text of all where CVAT's form does not hold them."""
    attributes: dict[str, Any] = json.loads(text)
    built_in = {"source": "manual", "occluded": 0, "z_order": 0} | {
        name: attributes[name] for name in _WHOLE if isinstance(attributes.get(name), int) and not isinstance(attributes[name], bool)
    }
    if attributes.get("occluded") is True:
        built_in["occluded"] = 1
    if isinstance(attributes.get("source"), str):
        built_in["source"] = attributes["source"]
    before = "".join(f' {name}="{escape(str(value))}"' for name, value in built_in.items())
    inside = "".join(_ATTRIBUTE.format(escape(name), _text(value)) for name, value in _listed(attributes).items())
    written = f"<annotations><image><box{before}>{inside}</box></image></annotations>"
    box = next(elements(io.BytesIO(written.encode()), "annotations", depth=2))
    return before, inside, None if attributes_of(box, None, {}) == text else text


def _listed(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes for which a shape has no place but its list."""
    return {name: value for name, value in attributes.items() if name not in {"source", "occluded", *_WHOLE}}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"  # as CVAT writes a checkbox
    return escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


FORMAT = Format("cvat", write, carries=SAMPLE_FACETS - {Facet.SOURCES}, takes=frozenset({"samples"}))
