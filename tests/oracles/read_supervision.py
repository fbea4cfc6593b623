"""Boxes as supervision reads them: one item a box, with the name of its picture's file, its class and its corners in px."""

import supervision as sv


def items(folder, format, images, labels, classes_file=None):
    """Read the labels in `folder/labels` of the pictures in the folder `images`; `classes_file` is below `folder` too."""
    if format == "coco":
        found = sv.DetectionDataset.from_coco(images, f"{folder}/{labels}")
    elif format == "voc":
        found = sv.DetectionDataset.from_pascal_voc(images, f"{folder}/{labels}")
    else:
        found = sv.DetectionDataset.from_yolo(images, f"{folder}/{labels}", f"{folder}/{classes_file}")
    for path, detections in found.annotations.items():
        for corners, number in zip(detections.xyxy.tolist(), detections.class_id.tolist(), strict=True):
            left, top, right, bottom = corners
            shift = 1 if format == "voc" else 0  # it takes corners for pixels counted from 1, as the kit of the challenge does
            yield {
                "picture": path.replace("\\", "/").rpartition("/")[2],
                "label": found.classes[number],
                "corners": [left + shift, top + shift, right, bottom],
            }
