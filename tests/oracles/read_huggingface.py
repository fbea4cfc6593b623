"""A dataset folder as `datasets.load_dataset` reads it: features, and the rows of each split, pictures as their stored bytes in hex."""

import os
import tempfile
from pathlib import Path

CACHE = tempfile.mkdtemp(prefix="labelkit-hf-")
os.environ |= {"HF_HOME": CACHE, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

from datasets import Image, load_dataset, logging  # noqa: E402  # it reads the environment when it is imported

logging.set_verbosity_error()


def items(folder):
    loaded = load_dataset(str(Path(folder)), cache_dir=CACHE)
    return [{"split": split, **_read(rows)} for split, rows in loaded.items()]


def _read(rows):
    kinds = {name: repr(kind) for name, kind in rows.features.items()}
    size = None
    if "image" in rows.features:
        first = next((picture for picture in rows["image"] if picture is not None), None)
        size = None if first is None else list(first.size)
        rows = rows.cast_column("image", Image(decode=False))
    return {"features": kinds, "first_picture": size, "rows": [_plain(row) for row in rows]}


def _plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
