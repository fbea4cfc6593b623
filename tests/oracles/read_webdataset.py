"""Tar files as `webdataset` reads them: a dict a sample with its key, the kinds of content it has, their bytes in hex, JSON decoded."""

import json
from pathlib import Path

import webdataset


def items(folder):
    found = []
    for path in sorted(Path(folder).glob("*.tar")):
        samples = webdataset.WebDataset(str(path), shardshuffle=False, empty_check=False)
        for sample in samples:
            held = {kind: data.hex() for kind, data in sample.items() if not kind.startswith("__")}
            found.append({"file": path.name, "key": sample["__key__"], "row": json.loads(sample["json"]), **held})
    return found
