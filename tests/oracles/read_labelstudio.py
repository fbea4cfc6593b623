"""Regions as the converter of Label Studio's own SDK reads them: one item a region, with its picture, task, class, corners in px and id."""

from pathlib import Path

from label_studio_sdk.converter import Converter


def items(folder, file):
    """Read a file of tasks below an export, by the interface that lies beside it."""
    converter = Converter((Path(folder) / "label_config.xml").read_text(encoding="utf-8"), folder, download_resources=False)
    for task in converter.iter_from_json_file(str(Path(folder) / file)):
        base = {"picture": task["input"]["image"], "sample_key": task["input"].get("sample_key"), "task": task["id"]}
        for control, regions in task["output"].items():
            for region in regions:
                yield base | _region(control, region)
        if not any(task["output"].values()):
            yield base


def _region(control, region):
    names = next(value for key, value in region.items() if key.endswith("labels") or key == "choices")
    said = {"control": control, "kind": region["type"], "label": names[0]}
    if "x" in region:
        across, down = region["original_width"] / 100, region["original_height"] / 100
        left, top = region["x"] * across, region["y"] * down
        said["corners"] = [left, top, left + region["width"] * across, top + region.get("height", 0) * down]
    return said
