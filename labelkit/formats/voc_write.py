"""Pascal VOC out: an XML file a sample below `Annotations/`, a list of samples a split, the same bytes for the same samples."""

from __future__ import annotations

import io
import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.formats.exports import SAMPLE_FACETS, Facet, Format, file_name, labelled_with, with_split
from labelkit.formats.json_text import decimal, filled, units
from labelkit.formats.labels.label_rows import labels_of, with_said
from labelkit.formats.labels.sample_files import SampleFiles, label_file
from labelkit.formats.voc import FLAGS, OWN, attributes_of
from labelkit.formats.xml_stream import elements
from labelkit.formats.xml_text import escape, with_escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from labelkit.core.review.annotations import Capability
    from labelkit.formats.exports import About, WrittenFile

_HEAD = {"pose": "Unspecified", "truncated": "0", "difficult": "0", "occluded": "0"}  # what every object says, and what says nothing
_TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_OWN_FIELDS = (*_HEAD, *FLAGS)
_LABEL_MAP = "# label:color_rgb:parts:actions\nbackground:0,0,0::\n"  # what CVAT and Datumaro know the classes by


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About) -> Mapping[str, WrittenFile]:
    """Write sample rows (see `exports.Writer`) as VOC: `Annotations/<workspace>/<media>/<stem>.xml`, `ImageSets/Main/<split>.txt`.

    Corners are exact and taken as edges, as our reader, CVAT and LabelImg take them. A point is a square of its size (0 where that is
    unknown). Truncated, difficult, occluded, pose, parts and whatever else VOC has elements for stand there, other attributes in
    `<attributes>`, the score in `<score>`; an element `<labelkit>` holds ids, exact points, and attributes where the form of VOC does not
    give them back exactly. Returns what is known of the label files. Raises `INVALID_VALUE` for a class that the capability does not
    have, for a sign that XML cannot hold, and where two samples would have the same file.
    """
    capability = labelled_with(about)
    files = SampleFiles(folder, "Annotations/")
    main = folder / "ImageSets" / "Main"
    main.mkdir(parents=True)
    (folder / "Annotations").mkdir()
    with ExitStack() as stack:
        lists = {part: stack.enter_context((main / f"{part}.txt").open("w", encoding="utf-8", newline="\n")) for part in about.parts}
        for chunk in chunks:
            texts = _texts(with_split(chunk, about).rechunk(), capability)
            files.put(texts["name"] + ".xml", texts["text"])
            for split, of_split in texts.group_by("split", maintain_order=True):
                lists[str(split[0])].writelines(f"{name}\n" for name in of_split["name"].to_list())
    (folder / "labelmap.txt").write_text(_LABEL_MAP + "".join(f"{name}:::\n" for name in capability.classes), encoding="utf-8")
    return files.written


def _texts(samples: pl.DataFrame, capability: Capability) -> pl.DataFrame:
    """Return split, name (of the file, without suffix) and text of each sample, in order."""
    numbered = samples.with_row_index("sample").with_columns(name=label_file(file_name(), ""))
    objects = _objects(labels_of(numbered, capability, "sample"))
    joined = numbered.join(objects, on="sample", how="left", maintain_order="left")
    texts = ("workspace", "media", "frame_name", "sample_key", "group_key", "sha256")
    flags = joined["flags"].list.join(",")
    shown = pl.when(pl.col("frame_name") == "").then(file_name().str.replace(r"^.*/", "")).otherwise("frame_name")
    safe = with_escaped(joined.with_columns(frame_name=shown, said_flags=flags), *texts, "said_flags")
    said = filled(
        f"\t<{OWN}><sample_key>$</sample_key><group>$</group><frame_index>$</frame_index><pts_ms>$</pts_ms><sha256>$</sha256>"
        f"<flags>$</flags></{OWN}>\n",
        *("sample_key", pl.col("group_key").fill_null(""), "frame_index"),
        *(decimal(units(pl.col("pts_ms")), 4).fill_null(""), pl.col("sha256").fill_null(""), "said_flags"),
    )
    head = filled(
        "<annotation>\n\t<folder>$/$</folder>\n\t<filename>$</filename>\n\t<source><database>labelkit</database></source>\n"
        "\t<size><width>$</width><height>$</height><depth>3</depth></size>\n\t<segmented>0</segmented>\n",
        *("workspace", "media", "frame_name", "width", "height"),
    )
    return safe.select("split", "name", text=pl.concat_str(head, said, pl.col("objects").fill_null(""), pl.lit("</annotation>\n")))


