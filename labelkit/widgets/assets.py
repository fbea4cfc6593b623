"""Where the browser halves are: `../widgets` beside a source checkout, `labelkit/widgets/static` inside an installed wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_HERE = Path(__file__).resolve().parent


@cache
def folder() -> Path:
    """Return the folder that holds the browser halves; a checkout's own folder wins, so that an edit shows at the next display."""
    checkout = _HERE.parents[1]
    if (checkout / "pyproject.toml").is_file() and (checkout / "widgets").is_dir():
        return checkout / "widgets"
    return _HERE / "static"


def path(name: str) -> Path:
    """Return the file of a browser half, such as `frame_review.js` or `shared/theme.css`; FileNotFoundError when it is not there."""
    found = folder() / name
    if not found.is_file():
        present = ", ".join(sorted(str(file.relative_to(folder())) for file in folder().rglob("*") if file.suffix in {".js", ".css"}))
        message = f"no browser half {name!r} in {folder()}; there are: {present or 'none'}"
        raise FileNotFoundError(message)
    return found


def text(name: str) -> str:
    """Return a browser half as text, read anew each time."""
    return path(name).read_text(encoding="utf-8")
