"""The command line: each command opens a workspace, makes one call and prints what came of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelkit.cli.exports import export, verify_export
from labelkit.cli.golden import golden_app
from labelkit.cli.words import STORE, StoreOption, UserOption, WorkspaceOption, class_names, opened, pair, refused, value
from labelkit.errors import LabelkitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.recipes import CellProgress
    from labelkit.workspace import Workspace

app = typer.Typer(name="labelkit", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
store_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at a store, verify it, copy it.")
app.add_typer(store_app, name="store")
app.add_typer(golden_app, name="golden")

TimeoutOption = Annotated[float, typer.Option(help="Seconds after which the run is stopped.")]
LineageOption = Annotated[
    str | None, typer.Option("--lineage", metavar="FILE_OR_URL", help="Where OpenLineage events go, if not LABELKIT_LINEAGE.")
]
PARAMETER_OPTIONS = ("-p", "--parameter")


@app.callback()
def about() -> None:
    """From a model's labels to training data that a team can trust."""


@app.command()
def demo(
    data: Annotated[Path | None, typer.Option(help="A folder of real images and YOLO labels; without it a match is drawn.")] = None,
    labels: Annotated[str | None, typer.Option(help="Which folder of labels below DATA, where there are several.")] = None,
    corrected: Annotated[str | None, typer.Option(help="A folder of better labels below DATA; the review replays the changes.")] = None,
    store: Annotated[Path, typer.Option(help="Where to keep the store.")] = Path("labelkit-demo/labels.duckdb"),
    quick: Annotated[bool, typer.Option("--quick", help="Fewer frames.")] = False,  # noqa: FBT002  # a flag
) -> None:
    """Run the main job: import a model's labels, review, publish, approve, build, and show where everything is."""
    from labelkit.demo import Demo

    Demo(store, data=data, labels=labels, corrected=corrected, quick=quick).run()


@app.command("open")
def open_store(
    store: Annotated[Path, typer.Argument(help="The store's file.")] = STORE,
    workspace: WorkspaceOption = "default",
    user: UserOption = None,
    lab: Annotated[bool, typer.Option("--lab/--no-lab", help="Start JupyterLab on the review notebook.")] = True,  # noqa: FBT002  # a flag
) -> None:
    """Show what a store holds and open its review in JupyterLab."""
    from labelkit import demo

    with opened(store, workspace, user) as ws:
        _summary(ws)
    notebook = demo.review_notebook(store, workspace)
    if lab:
        demo.start_lab(notebook)
    else:
        typer.echo(f"Review it with: jupyter lab {notebook}")


@app.command("import")
def import_labels(  # noqa: PLR0913, PLR0917  # one option a fact
    format: Annotated[str, typer.Argument(help="coco, csv, cvat, labelstudio, mot, parquet, voc or yolo.")],
    source: Annotated[Path, typer.Argument(help="The labels: a folder, or a file.")],
    media: Annotated[str, typer.Option(help="The media that the labels are of.")],
    capability: Annotated[str, typer.Option(help="What is labelled.")] = "player_detection",
    frames: Annotated[str | None, typer.Option(help="Add this folder, glob or video as the media first.")] = None,
    group: Annotated[str | None, typer.Option(help="The group of the media added: what a split never cuts.")] = None,
    split: Annotated[str | None, typer.Option(help="The split that the media added came with, such as train.")] = None,
    classes: Annotated[str | None, typer.Option(help="Class names in the order of their numbers, with commas between.")] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option("--rename", metavar="THEIRS=OURS", help="What a class is called here; THEIRS= leaves it out."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="An option of the format, such as one_based=true."),
    ] = None,
    model: Annotated[str, typer.Option(help="What made the labels.")] = "unknown",
    model_version: Annotated[str, typer.Option(help="Its version.")] = "",
    store: StoreOption = STORE,
    workspace: WorkspaceOption = "default",
    user: UserOption = None,
) -> None:
    """Import labels as a prelabel run, ready to be reviewed."""
    with opened(store, workspace, user, new=frames is not None) as ws:
        if frames is not None:
            ws.media.add(frames, name=media, group_key=group, split=split)
        options = {name: value(text) for name, text in map(pair, option or [])}
        run = ws.prelabels.import_(
            format,
            source,
            media=media,
            capability=capability,
            classes=class_names(classes, rename),
            model=model,
            model_version=model_version,
            **options,  # type: ignore[arg-type]  # the import refuses what the format does not have
        )
    typer.echo(f"{run.id}: {run.report.kept} of {run.report.read} labels imported for {media}, {capability}")
    for code, count in run.report.refused_by_code.items():
        typer.echo(f"  refused {count}: {code}")


app.command()(export)
app.command("verify")(verify_export)


@app.command()
def materialize(
    dataset: Annotated[str, typer.Argument(help="The dataset's name or id.")],
    target: Annotated[str, typer.Argument(help="A folder, or any URL that fsspec reaches, such as s3://bucket/place.")],
    mode: Annotated[str, typer.Option(help="link, copy, or crops: a picture a box.")] = "link",
    verify: Annotated[str, typer.Option(help="Which files are read: new, all, or changed.")] = "new",
    purpose: Annotated[str, typer.Option(help="Of crops: training, which frozen test sets refuse, or evaluation.")] = "training",
    option: Annotated[
        list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="A storage option of the URL; values may be JSON.")
    ] = None,
    store: StoreOption = STORE,
    workspace: WorkspaceOption = "default",
    user: UserOption = None,
) -> None:
    """Make the files of a built dataset; what is there and whole stays. Exit code 1 where some could not be made."""
    options = {name: value(text) for name, text in map(pair, option or [])}
    with opened(store, workspace, user) as ws:
        report = ws.datasets.get(dataset).materialize(
            target, mode, verify=verify, purpose=purpose, storage_options=options, progress=lambda tally: typer.echo(tally, err=True)
        )
    typer.echo(f"{report!r}")
    raise typer.Exit(0 if report.status == "complete" else 1)


