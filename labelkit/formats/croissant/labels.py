"""What formats of labels hold, in Croissant's words: pictures, boxes and classes of COCO, YOLO, VOC, CVAT and Label Studio."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from labelkit.formats.croissant.fields import Node, Place, field, field_id, file_set, record_set, split_field, split_pattern
from labelkit.formats.exports import labelled_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.formats.exports import About

Described: TypeAlias = tuple[list[Node], list[Node]]
"""Sets of files and sets of records."""

_BOX = "cr:BoundingBox"
_NUMBER = r"\S+"


def coco(about: About) -> Described:
    """Images and annotations by path; a loader reads one list of a file at a time, so each list is a set of files of its own.

    For the same reason no reference ties the two: that `image_id` is the id of an image is said in words.
    """
    split = split_pattern(about.splits, r"annotations/instances_", r"\.json")
    names = ("images", "annotations")
    sets = [file_set(f"{name}-files", "application/json", "annotations/instances_*.json") for name in names]
    images, annotations = (Place("fileSet", f"{name}-files", split) for name in names)
    of_image = [("id", "cr:Int64"), ("file_name", "sc:Text"), ("width", "cr:Int64"), ("height", "cr:Int64"), ("sample_key", "sc:Text")]
    of_annotation = [("id", "cr:Int64"), ("image_id", "cr:Int64"), ("category_id", "cr:Int64"), ("bbox", _BOX), ("area", "cr:Float64")]
    more = {"bbox": {"description": "Left, top, width and height in pixels."}}
    links = {"category_id": field_id("categories", "id")}
    fields = {
        "images": [field("images", name, kind, _at(images, "images", name)) for name, kind in of_image],
        "annotations": [
            field("annotations", name, kind, _at(annotations, "annotations", name), **more.get(name, {}), **_link(links.get(name)))
            for name, kind in of_annotation
        ],
    }
    return sets, [
        categories(about, 1),
        record_set("images", "Pictures that were looked at.", [*fields["images"], *split_field("images", images)], key="id"),
        record_set(
            "annotations",
            "What was labelled; image_id is the id of an image.",
            [*fields["annotations"], *split_field("annotations", annotations)],
            key="id",
        ),
    ]


def yolo(about: About) -> Described:
    """A record a line: the class and the box as shares of the picture, with the file that says which picture it is.

    Loaders cannot join by a part of a line, or by a path that is shown too: that `category_id` is the id of a category and `split` the
    name of a split is said in words and by types.
    """
    place = Place("fileSet", "label-files", split_pattern(about.splits, "labels/", r"/.*\.txt"))
    path, lines = {"fileProperty": "fullpath"}, {"fileProperty": "lines"}
    box = f"^{_NUMBER} ({' '.join([_NUMBER] * 4)})"
    fields = [
        field("annotations", "file", "sc:Text", place.source(path)),
        field("annotations", "category_id", "cr:Int64", place.source(lines, transform={"regex": f"^({_NUMBER}) "})),
        field("annotations", "bbox", _BOX, place.source(lines, transform={"regex": box}, format="REL_CENTER_XYWH")),
    ]
    if place.split is not None:
        split = place.source(path, transform={"regex": place.split})
        fields.append(field("annotations", "split", ["sc:Text", "cr:Split"], split))
    described = record_set("annotations", "What was labelled, a line each; category_id is the id of a category.", fields)
    return [file_set("label-files", "text/plain", "labels/**/*.txt")], [categories(about, 0), described]


def voc(about: About) -> Described:
    """A record a picture, with its XML as text, which Croissant does not look into; and which split each is in."""
    labels, lists = (
        Place("fileSet", "label-files"),
        Place("fileSet", "split-files", split_pattern(about.parts, "ImageSets/Main/", r"\.txt")),
    )
    records = [
        categories(about, 0),
        record_set(
            "annotations",
            "A file a picture, in the XML of Pascal VOC; <bndbox> has the edges in pixels.",
            [
                field("annotations", "file", "sc:Text", labels.source({"fileProperty": "fullpath"})),
                field("annotations", "xml", "sc:Text", labels.source({"fileProperty": "content"})),
            ],
        ),
    ]
    if about.splits:
        name = field("split_members", "name", "sc:Text", lists.source({"fileProperty": "lines"}))
        fields = [name, *split_field("split_members", lists)]
        records.append(record_set("split_members", "Which pictures are in which split: paths below Annotations, without .xml.", fields))
    members = [file_set("split-files", "text/plain", "ImageSets/Main/*.txt")] if about.splits else []
    return [file_set("label-files", ["application/xml", "text/plain"], "Annotations/**/*.xml"), *members], records


def cvat(about: About) -> Described:
    """A record a file, with its XML as text, which Croissant does not look into."""
    place = Place("fileSet", "label-files", split_pattern(about.splits, "annotations/", r"\.xml"))
    fields = [
        field("annotations", "file", "sc:Text", place.source({"fileProperty": "filename"})),
        field("annotations", "xml", "sc:Text", place.source({"fileProperty": "content"})),
        *split_field("annotations", place),
    ]
    described = record_set("annotations", "The XML of CVAT for images 1.1: each <image> has its <box> and <points> in pixels.", fields)
    return [file_set("label-files", ["application/xml", "text/plain"], "annotations/*.xml")], [categories(about, 0), described]


def labelstudio(about: About) -> Described:
    """A record a task: its picture and sample; the regions lie deeper than one list, where no path of Croissant reaches."""
    place = Place("fileSet", "task-files", split_pattern(about.splits, "tasks/", r"\.json"))
    fields = [
        field("tasks", "id", "cr:Int64", place.source({"jsonPath": "[*].id"})),
        field("tasks", "image", "sc:Text", place.source({"jsonPath": "[*].data.image"})),
        field("tasks", "sample_key", "sc:Text", place.source({"jsonPath": "[*].data.sample_key"})),
        *split_field("tasks", place),
    ]
    described = record_set(
        "tasks", "Tasks of Label Studio; annotations[0].result has the regions, in percent of the picture.", fields, key="id"
    )
    return [file_set("task-files", "application/json", "tasks/*.json")], [categories(about, 0), described]


LABEL_FORMATS: dict[str, Callable[[About], Described]] = {one.__name__: one for one in (coco, yolo, voc, cvat, labelstudio)}


def categories(about: About, first: int) -> Node:
    """Return the classes as an enumeration, numbered from `first`."""
    classes = enumerate(labelled_with(about).classes, first)
    data = [{field_id("categories", "id"): number, field_id("categories", "name"): name} for number, name in classes]
    fields = [field("categories", "id", "cr:Int64"), field("categories", "name", "sc:Text")]
    return record_set("categories", "The classes.", fields, key="id", data=data) | {"dataType": "sc:Enumeration"}


def _at(place: Place, records: str, name: str) -> Node:
    return place.source({"jsonPath": f"{records}[*].{name}"}, **({"format": "XYWH"} if name == "bbox" else {}))


def _link(to: str | None) -> Node:
    return {} if to is None else {"references": {"field": {"@id": to}}}
