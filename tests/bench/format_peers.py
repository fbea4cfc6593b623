"""Other libraries writing and reading formats, run by their interpreters, without labelkit: `FOLDER WORK SHARE`.

The folder holds what the works need: rows.parquet (rows to export), boxes.json (images, each with its boxes, in JSON lines),
coco/ (annotations/instances_train.json), yolo/ (images, labels, data.yaml), pictures/. Of a share of 10 only a tenth is done. Prints the
seconds and the peak memory in MB, as JSON. What a work needs is made before the clock starts.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
CLASSES = ["player", "goalkeeper", "referee", "ball"]
WORKS: dict[str, Callable[[int], Callable[[], object]]] = {}


def work(function: Callable[[int], Callable[[], object]]) -> Callable[[int], Callable[[], object]]:
    WORKS[function.__name__.replace("_", " ")] = function
    return function


def fresh(name: str) -> Path:
    folder = HERE / "made" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def rows(share: int):
    import datasets

    datasets.disable_progress_bars()
    whole = datasets.Dataset.from_parquet(str(HERE / "rows.parquet"), cache_dir=str(HERE / "made" / "cache"))
    return whole.select(range(len(whole) // share))


@work
def datasets_jsonl(share: int):
    ours, folder = rows(share), fresh("datasets")
    return lambda: ours.to_json(folder / "data.jsonl")


@work
def datasets_csv(share: int):
    ours, folder = rows(share), fresh("datasets")
    return lambda: ours.to_csv(folder / "data.csv")


@work
def datasets_parquet(share: int):
    ours, folder = rows(share), fresh("datasets")
    return lambda: ours.to_parquet(folder / "data.parquet")


@work
def tfrecord_tfrecord(share: int):
    import pyarrow.parquet as pq
    from tfrecord import TFRecordWriter

    table = pq.read_table(HERE / "rows.parquet")
    taken, folder = table.slice(0, table.num_rows // share).to_pylist(), fresh("tfrecord")
    kinds = {str: lambda value: (value.encode(), "byte"), float: lambda value: (value, "float"), int: lambda value: (value, "int")}

    def write() -> None:
        writer = TFRecordWriter(str(folder / "data.tfrecord"))
        for row in taken:
            writer.write(
                {
                    name: kinds.get(type(value), kinds[int])(int(value) if value is True or value is False else value)
                    for name, value in row.items()
                }
            )
        writer.close()

    return write


def images(share: int) -> list[dict]:
    with (HERE / "boxes.json").open(encoding="utf-8") as file:
        lines = file.readlines()
    return [json.loads(line) for line in lines[: len(lines) // share]]


def datumaro_dataset(share: int):
    from datumaro.components.annotation import Bbox
    from datumaro.components.dataset import Dataset
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.media import Image

    return Dataset.from_iterable(
        [
            DatasetItem(
                id=one["name"].removesuffix(".jpg"),
                subset="train",
                media=Image.from_file(path=one["name"], size=(1080, 1920)),
                annotations=[Bbox(*box[1:], label=box[0], id=n, group=n) for n, box in enumerate(one["boxes"])],
            )
            for one in images(share)
        ],
        categories=CLASSES,
        media_type=Image,
    )


@work
def datumaro_coco(share: int):
    ours, folder = datumaro_dataset(share), fresh("datumaro")
    return lambda: ours.export(str(folder), "coco_instances", save_media=False)


@work
def datumaro_yolo(share: int):
    ours, folder = datumaro_dataset(share), fresh("datumaro")
    return lambda: ours.export(str(folder), "yolo", save_media=False)


def supervision_dataset(share: int):
    import numpy as np
    import supervision as sv

    annotations = {}
    for one in images(share):
        boxes = np.array([[x, y, x + w, y + h] for _, x, y, w, h in one["boxes"]], dtype=float)
        annotations[str(HERE / "pictures" / one["name"])] = sv.Detections(boxes, class_id=np.array([box[0] for box in one["boxes"]]))
    return sv.DetectionDataset(CLASSES, list(annotations), annotations)


@work
def supervision_coco(share: int):
    ours, folder = supervision_dataset(share), fresh("supervision")
    return lambda: ours.as_coco(annotations_path=str(folder / "coco.json"))


@work
def supervision_yolo(share: int):
    ours, folder = supervision_dataset(share), fresh("supervision")
    return lambda: ours.as_yolo(annotations_directory_path=str(folder / "labels"), data_yaml_path=str(folder / "data.yaml"))


@work
def pycocotools_read_coco(_share: int):
    from pycocotools.coco import COCO

    return lambda: COCO(str(HERE / "coco" / "annotations" / "instances_train.json"))


@work
def datumaro_read_coco(_share: int):
    from datumaro.components.dataset import Dataset

    return lambda: sum(len(item.annotations) for item in Dataset.import_from(str(HERE / "coco"), "coco_instances"))


@work
def supervision_read_coco(_share: int):
    import supervision as sv

    path = str(HERE / "coco" / "annotations" / "instances_train.json")
    return lambda: sv.DetectionDataset.from_coco(str(HERE / "pictures"), path)


@work
def datumaro_read_yolo(_share: int):
    from datumaro.components.dataset import Dataset

    return lambda: sum(len(item.annotations) for item in Dataset.import_from(str(HERE / "yolo"), "yolo"))


@work
def supervision_read_yolo(_share: int):
    import supervision as sv

    root = HERE / "yolo"
    names = (root / "images" / "train", root / "labels" / "train", root / "data.yaml")
    return lambda: sv.DetectionDataset.from_yolo(*map(str, names))


def measured(name: str, share: int) -> tuple[float, float]:
    """Return the seconds of one work and the peak memory until its end in MB."""
    does = WORKS[name](share)
    started = time.perf_counter()
    does()
    seconds = time.perf_counter() - started
    # not getrusage: that remembers the process which started this one
    mark = next(line for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return seconds, int(mark.split()[1]) / 1024


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(measured(sys.argv[2], int(sys.argv[3]))))
