"""What must come of every file that other tools test their importers with."""

from __future__ import annotations

from dataclasses import dataclass, field

CLASSES = (
    *("a", "b", "c", "dog", "cat", "person", "bird", "bicycle", "aeroplane", "background", "helmet", "bus", "Car", "Airplane", "Text"),
    *("label1", "label2", "II", "klhg", *(f"label_{number}" for number in range(10)), "rectangle_label", "polygon_label", "Section-header"),
    *("Document Title", "Generic label #0", "Generic label #3", "Class_1", "Class_2", "closed_door", "opened_door", "number"),
    *("parasites", "white", "Butterfly", "Moth"),
)
TEN = [f"label_{number}" for number in range(10)]
PICTURE = ("a.jpg 9 9",)  # of files that are of no picture at all
UNREADABLE = "LABELS_UNREADABLE"


@dataclass(frozen=True)
class Outcome:
    """How a source is read, and what is kept and refused; `raises` is the code where it is refused whole.

    `media` is a folder of the fixtures, or frames as `name width height`.
    """

    format: str
    media: str | tuple[str, ...]
    kept: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)
    raises: str | None = None


_COCO = {
    "captions_train": Outcome("coco", "train", 0, {"LABEL_MALFORMED": 1}),
    "captions_val": Outcome("coco", "val", 0, {"LABEL_MALFORMED": 2}),
    "image_info_train": Outcome("coco", "train"),
    "image_info_val": Outcome("coco", "val"),
    "instances_train": Outcome("coco", "train", 1),
    "instances_val": Outcome("coco", "val", 2),
    "labels_train": Outcome("coco", "train", 0, {"LABEL_MALFORMED": 1}),
    "labels_val": Outcome("coco", "val", 0, {"LABEL_MALFORMED": 2}),
    "panoptic_train": Outcome("coco", "train", 0, {"LABEL_MALFORMED": 1}),
    "panoptic_val": Outcome("coco", "val", 0, {"LABEL_MALFORMED": 1}),
    "person_keypoints_train": Outcome("coco", "train", 1),
    "person_keypoints_val": Outcome("coco", "val", 2),
    "stuff_train": Outcome("coco", "train", 1),
    "stuff_val": Outcome("coco", "val", 1),
}


def _coco(folder: str, kinds: tuple[str, ...]) -> dict[str, Outcome]:
    root = f"datumaro/coco_dataset/{folder}"
    names = [name for name in _COCO if name.rpartition("_")[0] in kinds]
    return {
        f"{root}/annotations/{name}.json": Outcome("coco", f"{root}/images/{_COCO[name].media}", _COCO[name].kept, _COCO[name].refused)
        for name in names
    }


_KAGGLE, _OPEN, _ROBOFLOW = "datumaro/kaggle_dataset", "datumaro/open_images_dataset", "datumaro/roboflow_dataset"
_CVAT, _VOC, _YOLO = "datumaro/cvat_dataset", "datumaro/voc_dataset", "datumaro/yolo_dataset"
_VOTT, _LABEL_STUDIO = tuple(f"img{number:04} 100 100" for number in range(1, 5)), "label_studio"