def _objects(rows: pl.DataFrame) -> pl.DataFrame:
    """Return sample and the text of all its objects, in order."""
    plain = {"before": _before({}), "after": "", "exact": ""}
    rows = with_escaped(with_said(rows, ("attributes",), _said, plain), "label", "id")
    point = pl.col("width").is_null()
    x, y = units(pl.col("x")), units(pl.col("y"))
    size = units(pl.col("size").fill_null(0.0))
    # half a size may be half a ten-thousandth, so corners around a point have one digit more
    sides = ((x, y, -1), (x, y, 1))
    around = [decimal(at * 10 + size * 5 * sign, 5) for *ats, sign in sides for at in ats]
    box = [decimal(value, 4) for value in (x, y, x + units(pl.col("width")), y + units(pl.col("height")))]
    corners = [pl.when(point).then(of_point).otherwise(of_box) for of_point, of_box in zip(around, box, strict=True)]
    exact_point = filled("<x>$</x><y>$</y>", decimal(x, 4), decimal(y, 4))
    text = pl.concat_str(
        filled("\t<object>\n\t\t<name>$</name>\n$", "label", "before"),
        filled("\t\t<bndbox><xmin>$</xmin><ymin>$</ymin><xmax>$</xmax><ymax>$</ymax></bndbox>\n", *corners),
        filled("\t\t<score>$</score>\n", "score").fill_null(""),
        pl.col("after"),
        pl.lit(f"\t\t<{OWN}>"),
        filled("<id>$</id>", "id").fill_null(""),
        pl.when(point).then(exact_point).otherwise(pl.lit("")),
        pl.when(point & pl.col("size").is_not_null()).then(filled("<size>$</size>", decimal(size, 4))).otherwise(pl.lit("")),
        pl.col("exact"),
        pl.lit(f"</{OWN}>\n\t</object>\n"),
    )
    return rows.select("sample", text=text).group_by("sample", maintain_order=True).agg(objects=pl.col("text").str.join(""))


def _said(text: str) -> tuple[str, str, str]:
    """Return what attributes say before the box and after it, and the element with all of them where VOC's form does not hold them."""
    attributes: dict[str, Any] = json.loads(text)
    before = _before(attributes)
    after = "".join(_element(name, value) for name, value in attributes.items() if name not in _HEAD and _is_element(name, value))
    listed = {name: value for name, value in attributes.items() if name not in _HEAD and not _is_element(name, value)}
    if listed:
        one = "<attribute><name>{}</name><value>{}</value></attribute>"
        after += f"\t\t<attributes>{''.join(one.format(escape(name), _text(value)) for name, value in listed.items())}</attributes>\n"
    written = f"<annotation><object>{before}{after}</object></annotation>"
    parts = list(elements(io.BytesIO(written.encode()), "annotation"))
    return before, after, "" if attributes_of(parts[0]) == text else f"<attributes>{escape(text)}</attributes>"


def _before(attributes: dict[str, Any]) -> str:
    return "".join(f"\t\t<{name}>{_text(attributes.get(name, nothing))}</{name}>\n" for name, nothing in _HEAD.items())


def _is_element(name: str, value: object) -> bool:
    """Say whether VOC holds such a value in an element of its own, not in the list of attributes."""
    return _TAG.fullmatch(name) is not None and name != OWN and (name in _OWN_FIELDS or isinstance(value, dict | list))


def _element(name: str, value: Any) -> str:  # noqa: ANN401 (JSON)
    values = value if isinstance(value, list) else [value]
    return "".join(f"\t\t<{name}>{_inside(one)}</{name}>\n" for one in values)


def _inside(value: Any) -> str:  # noqa: ANN401 (JSON)
    if not isinstance(value, dict):
        return _text(value)
    names = (name for name in value if _TAG.fullmatch(name))  # what is left out here makes the exact text necessary
    return "".join(_element(name, value[name]).strip() for name in names)


def _text(value: Any) -> str:  # noqa: ANN401 (JSON)
    return escape("1" if value is True else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


FORMAT = Format("voc", write, carries=SAMPLE_FACETS - {Facet.SOURCES, Facet.POINTS}, takes=frozenset({"samples"}))
