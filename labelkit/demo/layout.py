"""What the demo works on: clips with frames and labels, drawn, or found in a folder that somebody else laid out."""

from __future__ import annotations

import glob
import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labelkit.errors import InvalidValue, LabelsNotFound, MediaEmpty, MediaNotFound
from labelkit.formats.labels.classes import class_names
from labelkit.media.listing import SUFFIXES, is_image_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FIRST_FIELD = re.compile(r"[^_\-. ]+(?=[_\-. ])")
WELL_KNOWN = "images/ beside labels/ and classes.txt"


@dataclass(frozen=True, slots=True)
class Clip:
    """One group of frames: its name, a folder or glob of images, and folders of YOLO labels (`corrected` where better ones are known)."""

    name: str
    frames: str
    labels: Path
    corrected: Path | None


@dataclass(frozen=True, slots=True)
class Source:
    """Everything the demo brings in: the clips, the class names in the order of their numbers, and who made the labels."""

    clips: tuple[Clip, ...]
    classes: tuple[str, ...]
    model: str
    sentence: str


def drawn(folder: Path, *, frames: int) -> Source:
    """Return a match drawn into `folder`, with a noisy model's labels and the truth as the corrected ones."""
    from labelkit import synthetic

    match = synthetic.match(folder, frames=frames)
    noisy = match.write_yolo(folder / "model")
    truth = match.write_yolo(folder / "truth", scores=False, noise=0)
    clips = tuple(Clip(clip.name, str(clip.folder), noisy / clip.name, truth / clip.name) for clip in match.clips)
    return Source(clips, match.classes, "dice", f"{len(match)} frames of a drawn match in {len(clips)} clips, and a noisy model's labels")


def found(data: Path, work: Path, *, labels: str | None, corrected: str | None) -> Source:
    """Return the images and YOLO labels below `data`, one clip a subfolder or, in one folder, a first field of the file names.

    Label files are copied into `work`, sorted by clip. Raises `MEDIA_NOT_FOUND`, `MEDIA_EMPTY`, `LABELS_NOT_FOUND`, `CLASSES_UNKNOWN`.
    """
    if not data.is_dir():
        raise MediaNotFound(source=str(data))
    images = _images(data)
    if not images:
        raise MediaEmpty(source=str(data), reason="no image files below it", suffixes=", ".join(SUFFIXES))
    chosen, others = _label_folder(data, images, labels)
    better = None if corrected is None else _label_folder(data, images, corrected)[0]
    classes = class_names(chosen, None)
    groups = _groups(data, images)
    clips = tuple(
        Clip(
            name,
            pattern,
            _sorted_labels(data, chosen, files, work / chosen.name / name),
            None if better is None else _sorted_labels(data, better, files, work / better.name / name),
        )
        for name, (pattern, files) in groups.items()
    )
    unused = f" (not used: {', '.join(others)}; choose with --labels and --corrected)" if others else ""
    return Source(clips, classes, chosen.name, f"{len(images)} images in {len(clips)} group(s), labels from {chosen.name}/{unused}")


def _images(data: Path) -> list[Path]:
    root = data / "images" if (data / "images").is_dir() else data
    return sorted(file for file in root.rglob("*") if is_image_name(file.name) and file.is_file())


def _label_folder(data: Path, images: list[Path], name: str | None) -> tuple[Path, list[str]]:
    stems = {image.stem for image in images}

    def fits(folder: Path) -> bool:
        return any(file.stem in stems for file in folder.rglob("*.txt"))

    if name is not None:
        folder = data / name
        if not folder.is_dir() or not fits(folder):
            raise LabelsNotFound(
                source=str(folder), reason="no text file there is named after an image", expected="a folder of YOLO labels below the data"
            )
        return folder, []
    folders = [folder for folder in sorted(data.iterdir()) if folder.is_dir() and folder.name != "images" and fits(folder)]
    folders.sort(key=lambda folder: folder.name != "labels")
    if not folders and fits(data):
        return data, []
    if not folders:
        raise LabelsNotFound(
            source=str(data), reason="no text file below it is named after an image", expected=f"a folder laid out as {WELL_KNOWN}"
        )
    return folders[0], [folder.name for folder in folders[1:]]


def _groups(data: Path, images: list[Path]) -> dict[str, tuple[str, list[Path]]]:
    """Return clip name -> (folder or glob, its images): by folder where there are several, else by the first field of the names."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for image in images:
        folders[image.parent].append(image)
    if len(folders) > 1:
        return {
            "-".join(folder.relative_to(data).parts) or data.name: (f"{glob.escape(str(folder))}/*", files)
            for folder, files in folders.items()
        }
    fields: dict[str, list[Path]] = defaultdict(list)
    for image in images:
        field = FIRST_FIELD.match(image.stem)
        fields[field[0] if field else ""].append(image)
    if "" in fields or not 2 <= len(fields) <= len(images) / 2:
        return {data.resolve().name: (str(images[0].parent), images)}
    parent = glob.escape(str(images[0].parent))
    return {field: (f"{parent}/{glob.escape(field)}[_. -]*", files) for field, files in sorted(fields.items())}


def _sorted_labels(data: Path, folder: Path, images: Iterable[Path], target: Path) -> Path:
    """Return `target`, which then holds the label files of these images."""

    def key(file: Path, root: Path) -> tuple[str, ...]:
        return (*(part for part in file.relative_to(root).parts[:-1] if part not in {"images", "labels"}), file.stem)

    by_key = {key(file, folder): file for file in sorted(folder.rglob("*.txt"))}
    by_stem = {file.stem: file for file in by_key.values()}
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    for image in images:
        file = by_key.get(key(image, data)) or by_stem.get(image.stem)
        if file is not None:
            shutil.copyfile(file, target / f"{image.stem}.txt")
    if not any(target.iterdir()):
        raise InvalidValue(
            what=str(folder), reason=f"no label file there is of the clip {target.name}", fix="Name another folder with --labels."
        )
    return target