SOURCES: dict[str, Outcome] = {
    # COCO
    **_coco("coco", ("captions", "image_info", "instances", "labels", "panoptic", "person_keypoints", "stuff")),
    **_coco("coco_captions", ("captions",)),
    **_coco("coco_image_info", ("image_info",)),
    **_coco("coco_instances", ("instances",)),
    **_coco("coco_labels", ("labels",)),
    **_coco("coco_panoptic", ("panoptic",)),
    **_coco("coco_person_keypoints", ("person_keypoints",)),
    **_coco("coco_stuff", ("stuff",)),
    "datumaro/coco_dataset/coco_roboflow/train/_annotations.coco.json": Outcome("coco", "datumaro/coco_dataset/coco_roboflow/train", 1),
    "datumaro/coco_dataset/coco_roboflow/val/_annotations.coco.json": Outcome("coco", "datumaro/coco_dataset/coco_roboflow/val", 2),
    "datumaro/coco_dataset/mmdet_coco/annotations/instances_train.json": Outcome("coco", "datumaro/coco_dataset/mmdet_coco/train", 1),
    "datumaro/coco_dataset/mmdet_coco/annotations/instances_val.json": Outcome("coco", "datumaro/coco_dataset/mmdet_coco/val", 2),
    f"{_ROBOFLOW}/coco/train/_annotations.coco.json": Outcome("coco", f"{_ROBOFLOW}/coco/train", 2),
    f"{_ROBOFLOW}/coco/val/_annotations.coco.json": Outcome("coco", f"{_ROBOFLOW}/coco/val", 2),
    f"{_KAGGLE}/relaxed_coco/annotations.json": Outcome("coco", f"{_KAGGLE}/relaxed_coco", 2),
    f"{_LABEL_STUDIO}/test_import_coco/coco_import_input.json": Outcome("coco", ("image1.jpg 4022 6033", "image2.jpg 7050 4702"), 2),
    # CVAT
    f"{_CVAT}/for_images/export_project/annotations.xml": Outcome("cvat", f"{_CVAT}/for_images/export_project/images", 12),
    f"{_CVAT}/for_images/export_task/train.xml": Outcome("cvat", f"{_CVAT}/for_images/export_task/images", 2, {"LABEL_MALFORMED": 2}),
    f"{_CVAT}/for_video/annotations.xml": Outcome("cvat", f"{_CVAT}/for_video/images", 3),
    # VOC, ImageNet, LabelMe
    f"{_KAGGLE}/relaxed_voc1/annotations": Outcome("voc", f"{_KAGGLE}/relaxed_voc1/images", 2),
    f"{_KAGGLE}/relaxed_voc2": Outcome("voc", f"{_KAGGLE}/relaxed_voc2", 2),
    f"{_ROBOFLOW}/voc/train": Outcome("voc", f"{_ROBOFLOW}/voc/train", 2),
    f"{_ROBOFLOW}/voc/val": Outcome("voc", f"{_ROBOFLOW}/voc/val", 2),
    f"{_VOC}/voc_dataset1/Annotations": Outcome("voc", f"{_VOC}/voc_dataset1/JPEGImages", 2),
    f"{_VOC}/voc_dataset2/Annotations": Outcome("voc", tuple(f"{name}.jpg 20 10" for name in "@abcd"), 4),
    f"{_VOC}/voc_dataset3/Annotations": Outcome("voc", f"{_VOC}/voc_dataset3/JPEGImages", 1),
    "datumaro/labelme_dataset/Annotations": Outcome("voc", "datumaro/labelme_dataset/Images", 0, {"LABEL_MALFORMED": 7}),
    # YOLO
    f"{_YOLO}/annotations/Annotations": Outcome("yolo", f"{_YOLO}/annotations/Images", 2),
    f"{_YOLO}/labels/labels": Outcome("yolo", f"{_YOLO}/labels/images", 4),
    f"{_YOLO}/strict": Outcome("yolo", f"{_YOLO}/strict", 2),
    f"{_KAGGLE}/relaxed_yolo": Outcome("yolo", f"{_KAGGLE}/relaxed_yolo", 4, options={"classes": TEN}),
    f"{_ROBOFLOW}/yolo/train/labels": Outcome("yolo", f"{_ROBOFLOW}/yolo/train/images", 2, options={"classes": TEN}),
    f"{_ROBOFLOW}/yolo/val/labels": Outcome("yolo", f"{_ROBOFLOW}/yolo/val/images", 2, options={"classes": TEN}),
    f"{_ROBOFLOW}/yolo_obb/train/labelTxt": Outcome(
        "yolo", f"{_ROBOFLOW}/yolo_obb/train/images", 0, {"LABEL_MALFORMED": 2}, {"classes": TEN}
    ),
    f"{_ROBOFLOW}/yolo_obb/val/labelTxt": Outcome("yolo", f"{_ROBOFLOW}/yolo_obb/val/images", 0, {"LABEL_MALFORMED": 2}, {"classes": TEN}),
    f"{_LABEL_STUDIO}/test_import_yolo_data/labels": Outcome(
        "yolo", f"{_LABEL_STUDIO}/test_import_yolo_data/images", 13, {"LABEL_NO_IMAGE": 3}
    ),
    f"{_LABEL_STUDIO}/test_import_yolo_data_unif_dims/labels": Outcome(
        "yolo", f"{_LABEL_STUDIO}/test_import_yolo_data_unif_dims/images", 19
    ),
    "datumaro/widerface_dataset/wider_face_split": Outcome(
        "yolo", "datumaro/widerface_dataset/WIDER_train/images", 0, {"LABEL_NO_IMAGE": 2}, {"classes": TEN}
    ),
    # MOT
    "datumaro/mot_dataset/mot_seq": Outcome("mot", "datumaro/mot_dataset/mot_seq/img1", 1),
    "datumaro/mot_dataset/mot_seq_with_seqinfo": Outcome("mot", "datumaro/mot_dataset/mot_seq/img1", 1),
    f"{_LABEL_STUDIO}/pathtrack/gt/gt-short.txt": Outcome(
        "mot", tuple(f"{number}.jpg 1280 720" for number in range(125)), 0, {"LABEL_MALFORMED": 6}
    ),
    # Label Studio
    f"{_LABEL_STUDIO}/test_export_coco/data.json": Outcome("labelstudio", ("test_image1.jpg 500 320",), 2, {"LABEL_NOT_A_BOX": 2}),
    f"{_LABEL_STUDIO}/test_export_csv/csv_test.json": Outcome(
        "labelstudio", ("0030019819f25b28.jpg 768 576",), 1, {"LABEL_NO_IMAGE": 2, "LABEL_NOT_CHOSEN": 2}
    ),
    f"{_LABEL_STUDIO}/test_export_csv/csv_test2.json": Outcome("labelstudio", PICTURE, 0, {"LABEL_NO_PLACE": 1}),
    f"{_LABEL_STUDIO}/test_export_csv/csv_test_colliding_keys.json": Outcome("labelstudio", PICTURE, 0, {"LABEL_NO_PLACE": 1}),
    f"{_LABEL_STUDIO}/test_export_csv/csv_test_colliding_keys_mixed.json": Outcome("labelstudio", PICTURE, 0, {"LABEL_NO_PLACE": 1}),
    f"{_LABEL_STUDIO}/test_export_csv/csv_test_history.json": Outcome("labelstudio", PICTURE, 0, {"LABEL_NO_PLACE": 1}),
    f"{_LABEL_STUDIO}/test_export_doclang/data.json": Outcome(
        "labelstudio", ("page-1.png 800 1000", "page-2.png 800 1000"), 2, {"LABEL_NOT_CHOSEN": 1, "LABEL_NO_PLACE": 1}
    ),
    f"{_LABEL_STUDIO}/test_export_json_min/chat_data.json": Outcome("labelstudio", PICTURE, 0, {"LABEL_NO_PLACE": 4}),
    f"{_LABEL_STUDIO}/test_export_json_min/data.json": Outcome("labelstudio", ("example.png 128 128",), 1),
    f"{_LABEL_STUDIO}/test_export_json_min/data_repeater.json": Outcome(
        "labelstudio", ("example1.jpeg 1280 720",), 0, {"LABEL_NO_IMAGE": 1}
    ),
    f"{_LABEL_STUDIO}/test_export_json_min/label_config_repeater.json": Outcome("labelstudio", PICTURE, 0, {"LABEL_MALFORMED": 1}),
    f"{_LABEL_STUDIO}/test_export_yolo/data.json": Outcome(
        "labelstudio", tuple(f"image{number}.jpg 2800 2800" for number in (1, 2, 3)), 4, {"LABEL_NOT_CHOSEN": 2}
    ),
    f"{_LABEL_STUDIO}/test_export_yolo/data_keypoints.json": Outcome(
        "labelstudio", ("image1.jpg 600 403",), 1, {"LABEL_NOT_A_BOX": 3, "LABEL_NO_PLACE": 5}
    ),
    f"{_LABEL_STUDIO}/test_export_yolo/data_obb.json": Outcome(
        "labelstudio", ("image1.jpg 597 768", "image2.jpg 768 593"), 24, {"LABEL_NO_IMAGE": 1}
    ),
    f"{_LABEL_STUDIO}/test_export_yolo/data_polygons.json": Outcome("labelstudio", ("image2.jpg 600 600",), 1),
    f"{_ROBOFLOW}/createml/train/_annotations.createml.json": Outcome(
        "labelstudio", f"{_ROBOFLOW}/createml/train", 0, {"LABEL_MALFORMED": 2}
    ),
    f"{_ROBOFLOW}/createml/val/_annotations.createml.json": Outcome("labelstudio", f"{_ROBOFLOW}/createml/val", 0, {"LABEL_MALFORMED": 1}),
    "datumaro/vott_json_dataset/dataset/train-export.json": Outcome("labelstudio", PICTURE, 0, {"LABEL_MALFORMED": 1}),
    "datumaro/vott_json_dataset/dataset_with_meta_file/train-export.json": Outcome("labelstudio", PICTURE, 0, {"LABEL_MALFORMED": 1}),
    "datumaro/datumaro_dataset/legacy/annotations/test.json": Outcome("coco", PICTURE, raises=UNREADABLE),
    "datumaro/datumaro_dataset/legacy/annotations/train.json": Outcome("coco", PICTURE, raises=UNREADABLE),
    "datumaro/datumaro_dataset/legacy/annotations/validation.json": Outcome("coco", PICTURE, raises=UNREADABLE),
    # tables
    "datumaro/vott_csv_dataset/dataset/test-export.csv": Outcome("csv", _VOTT, 2),
    "datumaro/vott_csv_dataset/dataset/train-export.csv": Outcome("csv", _VOTT, 3),
    "datumaro/vott_csv_dataset/dataset_with_meta_file/test-export.csv": Outcome(
        "csv", "datumaro/vott_csv_dataset/dataset_with_meta_file", 0, {"LABEL_OUTSIDE_FRAME": 2}
    ),
    f"{_KAGGLE}/image_csv_det/ann.csv": Outcome("csv", f"{_KAGGLE}/image_csv_det/images", 6),
    f"{_KAGGLE}/image_csv_det/ann2.csv": Outcome("csv", f"{_KAGGLE}/image_csv_det/images", 6),
    f"{_KAGGLE}/image_csv_det/ann3.csv": Outcome("csv", f"{_KAGGLE}/image_csv_det/images", 6, options={"box": "xyxy"}),
    f"{_KAGGLE}/image_txt_det/ann.txt": Outcome(
        "csv", f"{_KAGGLE}/image_txt_det/images", 6, options={"columns": ["image", "label", "xmin", "ymin", "xmax", "ymax"]}
    ),
    f"{_KAGGLE}/image_txt_det/ann_single_obj.txt": Outcome(
        "csv", f"{_KAGGLE}/image_txt_det/images", 6, options={"columns": ["image", "x", "y", "w", "h"], "classes": ["dog"]}
    ),
    f"{_OPEN}/v6/annotations/oidv6-train-annotations-bbox.csv": Outcome("csv", f"{_OPEN}/v6/images", 1),
    f"{_OPEN}/v6/annotations/test-annotations-bbox.csv": Outcome("csv", f"{_OPEN}/v6/images", 1),
    f"{_OPEN}/v6/annotations/train-annotations-object-segmentation.csv": Outcome("csv", f"{_OPEN}/v6/images", 1),
    # tables without places: classes of whole pictures, lists of pictures and colours, tables of other things
    **{
        f"{folder}/{name}": Outcome("csv", PICTURE, raises=UNREADABLE)
        for folder, names in {
            f"{_KAGGLE}/image_csv": ("ann.csv", "ann_wo_ext.csv"),
            f"{_KAGGLE}/image_csv_multi_label": ("ann.csv", "ann_wo_ext.csv"),
            f"{_KAGGLE}/image_txt": ("ann.txt", "ann_wo_ext.txt"),
            f"{_KAGGLE}/image_mask_with_labelmap": ("labelmap.csv",),
            f"{_OPEN}/v5/annotations": (
                "class-descriptions.csv",
                "test-images-with-rotation.csv",
                "train-images-with-labels-with-rotation.csv",
            ),
            f"{_OPEN}/v6/annotations": (
                "image_ids_and_rotation.csv",
                "oidv6-class-descriptions.csv",
                "oidv6-train-annotations-human-imagelabels.csv",
                "test-annotations-human-imagelabels.csv",
            ),
            f"{_ROBOFLOW}/multiclass": ("train/_classes.csv", "val/_classes.csv"),
            "datumaro/tabular_dataset": (
                "electricity.csv",
                "electricity_missing.csv",
                "adopt-a-buddy/test.csv",
                "adopt-a-buddy/train.csv",
                "women-clothing/women_clothing.csv",
                "women-clothing/women_clothing_imbalanced.csv",
                "women-clothing/women_clothing_orig.csv",
                "women-clothing/women_clothing_refined.csv",
            ),
            f"{_LABEL_STUDIO}/test_export_csv": ("csv_test2_result.csv",),
        }.items()
        for name in names
    },
}
SUFFIXES = {"voc": (".xml",), "yolo": (".txt",), "mot": (".txt", ".ini")}  # of the files that belong to a source that is a folder

NO_LABELS = {  # the end of a path, and what such a file is
    ".jpg": "a picture",
    ".jpeg": "a picture",
    ".png": "a picture or a mask",
    ".mp4": "a video",
    ".names": "names of classes",
    "classes.txt": "names of classes",
    "labelmap.txt": "names and colours of classes",
    ".pbtxt": "names of classes",
    "dataset_meta.json": "names of classes",
    "bbox_labels_600_hierarchy.json": "which classes stand below which",
    ".yaml": "names of classes and places of pictures",
    "obj.data": "places of lists",
    "images.meta": "sizes of pictures",
    "yolo_dataset/labels/README.txt": "a text for people",
    "label_config.xml": "the set-up of a labelling project",
    "label_config_keypoints.xml": "the set-up of a labelling project",
    "label_config_obb.xml": "the set-up of a labelling project",
    "label_config_polygons.xml": "the set-up of a labelling project",
    "pathtrack/info.xml": "facts about a video",
    ".tfrecord": "labels in a format that is not read",
    "LICENSE": "a text for people",
    "SOURCE.md": "a text for people",
}
LISTS = "/ImageSets/"  # folders of Pascal VOC with lists of pictures
