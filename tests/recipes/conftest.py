from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def notebook(tmp_path: Path) -> Callable[..., Path]:
    """`notebook("name", parameters, *cells)` writes a notebook whose first cell is tagged `parameters`."""

    def write(name: str, parameters: str, *cells: str) -> Path:
        first = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
        rest = [nbformat.v4.new_code_cell(cell) for cell in cells]
        file = tmp_path / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[first, *rest]), file)
        return file

    return write
