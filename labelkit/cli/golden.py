"""`labelkit golden`: add examples from files, list what there is, write examples out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labelkit.cli.words import STORE, StoreOption, UserOption, WorkspaceOption, number, opened, pair

SHOWN = 10  # refused rows that are printed

golden_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Golden examples: add them from files, list them, export them.")


@golden_app.command("add")
def add_examples(  # one option a fact
    type: Annotated[str, typer.Argument(help="The type of the examples, such as contact_tier.")],
    file: Annotated[str, typer.Argument(help="A file, a folder that was exported to, or any URL that fsspec reaches.")],
    format: Annotated[str | None, typer.Option(help="jsonl, csv, parquet, …, where neither the name nor an export says it.")] = None,
    store: StoreOption = STORE,
    workspace: WorkspaceOption = "default",
    user: UserOption = None,
) -> None:
    """Add the examples of a file; rows that do not fit are printed with their reason, the others are kept.

    A store that is not there is made. Exit codes: 0 all rows were taken, 1 some were refused.
    """
    from labelkit.formats.keyed.row_sources import format_of

    written = format or format_of(file)
    with opened(store, workspace, user, new="://" in file or Path(file).exists()) as ws:
        report = ws.golden.add_file(written, file, type)
    typer.echo(repr(report).split("\n", maxsplit=1)[0])
    for row, part, path, reason in report.refused.head(SHOWN).iter_rows():
        typer.echo(f"  row {row}, {'/'.join(name for name in (part, path) if name)}: {reason}", err=True)
    raise typer.Exit(1 if report.refused.height else 0)


@golden_app.command("list")
def list_examples(store: StoreOption = STORE, workspace: WorkspaceOption = "default", user: UserOption = None) -> None:
    """List how many examples of each type there are, and how they were judged."""
    with opened(store, workspace, user) as ws:
        counted = ws.golden.list()
    for row in counted.iter_rows(named=True):
        judged = ", ".join(f"{row[status]:,} {status}" for status in ("pending", "validated", "rejected"))
        typer.echo(f"{row['type']}: {row['examples']:,} examples ({judged})")
    if counted.is_empty():
        typer.echo("no examples yet")


@golden_app.command("export")
def export_examples(  # one option a fact
    format: Annotated[str, typer.Argument(help="csv, huggingface, jsonl, parquet, tfrecord or webdataset.")],
    out: Annotated[str, typer.Argument(help="The folder to write, or any URL that fsspec reaches.")],
    type: Annotated[str | None, typer.Option(help="Examples of this type only.")] = None,
    status: Annotated[str | None, typer.Option(help="pending, validated or rejected ones only.")] = None,
    tier: Annotated[str | None, typer.Option(help="gold, silver, bronze or rejected ones only.")] = None,
    splits: Annotated[str | None, typer.Option(metavar="NAME=SHARE,...", help="train=0.8,val=0.2 makes splits.")] = None,
    store: StoreOption = STORE,
    workspace: WorkspaceOption = "default",
    user: UserOption = None,
) -> None:
    """Write examples in a format; what the format has no place for is listed before anything is written."""
    shares = None if splits is None else {name: number(text) for name, text in map(pair, splits.split(","))}
    with opened(store, workspace, user) as ws:
        for sentence in ws.golden.losses(format, type)["sentence"]:
            typer.echo(f"{format}: {sentence}", err=True)
        written = ws.golden.export(format, out, type, status, tier, shares)
    typer.echo(f"{written}".split("\n", maxsplit=1)[0])
