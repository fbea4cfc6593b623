"""What mlcroissant finds in an export: its complaints, or the records of one set as plain values."""

import os
import tempfile
from functools import cache
from pathlib import Path

os.environ.setdefault("CROISSANT_CACHE", tempfile.mkdtemp(prefix="croissant-"))  # it keeps what it unpacks by file name alone

import jsonpath_rw
import mlcroissant as mlc
import numpy as np
import pandas as pd
import PIL.Image

jsonpath_rw.parse = cache(jsonpath_rw.parse)  # it makes its grammar anew for each path


def items(folder: str, records: str | None = None, split: str | None = None):
    """Return the records of a set (of one split); without a set, one item with the errors and warnings of the description."""
    path = Path(folder) / "croissant.json"
    if records is None:
        return [complaints(path)]
    dataset = mlc.Dataset(str(path))
    filters = {f"{records}/split": split} if split else None
    return [{name: plain(value) for name, value in record.items()} for record in dataset.records(records, filters)]


def complaints(path: Path) -> dict:
    try:
        dataset = mlc.Dataset(str(path))
    except mlc.ValidationError as error:
        return {"errors": str(error), "warnings": [], "records": []}
    issues = dataset.metadata.ctx.issues
    return {
        "errors": sorted(issue for issue in issues.errors),
        "warnings": sorted(issue for issue in issues.warnings),
        "records": [one.uuid for one in dataset.metadata.record_sets],
    }


def plain(value):
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | np.ndarray):
        return [plain(one) for one in value]
    for kind, said in SCALARS.items():
        if isinstance(value, kind):
            return said(value)
    return value


SCALARS = {
    bytes: bytes.decode,
    pd.Timestamp: pd.Timestamp.isoformat,
    PIL.Image.Image: lambda image: f"{image.width} x {image.height} {image.mode}",
    np.generic: np.generic.item,
}
