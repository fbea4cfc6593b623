"""The card of a Hugging Face dataset folder: README.md, whose head tells `datasets` the splits, files and types of columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from labelkit.errors import InvalidValue
from labelkit.formats.column_types import made

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labelkit.formats.exports import About

NAME = "README.md"
IMAGE = "image"
_SPLIT = re.compile(r"\w+(\.\w+)*", re.ASCII)
_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"), (10**8, "10M<n<100M"))
_PLAIN: dict[type[pl.DataType], str] = {
    pl.Int8: "int8",
    pl.Int16: "int16",
    pl.Int32: "int32",
    pl.Int64: "int64",
    pl.UInt8: "uint8",
    pl.UInt16: "uint16",
    pl.UInt32: "uint32",
    pl.UInt64: "uint64",
    pl.Float32: "float32",
    pl.Float64: "float64",
    pl.Boolean: "bool",
    pl.String: "string",
    pl.Binary: "binary",
    pl.Date: "date32",
    pl.Time: "time64[ns]",
}
_TEXT = """---
{head}---

# {title}

{description}

```python
from datasets import load_dataset

dataset = load_dataset("path/of/this/folder")
```

{facts}
Exported by labelkit. `labelkit-export.json` names every file with its sha256; `labelkit verify` checks them.
"""


def check_splits(splits: Sequence[str]) -> None:
    """Refuse names of splits that `datasets` does not take: `INVALID_VALUE`."""
    for name in splits:
        if not _SPLIT.fullmatch(name):
            reason = f"{name!r} is no name of a split in `datasets`"
            raise InvalidValue(what="split", reason=reason, fix="Use letters, digits, _ and dots between them.")


def features(columns: Mapping[str, pl.DataType], *, classes: Sequence[str] = (), images: bool = False) -> list[dict[str, Any]]:
    """Return the types of columns as the head of a card has them; labels of annotations are one of `classes`, if there are any."""
    found = [{"name": name, **_feature(made(kind), name)} for name, kind in columns.items()]
    if classes:
        named = {"class_label": {"names": {str(number): name for number, name in enumerate(classes)}}}
        label = next(field for one in found if one["name"] == "annotations" for field in one["list"] if field["name"] == "label")
        label["dtype"] = named
    return [{"name": IMAGE, "dtype": "image"}, *found] if images else found


def card(about: About, types: Sequence[Mapping[str, Any]], rows: Mapping[str, int], sizes: Mapping[str, int], *, file_bytes: int) -> bytes:
    """Return the bytes of the card; `rows` and `sizes` (bytes of values) are by split, `file_bytes` what all files have together.

    A split without rows is not named beside others: `datasets` refuses a folder for it.
    """
    parts = [part for part in about.parts if rows[part]] or list(about.parts)
    head = {
        "pretty_name": about.title,
        **_license(about.license),
        **_task(about),
        "size_categories": [next((name for most, name in _SIZES if sum(rows.values()) < most), "n>100M")],
        "configs": [{"config_name": "default", "data_files": [{"split": part, "path": f"data/{part}-*"} for part in parts]}],
        "dataset_info": {
            "features": list(types),
            "splits": [{"name": part, "num_bytes": sizes[part], "num_examples": rows[part]} for part in parts],
            "download_size": file_bytes,
            "dataset_size": sum(sizes.values()),
        },
    }
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=10_000)
    facts = "".join(f"- {name}: {value}\n" for name, value in _facts(about) if value)
    return _TEXT.format(head=text, title=about.title, description=about.description, facts=facts).encode()


def _facts(about: About) -> list[tuple[str, str | None]]:
    return [("Version", about.version), ("Made by", about.creator), ("Made at", about.published), ("Source", about.source)]


def _license(text: str | None) -> dict[str, str]:
    if not text:
        return {}
    return {"license": text.lower()} if _SPDX.fullmatch(text) else {"license": "other", "license_name": "see link", "license_link": text}


def _task(about: About) -> dict[str, list[str]]:
    if about.capability is None:
        return {}
    return {"task_categories": ["object-detection" if about.capability.geometry == "box" else "keypoint-detection"]}


def _feature(kind: pl.DataType, column: str) -> dict[str, Any]:
    match kind:
        case pl.List():
            inner = _feature(made(kind.inner), column)
            return {"list": inner["dtype"] if "dtype" in inner else inner.get("struct", inner)}
        case pl.Struct():
            return {"struct": [{"name": field.name, **_feature(made(field.dtype), column)} for field in kind.fields]}
        case pl.Datetime():
            return {"dtype": f"timestamp[{kind.time_unit}{f', tz={kind.time_zone}' if kind.time_zone else ''}]"}
        case pl.Duration():
            return {"dtype": f"duration[{kind.time_unit}]"}
        case pl.Decimal():
            return {"dtype": f"decimal128({kind.precision}, {kind.scale})"}
    if type(kind) in _PLAIN:
        return {"dtype": _PLAIN[type(kind)]}
    raise InvalidValue(
        what=f"Column {column}", reason=f"{kind} has no place in `datasets`", fix="Cast the column to text or numbers first."
    )
