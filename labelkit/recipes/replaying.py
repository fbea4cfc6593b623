"""Executes a recorded run again and proves that it makes the same, or shows where it does not."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import labelkit
from labelkit.core.datasets.fingerprint import Difference, Fingerprint, explain
from labelkit.errors import InvalidValue
from labelkit.recipes import notebooks
from labelkit.recipes.delivery import target_of
from labelkit.recipes.identity import Identity, identify, prepare
from labelkit.recipes.parameters import parameter_model
from labelkit.recipes.places import Inputs, Place, places
from labelkit.recipes.recording import Recorder
from labelkit.recipes.running import DEFAULT_TIMEOUT_S, Again, Way, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic import BaseModel

    from labelkit.recipes.identity import Job
    from labelkit.recipes.running import CellProgress, Made
    from labelkit.services.runs import Changes, Run
    from labelkit.workspace import Workspace

FORCE = "force"
LEFT = "'text-align:left'"
DIGEST, SHORT = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b"), r"\1…"
OWN = ("outcome", "dataset", "version", "manifest_hash", "export")  # what two runs that make the same say differently
NOT_COMPARED = ("request.force",)


@dataclass(frozen=True)
class Replay:
    """What a replay came to.

    `manifest_hashes` are those of the recorded run and of the replay, None where there is no dataset; `causes` are the parts of the
    identity and of the build fingerprint that differ now, `facts` the values of the result; `files` names those not written alike.
    """

    run: Run
    notebook: Path
    manifest_hashes: tuple[str | None, str | None]
    causes: tuple[Difference, ...]
    facts: tuple[Difference, ...]
    files: tuple[str, ...]
    changes: Changes | None

    @property
    def equal(self) -> bool:
        """Say whether the replay made the same: the same dataset where there is one, else the same result; and the same files."""
        before, after = self.manifest_hashes
        same = before == after if before or after else not self.facts
        return same and not self.files

    @property
    def exit_code(self) -> int:
        """Return 0 where it is equal, else 1."""
        return 0 if self.equal else 1

    def as_json(self) -> dict[str, Any]:
        """Return what is kept of the replay."""
        shown = {"causes": [str(one) for one in self.causes], "facts": [str(one) for one in self.facts], "files": [*self.files]}
        changes = None if self.changes is None else str(self.changes)
        return {"equal": self.equal, "replay_of": self.run.id, "manifest_hashes": [*self.manifest_hashes], "changes": changes, **shown}

    def lines(self) -> list[str]:
        """Return what came of it, a sentence a line."""
        before, after = self.manifest_hashes
        if self.equal:
            what = f"manifest_hash {before}" if before else "the result"
            found = [f"equal: {what} is the same"]
        else:
            found = [f"different: manifest_hash {before} -> {after}" if before != after else "different"]
        found += [f"samples: {self.changes}"] if self.changes else []
        if self.changes:
            found += [f"  {kind}: {', '.join(keys)}" for kind, keys in self.changes.examples.items() if keys]
        found += [f"because of {one}" for one in self.causes]
        found += [] if self.equal else [f"result {one}" for one in self.facts]
        return [*found, *(f"file {name} was not written alike" for name in self.files)]

    def __repr__(self) -> str:
        return "\n".join([f"<Replay of {self.run.id}, {self.run.recipe}>", *(f"  {line}" for line in self.lines())])

    def _repr_html_(self) -> str:
        verdict = f"<b>Replay of {escape(self.run.recipe)}: {'equal' if self.equal else 'different'}</b>"
        sentences = [str(self.changes)] if self.changes else []
        sentences += [f"{name} was not written alike" for name in self.files]
        shown = [("manifest_hash", *map(str, self.manifest_hashes))] if any(self.manifest_hashes) else []
        shown += [(f"because of {one.field}", *one.sides()) for one in self.causes]
        shown += [] if self.equal else [(f"result {one.field}", *one.sides()) for one in self.facts]
        cells = [[f"<td style={LEFT}>{escape(DIGEST.sub(SHORT, text))}</td>" for text in row] for row in shown]
        rows = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
        table = f"<table><tr><th></th><th style={LEFT}>recorded</th><th style={LEFT}>replay</th></tr>{rows}</table>" if shown else ""
        return f"<p>{verdict} <small>{escape(self.run.id)}</small></p>{''.join(f'<div>{escape(one)}</div>' for one in sentences)}{table}"


def replay(
    ws: Workspace,
    run: str,
    *,
    model: type[BaseModel] | None = None,
    output: str | Path = "replays",
    timeout_s: float = DEFAULT_TIMEOUT_S,
    progress: Callable[[CellProgress], None] | None = None,
    lineage: str | None = None,
) -> Replay:
    """Execute the recorded notebook of a run with its parameters, as a forced build, and compare what it makes.

    It works on a copy of the store's state whose objects are shared. A replay under the dataset's own name would become its newest
    version, and one under another name would not know where earlier versions placed their groups; in a copy it has both and leaves
    nothing behind but the record of the replay in `ws.runs`. What the run wrote elsewhere is written to a temporary folder and compared
    by digest. The executed notebook stays in `output`. Raises what `run` raises, and `INVALID_VALUE` for a run that made nothing.
    """
    recorded = ws.runs.get(run)
    if recorded.exit_code != 0 or recorded.replay_of is not None:
        reason = f"it is a replay of {recorded.replay_of}" if recorded.replay_of else f"it has no result to compare: {recorded.status}"
        raise InvalidValue(what=run, reason=reason, fix="Choose a run that succeeded; ws.runs.list() has them.")
    with tempfile.TemporaryDirectory(prefix="labelkit-replay-") as folder:
        file = Path(folder, f"{recorded.recipe}.ipynb")
        file.write_text(ws.runs.notebook(run, "source"), encoding="utf-8")
        known = model or parameter_model(file.stem, notebooks.read(file))
        ws.runs.working_copy(Path(folder, "store.duckdb"))
        there = {name: str(Path(folder, "store.duckdb")) for name in places(known, Place.STORE)}
        job = prepare(file, {**recorded.parameters, **there}, model=known)
        causes = explain(Fingerprint(recorded.identity), Fingerprint(identify(job, ws).parts))
        job = job.given_also(**_elsewhere(job, Path(folder)))
        way = Way(Path(output), timeout_s, progress, target_of(lineage))
        found: list[Replay] = []

        def conclude(made: Made) -> Mapping[str, Any]:
            found.append(_compared(ws, recorded, job, causes, made))
            return found[0].as_json()

        with Recorder.within(job, ws) as recorder:
            execute(job, recorder, Identity(recorded.identity, Inputs({})), way, replay=Again(recorded.id, conclude))
        return found[0]


def _elsewhere(job: Job, folder: Path) -> dict[str, object]:
    """Return the parameters that a replay changes: a build is forced, and what is written goes to a folder of its own."""
    fields = type(job.parameters).model_fields
    forced: dict[str, object] = {FORCE: True} if FORCE in fields and fields[FORCE].annotation is bool else {}
    written = [name for place in (Place.OUTPUT, Place.BULK) for name in places(type(job.parameters), place)]
    given = {name: getattr(job.parameters, name) for name in written}
    return {**forced, **{name: str(folder / "out" / name / Path(path).name) for name, path in given.items() if path is not None}}


def _describes(name: str) -> bool:
    """Say whether a file only describes an export: it names the version of the dataset, which a replay makes anew."""
    from labelkit.formats import croissant, manifest

    return PurePath(name).name in (croissant.NAME, manifest.MANIFEST)


def _compared(ws: Workspace, recorded: Run, job: Job, causes: Sequence[Difference], made: Made) -> Replay:
    """Compare what a replay made with what its run had made, while the copy of the store is still there."""
    before, after = dict(recorded.result or {}), dict(made.result or {})
    manifests = before.get("manifest_hash"), after.get("manifest_hash")
    facts = [one for one in explain(Fingerprint(before), Fingerprint(after)) if one.field.partition(".")[0] not in OWN]
    found, changes = [*causes], None
    if "dataset" in before and "dataset" in after and job.store is not None:
        with labelkit.open(job.store, workspace=job.workspace, user=ws.user) as copy:
            pair = str(before["dataset"]), str(after["dataset"])
            found += [one for one in copy.datasets.explain(*pair) if one.field not in NOT_COMPARED]
            changes = copy.runs.changes(*pair) if manifests[0] != manifests[1] else None
    unlike = {(file.name, file.sha256) for file in recorded.files} ^ {(file.name, file.sha256) for file in made.files}
    names = tuple(sorted({name for name, _ in unlike if not _describes(name)}))
    return Replay(recorded, made.notebook, manifests, tuple(found), tuple(facts), names, changes)
