"""Where the notebooks are: `../notebooks` beside a source checkout, `labelkit/notebooks` inside an installed wheel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelkit.errors import InvalidValue, RecipeNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

PRESENT_FORMAT = 4
INJECTED = "injected-parameters"  # the tag of the cell in which papermill writes the given parameters
_PACKAGE = Path(__file__).resolve().parents[1]


def folder() -> Path:
    """Return the folder of the notebooks that come with labelkit; a checkout's own folder wins."""
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "notebooks").is_dir():
        return checkout / "notebooks"
    return _PACKAGE / "notebooks"


def find(recipe: str | Path) -> Path:
    """Return the notebook file of that path, or of that name among those that come with labelkit. Raises `RecipeNotFound`."""
    given = Path(recipe)
    if given.is_file():
        return given
    own = {file.stem: file for file in sorted(folder().glob("*.ipynb"))}
    if str(recipe) in own:
        return own[str(recipe)]
    near = get_close_matches(given.stem, own, n=1)
    raise RecipeNotFound(recipe=str(recipe), near=f" Did you mean {near[0]!r}?" if near else "", known=", ".join(own))


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as its file has it, outputs aside."""

    cell_type: str
    source: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Notebook:
    """What a recipe is read from: the cells of a notebook, by the names that nbformat gives them."""

    cells: tuple[Cell, ...]


def read(file: Path) -> Notebook:
    """Return the cells in a file. Raises `INVALID_VALUE` where it holds no notebook.

    Files of the present format are read without nbformat, whose import alone takes longer than an answer from the store.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["nbformat"] == PRESENT_FORMAT:
            return Notebook(tuple(Cell(one["cell_type"], "".join(one["source"]), dict(one["metadata"])) for one in found["cells"]))
    except (ValueError, KeyError, TypeError):
        pass  # nbformat says what is wrong with it
    return Notebook(tuple(Cell(one.cell_type, one.source, one.metadata) for one in _checked(file).cells))


def source_of(file: Path) -> str:
    """Return the notebook in a file as JSON text without outputs, execution counts and what papermill added: what can be executed again.

    Raises `INVALID_VALUE` where the file holds no notebook.
    """
    import nbformat

    bare = _checked(file)
    bare.cells = [cell for cell in bare.cells if INJECTED not in cell.metadata.get("tags", [])]
    for cell in bare.cells:
        cell.metadata.pop("papermill", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    for name in ("papermill", "widgets"):
        bare.metadata.pop(name, None)
    return str(nbformat.writes(bare))


def _checked(file: Path) -> NotebookNode:
    import nbformat

    try:
        notebook: NotebookNode = nbformat.read(file, as_version=PRESENT_FORMAT)
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:  # nbformat converts first, checks later
        raise InvalidValue(what=str(file), reason=f"this is no notebook ({error})", fix="Name an .ipynb file.") from error
    return notebook
