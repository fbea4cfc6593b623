"""Class names for formats that number their classes: given by the caller, or found beside the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from labelkit.errors import ClassesUnknown, LabelsUnreadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LISTS = ("classes.txt", "obj.names")
YAMLS = ("data.yaml", "data.yml", "dataset.yaml")


def class_names(folder: Path, given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the class names in the order of their numbers: `given`, else from a list or data.yaml in the folder or the one above.

    Raises `CLASSES_UNKNOWN` where there are none, `LABELS_UNREADABLE` for a list that is no text.
    """
    if given is not None:
        names = (given,) if isinstance(given, str) else tuple(given)
        return _checked(folder, names, "classes=[] was given")
    for place in (folder, folder.parent):
        for name in LISTS:
            if (place / name).is_file():
                return _checked(place / name, _listed(place / name), "the file has no lines")
        for name in YAMLS:
            if (place / name).is_file():
                return _checked(place / name, _from_yaml(place / name), "it has no list `names`")
    raise ClassesUnknown(source=folder, reason="no file with their names is there", places=", ".join((*LISTS, YAMLS[0])))


def _checked(source: Path, names: tuple[str, ...], empty: str) -> tuple[str, ...]:
    if not names:
        raise ClassesUnknown(source=source, reason=empty, places=", ".join((*LISTS, YAMLS[0])))
    return names


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelsUnreadable(source=path, reason=str(error), fix="Save it as UTF-8 text, or pass classes=[...].") from error


def _listed(path: Path) -> tuple[str, ...]:
    return tuple(line.strip() for line in _text(path).rstrip().splitlines())


def _from_yaml(path: Path) -> tuple[str, ...]:
    try:
        data = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        raise LabelsUnreadable(source=path, reason=f"it is no YAML ({error})", fix="Correct it, or pass classes=[...].") from error
    names = data.get("names") if isinstance(data, dict) else None
    if isinstance(names, list):
        return tuple(str(name) for name in names)
    if isinstance(names, dict) and names and all(isinstance(number, int) and 0 <= number < 100_000 for number in names):
        return tuple(str(names.get(number, f"class {number}")) for number in range(max(names) + 1))
    return ()
