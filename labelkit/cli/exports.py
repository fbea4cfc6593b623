"""`labelkit export` and `labelkit verify`."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from labelkit.cli.words import STORE, StoreOption, UserOption, WorkspaceOption, number, opened, pair, refused, value
from labelkit.errors import InvalidValue, LabelkitError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labelkit.services.datasets import Dataset
    from labelkit.workspace import Workspace


FORMATS = "csv, huggingface, jsonl, parquet, tfrecord or webdataset; of a dataset also coco, cvat, labelstudio, voc or yolo."
OptionOption = Annotated[
    list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="A storage option of the URL; values may be JSON.")
]


def export(  # noqa: PLR0913, PLR0917  # one option a fact
    format: Annotated[str, typer.Argument(help=FORMATS)],
    name: Annotated[str, typer.Argument(help="A dataset (name or id), or a version, such as golden/contact-tier@v1.")],
    out: Annotated[str, typer.Argument(help="The folder to write, or any URL that fsspec reaches.")],
    split: Annotated[str | None, typer.Option(help="Of a dataset: this split only.")] = None,
    splits: Annotated[str | None, typer.Option(metavar="NAME=SHARE,...", help="Of a version: train=0.8,val=0.2 makes splits.")] = None,
    by: Annotated[str | None, typer.Option(help="Of a version: the column whose equal values stay in one split.")] = None,
    purpose: Annotated[
        str | None, typer.Option(help="Of a dataset: training, which frozen test sets refuse, or evaluation, which is counted.")
    ] = None,
    option: OptionOption = None,
    store: StoreOption = STORE,
    workspace: WorkspaceOption = "default",
    user: UserOption = None,
) -> None:
    """Write a built dataset or a version in a format; what the format has no place for is listed before anything is written."""
    options = {key: value(text) for key, text in map(pair, option or [])}
    shares = None if splits is None else {key: number(text) for key, text in map(pair, splits.split(","))}
    with opened(store, workspace, user) as ws:
        dataset = _dataset(ws, name)
        of_the_other = {"--splits": splits, "--by": by} if dataset else {"--split": split, "--purpose": purpose}
        for word in [word for word, given in of_the_other.items() if given is not None]:
            kind, fix = ("dataset", "Use --split; a dataset has splits.") if dataset else ("version", "Use --splits and --by.")
            raise InvalidValue(what=word, reason=f"{name} is a {kind}", fix=fix)
        lost = dataset.losses(format, split) if dataset else ws.versions.losses(name, format)
        for sentence in lost["sentence"]:
            typer.echo(f"{format}: {sentence}", err=True)
        with _bar(f"{name} as {format}") as progress:
            if dataset:
                written = dataset.export(
                    format, out, split=split, purpose=purpose or "training", progress=progress, storage_options=options
                )
            else:
                written = ws.versions.export(name, format, out, shares, by, progress=progress, storage_options=options)
    typer.echo(f"{written}".split("\n", maxsplit=1)[0])


def verify_export(
    export: Annotated[str, typer.Argument(help="A folder that was exported to, or its URL.")],
    option: OptionOption = None,
) -> None:
    """Check an export by its manifest: every missing, changed and foreign file is named. Needs no store and no network.

    Exit codes: 0 everything is as it was written, 1 something is not, 2 there is no export, or it cannot be read.
    """
    import labelkit

    try:
        found = labelkit.verify(export, storage_options={key: value(text) for key, text in map(pair, option or [])})
    except LabelkitError as refusal:
        refused(refusal)
        raise typer.Exit(2) from refusal
    typer.echo(repr(found))
    raise typer.Exit(0 if found.ok else 1)


def _dataset(ws: Workspace, name: str) -> Dataset | None:
    """Return the dataset of a name, None where only versions have it; where both do, say which is meant."""
    try:
        dataset = ws.datasets.get(name)
    except NotFound as refused:
        if "@" in name or name in ws.versions.list()["name"]:
            return None
        with suppress(LabelkitError):  # the id of a commit
            ws.versions.get(name)
            return None
        names = [*ws.datasets.list()["name"].unique(), *ws.versions.list()["name"]]
        raise NotFound.among("dataset or version", name, names, "labelkit store info") from refused
    if name in ws.versions.list()["name"]:
        typer.echo(f"{name} is a dataset and a name of versions: the dataset is exported. The version is {name}@main.", err=True)
    return dataset


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None] | None]:
    """Give what shows progress as a bar where somebody looks; nothing is shown in files and pipes."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
