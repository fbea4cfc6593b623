"""Executed notebooks for readers without a kernel: static renderings in place of live widgets, and marks above cells that failed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from labelkit.recipes.outcome import RESULT_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbformat import NotebookNode

WIDGET = "application/vnd.jupyter.widget-view+json"
MARKED = "labelkit-failed-cell"
NO_KERNEL = "A widget that is shown only where a kernel runs."


def finish(file: Path, *, failed_at: int | None = None, sentence: str = "") -> NotebookNode:
    """Rewrite an executed notebook so that everything in it is seen without a kernel, and return it.

    `failed_at` puts a sentence above that cell, for the ends that papermill itself does not mark.
    """
    import nbformat

    notebook: NotebookNode = nbformat.read(file, as_version=4)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "data" in output:
                _stand_still(output.data)
    if failed_at is not None:
        notebook.cells.insert(failed_at, nbformat.v4.new_markdown_cell(f"**{sentence}**", metadata={"tags": [MARKED]}))
    nbformat.write(notebook, file)
    return notebook


def _stand_still(data: NotebookNode) -> None:
    """Take the live view out of an output; what stands beside it stays, and where nothing does, a sentence."""
    if data.pop(WIDGET, None) is not None and not data:
        data["text/plain"] = NO_KERNEL


def read_result(notebook: NotebookNode) -> dict[str, Any] | None:
    """Return the last result that a cell of an executed notebook shows, None where there is none."""
    found = None
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found = output.get("data", {}).get(RESULT_TYPE, found)
    return found


def write_result(file: Path, result: Mapping[str, Any]) -> None:
    """Write a result as JSON for programs."""
    file.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
