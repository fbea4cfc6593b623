"""Where the notebooks are: `../notebooks` beside a source checkout, `labelkit/notebooks` inside an installed wheel."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.errors import InvalidValue, RecipeNotFound

if TYPE_CHECKING:
    from nbformat import NotebookNode

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
    raise RecipeNotFound(recipe=str(recipe), near=f"Did you mean {near[0]!r}?" if near else "", known=", ".join(own))


def read(file: Path) -> NotebookNode:
    """Return the notebook in a file. Raises `InvalidValue` where the file holds none."""
    import nbformat

    try:
        notebook: NotebookNode = nbformat.read(file, as_version=4)
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:  # nbformat converts first, checks later
        raise InvalidValue(what=str(file), reason=f"this is no notebook ({error})", fix="Name an .ipynb file.") from error
    return notebook
