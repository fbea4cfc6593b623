"""Label Studio out: tasks with annotations, one `tasks/<split>.json` a split, streamed, the same bytes for the same samples."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import polars as pl

from labelkit.core.review.annotations import FrameFlag
from labelkit.formats.exports import SAMPLE_FACETS, Facet, Format, file_name, labelled_with, with_split
from labelkit.formats.json_text import decimal, filled, quoted, units
from labelkit.formats.labels.label_rows import labels_of, with_said
from labelkit.formats.labelstudio_regions import FLAGS, OWN
from labelkit.formats.xml_text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from labelkit.core.review.annotations import Capability
    from labelkit.formats.exports import About

DECIMALS = 10  # of percent: a ten-thousandth of a px survives in pictures up to a million px wide
LOCAL_FILES = "/data/local-files/?d="  # how Label Studio addresses pictures below the folder that its server shares
_UNSAFE = r"[^A-Za-z0-9_.~/-]"


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About) -> Mapping[str, int]:
    """Write sample rows (see `exports.Writer`) as Label Studio's JSON, with a file also for a split that gets no sample.

    A sample is a task: its picture is `workspace/media/name` below the folder of local files, its key, group, frame, time and sha256
    stand in the data, and its labels are the regions of one annotation, with the ids and scores that they have here. Geometry is in
    percent, exact to a ten-thousandth of a px; a point is a keypoint of its size (0 where that is unknown). Flags are choices; what
    attributes hold beside further labels and meta stands in the region's `meta`. `label_config.xml` is the interface to set up for them.
    Returns the tasks a file. Raises `INVALID_VALUE` for a class that the capability does not have.
    """
    capability = labelled_with(about)
    (folder / "tasks").mkdir()
    (folder / "label_config.xml").write_text(_interface(capability), encoding="utf-8")
    counts = dict.fromkeys(about.parts, 0)
    tasks = 0
    with ExitStack() as stack:
        files = {part: stack.enter_context((folder / "tasks" / f"{part}.json").open("wb")) for part in counts}
        for chunk in chunks:
            samples = with_split(chunk, about).rechunk().with_row_index("task", offset=tasks + 1)
            sized = samples.with_columns(fw="width", fh="height")
            texts = _texts(samples, _regions(labels_of(sized, capability, "task", "fw", "fh")))
            tasks += samples.height
            for split, of_split in texts.group_by("split", maintain_order=True):
                part = str(split[0])
                files[part].write((",\n" if counts[part] else "[\n").encode() + ",\n".join(of_split["text"].to_list()).encode())
                counts[part] += of_split.height
        for part, file in files.items():
            file.write(b"\n]\n" if counts[part] else b"[]\n")
    return {f"tasks/{part}.json": count for part, count in counts.items()}


def _interface(capability: Capability) -> str:
    """Return the labelling interface for which the tasks are."""
    kind = "KeyPointLabels" if capability.geometry == "point" else "RectangleLabels"
    labels = "".join(f'    <Label value="{escape(label)}"/>\n' for label in capability.classes)
    flags = "".join(f'    <Choice value="{escape(flag)}"/>\n' for flag in FrameFlag)
    choices = f'  <Choices name="{FLAGS}" toName="image" choice="multiple">\n{flags}  </Choices>\n'
    return (
        f'<View>\n  <Image name="image" value="$image"/>\n  <{kind} name="label" toName="image">\n{labels}  </{kind}>\n{choices}</View>\n'
    )


def _texts(samples: pl.DataFrame, regions: pl.DataFrame) -> pl.DataFrame:
    """Return split and JSON text of each sample's task, in order."""
    named = samples.with_columns(image=LOCAL_FILES + _addressed(samples.select(name=file_name()).to_series()))
    joined = named.join(regions, on="task", how="left", maintain_order="left")
    joined = joined.with_columns(quoted(joined[name]) for name in ("image", "sample_key", "group_key", "sha256"))
    flags = filled(
        f'{{"id":"{FLAGS}","type":"choices","from_name":"{FLAGS}","to_name":"image","value":{{"choices":["$"]}}}}',
        pl.col("flags").list.join('","'),
    )
    drawn = pl.col("regions").fill_null("")
    between = pl.when((drawn != "") & (pl.col("flags").list.len() > 0)).then(pl.lit(",")).otherwise(pl.lit(""))
    flagged = pl.when(pl.col("flags").list.len() > 0).then(flags).otherwise(pl.lit(""))
    text = filled(
        '{"id":$,"data":{"image":$,"sample_key":$,"group_key":$,"frame_index":$,"pts_ms":$,"sha256":$,"width":$,"height":$},'
        '"annotations":[{"id":$,"result":[$]}]}',
        *("task", "image", "sample_key", "group_key", "frame_index", decimal(units(pl.col("pts_ms")), 4).fill_null("null"), "sha256"),
        *("width", "height", "task", pl.concat_str(drawn, between, flagged)),
    )
    return joined.select("split", text=text)


