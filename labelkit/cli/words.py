"""Words that commands share: options, `NAME=VALUE`, a store to open, a refusal to print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.errors import LabelkitError
    from labelkit.workspace import Workspace

StoreOption = Annotated[Path, typer.Option("--store", help="The store's file.")]
WorkspaceOption = Annotated[str, typer.Option("--workspace", help="The workspace in it.")]
UserOption = Annotated[str | None, typer.Option("--user", help="Who you are, if not LABELKIT_USER or your login name.")]
STORE = Path("labels.duckdb")


def pair(text: str, fix: str = "Write NAME=VALUE.") -> tuple[str, str]:
    """Return the two sides of `NAME=VALUE`. Raises `INVALID_VALUE`."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidValue(what=text, reason="it is not a name and a value", fix=fix)
    return name.strip(), value.strip()


def refused(refusal: LabelkitError) -> None:
    """Print a refusal with its code, detail and hint."""
    typer.echo(f"{refusal.code}: {refusal.title}\n{refusal.detail}\n{refusal.hint}", err=True)


def number(text: str) -> float:
    """Return a number. Raises `INVALID_VALUE`."""
    try:
        return float(text)
    except ValueError as error:
        raise InvalidValue(what=text, reason="it is no number", fix="Write shares such as train=0.8,val=0.2.") from error


def value(text: str) -> object:
    """Return a JSON value, or the text where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def class_names(
    numbered: str | None, renamed: Sequence[str] | None
) -> Sequence[str] | dict[str, str | None] | dict[int, str | None] | None:
    """Return what `--classes` and `--rename` say together: names in the order of numbers, or what names or numbers are called here."""
    names = [name.strip() for name in numbered.split(",")] if numbered else None
    here: dict[str, str | None] = {theirs: ours or None for theirs, ours in map(pair, renamed or [])}
    if names is None or not here:
        return names or here or None
    return {number: here.get(name, name) for number, name in enumerate(names)}


def opened(store: Path, workspace: str, user: str | None, *, new: bool = False) -> Workspace:
    """Open a workspace of a store that is there, or with `new` may be made. Raises `INVALID_VALUE`, `NOT_FOUND`."""
    import labelkit

    return labelkit.open(store, workspace=workspace, user=user, create=new)
