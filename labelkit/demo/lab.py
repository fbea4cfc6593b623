"""JupyterLab on a store: a notebook with the store's path in it, and the server started on it."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from pathlib import Path


def review_notebook(store: Path, workspace: str = "default") -> Path:
    """Return a review notebook beside the store, made from `review_queue` with the store and the workspace as its parameters."""
    import nbformat
    import papermill

    from labelkit import recipes

    target = store.resolve().parent / "review.ipynb"
    parameters = {"store": str(store.resolve()), "workspace": workspace}
    papermill.execute_notebook(recipes.find("review_queue"), target, parameters=parameters, prepare_only=True, language="python")
    notebook = nbformat.read(target, as_version=4)
    for cell in notebook.cells:  # what papermill notes about an execution that did not happen
        cell.metadata.pop("papermill", None)
    notebook.metadata.pop("papermill", None)
    nbformat.write(notebook, target)
    return target


def start_lab(notebook: Path) -> None:
    """Replace this process with JupyterLab on the notebook. Raises `INVALID_VALUE` where JupyterLab is not installed."""
    import os

    if importlib.util.find_spec("jupyterlab") is None:
        raise InvalidValue(
            what="JupyterLab",
            reason="it is not installed",
            fix=f"Run pip install 'labelkit[lab]', or open {notebook} in a Jupyter of yours.",
        )
    sys.stdout.flush()
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # root in a container asked for it by being root
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *root, str(notebook)])  # noqa: S606  # no shell, and our own interpreter