def _addressed(names: pl.Series) -> pl.Series:
    """Return paths as they stand in an address."""
    strange = names.filter(names.str.contains(_UNSAFE)).unique()
    return names.replace(strange, [quote(name, safe="/") for name in strange]) if strange.len() else names


def _regions(rows: pl.DataFrame) -> pl.DataFrame:
    """Return task and the JSON text of all its regions, in order."""
    said = with_said(rows, ("label", "attributes"), _said, {"labels": None, "turn": "0", "tail": ""})
    said = said.with_columns(quoted(said["label"]), quoted(said["id"]))
    point = pl.col("width").is_null()
    place = [pl.col(name) / pl.col(side) for name, side in (("x", "fw"), ("y", "fh"), ("width", "fw"), ("height", "fh"))]
    sides = filled('"x":$,"y":$,"width":$,"height":$,"rotation":0,"rectanglelabels"', *map(_percent, place))
    spot = filled('"x":$,"y":$,"width":$,"keypointlabels"', *map(_percent, (*place[:2], pl.col("size").fill_null(0.0) / pl.col("fw"))))
    text = pl.concat_str(
        filled('{"id":$,"type":"', "id"),
        pl.when(point).then(pl.lit("keypointlabels")).otherwise(pl.lit("rectanglelabels")),
        filled('","from_name":"label","to_name":"image","original_width":$,"original_height":$,"image_rotation":$', "fw", "fh", "turn"),
        pl.lit(',"value":{'),
        pl.when(point).then(spot).otherwise(sides),
        filled(":$}", pl.coalesce("labels", filled("[$]", "label"))),
        filled(',"score":$', "score").fill_null(""),
        pl.col("tail"),
        pl.lit("}"),
    )
    return said.select("task", text=text).group_by("task", maintain_order=True).agg(regions=pl.col("text").str.join(","))


def _percent(share: pl.Expr) -> pl.Expr:
    return decimal((share * 10 ** (DECIMALS + 2)).round().cast(pl.Int64), DECIMALS)


def _said(label: str, text: str) -> tuple[str | None, str, str]:
    """Return the labels where there are several, the turn of the view, and the rest of a region's text."""
    attributes: dict[str, Any] = json.loads(text)
    labels, turn, meta = attributes.get("labels"), attributes.get("image_rotation"), attributes.get("meta")
    several = isinstance(labels, list) and len(labels) > 1 and labels[0] == label and all(isinstance(one, str) and one for one in labels)
    turned = isinstance(turn, int | float) and not isinstance(turn, bool) and turn != 0
    noted = isinstance(meta, dict) and meta and OWN not in meta
    placed = {name for name, there in (("labels", several), ("image_rotation", turned), ("meta", noted)) if there}
    rest = {name: value for name, value in attributes.items() if name not in placed}
    said = (meta if noted and isinstance(meta, dict) else {}) | ({OWN: rest} if rest else {})
    tail = f',"meta":{_json(said)}' if said else ""
    return _json(labels) if several else None, _json(turn) if turned else "0", tail


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


FORMAT = Format("labelstudio", write, carries=SAMPLE_FACETS - {Facet.SOURCES}, takes=frozenset({"samples"}))