@app.command()
def run(
    notebook: Annotated[str, typer.Argument(help="A notebook file, or the name of one that comes with labelkit.")],
    parameter: Annotated[list[str] | None, typer.Option(*PARAMETER_OPTIONS, metavar="NAME VALUE", help="A parameter; repeatable.")] = None,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="A YAML file of parameters.")] = None,
    output: Annotated[Path, typer.Option(help="The folder for the executed notebook and its result.")] = Path("runs"),
    timeout: TimeoutOption = 3600.0,
    force: Annotated[bool, typer.Option("--force", help="Execute it even where an equal run answers.")] = False,  # noqa: FBT002  # a flag
    lineage: LineageOption = None,
) -> None:
    """Execute a notebook with checked parameters, unless an equal run is known.

    Exit codes: 0 done or reused, 1 refused by a gate or preflight, 2 usage, 3 in progress elsewhere, 4 conflict, 5 the notebook raised.
    """
    from labelkit import recipes

    texts = dict(pair(one, "Write -p NAME VALUE.") for one in parameter or [])
    outcome = recipes.run(
        notebook,
        recipes.read_file(file) if file else {},
        texts=texts,
        output=output,
        timeout_s=timeout,
        progress=_show_cell,
        force=force,
        lineage=lineage,
    )
    for name, made in (outcome.result or {}).items():
        typer.echo(f"{name}: {made}")
    typer.echo(f"executed notebook: {outcome.notebook}")
    if outcome.run:
        typer.echo(f"{'answered by' if outcome.reused else 'recorded as'}: {outcome.run}")
    else:
        typer.echo(f"not recorded: {outcome.unrecorded}", err=True)
    raise typer.Exit(outcome.exit_code)


@app.command()
def replay(
    run: Annotated[str, typer.Argument(help="The id of a recorded run.")],
    store: StoreOption = STORE,
    workspace: WorkspaceOption = "default",
    user: UserOption = None,
    output: Annotated[Path, typer.Option(help="The folder for the executed notebook.")] = Path("replays"),
    timeout: TimeoutOption = 3600.0,
    lineage: LineageOption = None,
) -> None:
    """Execute a recorded run again and prove that it makes the same; exit code 1 where it does not, with what differs."""
    from labelkit import recipes

    with opened(store, workspace, user) as ws:
        found = recipes.replay(ws, run, output=output, timeout_s=timeout, progress=_show_cell, lineage=lineage)
    for line in found.lines():
        typer.echo(line)
    typer.echo(f"executed notebook: {found.notebook}")
    raise typer.Exit(found.exit_code)


@store_app.command()
def info(
    store: Annotated[Path, typer.Argument(help="The store's file.")] = STORE,
    workspace: WorkspaceOption = "default",
    user: UserOption = None,
) -> None:
    """Show what a workspace of a store holds."""
    with opened(store, workspace, user) as ws:
        _summary(ws)


@store_app.command()
def check(
    store: Annotated[Path, typer.Argument(help="The store's file.")] = STORE,
    workspace: WorkspaceOption = "default",
    user: UserOption = None,
) -> None:
    """Verify every object that the store names; exit code 1 where one is missing or damaged."""
    with opened(store, workspace, user) as ws:
        findings = ws.check()
    for finding in findings:
        typer.echo(f"{finding.problem}: {finding.digest} ({finding.where})")
    typer.echo(f"{len(findings)} problem(s)" if findings else "every object is there and whole")
    raise typer.Exit(1 if findings else 0)


@store_app.command()
def backup(
    store: Annotated[Path, typer.Argument(help="The store's file.")],
    target: Annotated[Path, typer.Argument(help="The file to write; its objects go beside it.")],
    workspace: WorkspaceOption = "default",
    user: UserOption = None,
) -> None:
    """Copy a whole store to a new place, consistent, while others work."""
    with opened(store, workspace, user) as ws:
        ws.backup(target)
    typer.echo(f"copied to {target}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a refusal is printed with its code, detail and hint, and ends with the exit code of its kind."""
    try:
        app(args=paired(sys.argv[1:] if arguments is None else arguments), prog_name="labelkit")
    except LabelkitError as refusal:
        from labelkit.recipes import exit_code

        refused(refusal)
        sys.exit(exit_code(refusal))


def paired(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with each `-p NAME VALUE` as `-p NAME=VALUE`, the form that the parser takes.

    >>> paired(["run", "n.ipynb", "-p", "seed", "7", "--parameter", "name=x"])
    ['run', 'n.ipynb', '-p', 'seed=7', '--parameter', 'name=x']
    """
    left, done = list(arguments), []
    while left:
        done.append(left.pop(0))
        if done[-1] in PARAMETER_OPTIONS and len(left) > 1 and "=" not in left[0]:
            done.append(f"{left.pop(0)}={left.pop(0)}")
    return done


def _show_cell(cell: CellProgress) -> None:
    typer.echo(f"[{cell.number}/{cell.total}] {cell.title}", err=True)


def _summary(ws: Workspace) -> None:
    typer.echo(repr(ws))
    tables = {
        "media": ws.media.list(),
        "prelabel runs": ws.prelabels.runs(),
        "drafts": ws.review.drafts(),
        "datasets": ws.datasets.list(),
        "runs": ws.runs.list(),
    }
    for name, table in tables.items():
        typer.echo(f"\n{name}: {table.height}")
        for row in table.head(20).iter_rows(named=True):
            typer.echo("  " + "  ".join(f"{column}={value}" for column, value in list(row.items())[:6]))
