"""What the columns of a table of labels mean, by their names in any of the usual spellings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from labelkit.errors import InvalidValue, LabelsUnreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

BoxForm = Literal["xywh", "xyxy", "cxcywh"]
ALIASES: Mapping[str, tuple[str, ...]] = {  # small letters and digits only: `X Min`, `x_min` and `XMin` are one
    "image": (
        *("image", "imagename", "imagepath", "imagefile", "imagefilename", "imageid", "img", "imgname", "imgpath", "imgid"),
        *("filename", "file", "filepath", "path", "framename"),
    ),
    "frame": ("frame", "frameindex", "frameid", "framenumber", "frameno"),
    "label": ("label", "labelname", "class", "classname", "category", "categoryname"),
    "number": ("classid", "labelid", "categoryid", "classindex", "cls", "clsid"),
    "score": ("score", "confidence", "conf", "probability", "prob"),
    "left": ("x", "x0", "x1", "xmin", "minx", "left", "xtl", "xleft", "bboxx", "bboxx1", "bboxxmin", "bboxleft", "bbleft", "boxxmin"),
    "top": ("y", "y0", "y1", "ymin", "miny", "top", "ytl", "ytop", "bboxy", "bboxy1", "bboxymin", "bboxtop", "bbtop", "boxymin"),
    "right": ("x2", "xmax", "maxx", "right", "xbr", "xright", "bboxx2", "bboxxmax", "bboxright", "boxxmax"),
    "bottom": ("y2", "ymax", "maxy", "bottom", "ybr", "ybottom", "bboxy2", "bboxymax", "bboxbottom", "boxymax"),
    "width": ("w", "width", "bboxw", "bboxwidth", "bbwidth", "boxwidth"),
    "height": ("h", "height", "bboxh", "bboxheight", "bbheight", "boxheight"),
    "centre_x": ("cx", "xc", "xcenter", "xcentre", "centerx", "centrex", "bboxcx"),
    "centre_y": ("cy", "yc", "ycenter", "ycentre", "centery", "centrey", "bboxcy"),
    "size": ("size", "diameter"),
    "box": ("bbox", "box", "boundingbox"),
    "image_width": ("imagewidth", "imgwidth", "imagew", "imgw", "framewidth"),
    "image_height": ("imageheight", "imgheight", "imageh", "imgh", "frameheight"),
}
FLAGS = ("occluded", "truncated", "difficult", "iscrowd", "isoccluded", "istruncated", "isgroupof", "isdepiction", "isinside")
KEPT = ("trackid", "visibility")
_MEANINGS = {alias: meaning for meaning, aliases in ALIASES.items() for alias in aliases}
FORMS: Mapping[str, tuple[str, ...]] = {  # how a place is said: the first of which all columns are there
    "xyxy": ("left", "top", "right", "bottom"),
    "xywh": ("left", "top", "width", "height"),
    "cxcywh": ("centre_x", "centre_y", "width", "height"),
    "box": ("box",),
    "point": ("left", "top"),
    "centre": ("centre_x", "centre_y"),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a table says what: `of` by meaning, `form` how the place is said, and what is kept and left out."""

    of: Mapping[str, str]
    form: str
    flags: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def columns_of(source: object, names: Sequence[str], *, box: BoxForm | None, attributes: Sequence[str]) -> Columns:
    """Return what the columns mean. Raises `LABELS_UNREADABLE` where none says where a label is, `INVALID_VALUE` for wrong options."""
    unknown = [name for name in attributes if name not in names]
    if unknown:
        raise InvalidValue(what="attributes", reason=f"{source} has no column {unknown[0]!r}", fix=f"Use some of: {', '.join(names)}.")
    letters = {name: _plain(name) for name in names}
    of: dict[str, str] = {}
    others = []
    for name in names:
        meaning = None if name in attributes else _meaning(letters[name], letters.values())
        if meaning is None or meaning in of:
            others.append(name)
        else:
            of[meaning] = name
    form = _form(source, of, names, box)
    if form == "xyxy":  # then width and height are the picture's
        of |= {f"image_{side}": of.pop(side) for side in ("width", "height") if side in of and f"image_{side}" not in of}
    flags = tuple(name for name in others if letters[name] in FLAGS and name not in attributes)
    kept = tuple(name for name in others if letters[name] in KEPT or name in attributes)
    return Columns(of, form, flags, kept, tuple(name for name in others if name not in {*flags, *kept}))


def _form(source: object, of: Mapping[str, str], names: Sequence[str], box: BoxForm | None) -> str:
    form = next((form for form, needed in FORMS.items() if all(meaning in of for meaning in needed)), None)
    if form is None:
        fix = "Name the columns: columns=['image', 'label', 'xmin', 'ymin', 'xmax', 'ymax'], or x, y, width, height, or bbox."
        raise LabelsUnreadable(source=source, reason=f"no columns say where a label is; it has {', '.join(names)[:200] or 'none'}", fix=fix)
    if form == "box" and box is None:
        fix = "Pass box='xyxy', box='xywh' or box='cxcywh'."
        raise LabelsUnreadable(source=source, reason=f"{of['box']} may be corners, or a corner and sides", fix=fix)
    return form


def _meaning(letters: str, all_letters: Collection[str]) -> str | None:
    """Return what a column means; where there is x0, x1 is the other side."""
    if letters in {"x1", "y1"} and f"{letters[0]}0" in all_letters:
        return "right" if letters == "x1" else "bottom"
    return _MEANINGS.get(letters)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
