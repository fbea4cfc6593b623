"""What a run leaves in the store that its parameters name, and what that store answers without a kernel."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Self

from labelkit.errors import LabelkitError, NotFound
from labelkit.recipes.identity import Identity, environment, identify
from labelkit.recipes.parameters import Parameters
from labelkit.services.runs import NewRun, new_run_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.recipes.identity import Job
    from labelkit.services.runs import Run, RunEnd
    from labelkit.workspace import Workspace

_LOG = logging.getLogger("labelkit.recipes")
NO_STORE = "the recipe has no store among its parameters"


class Recorder:
    """Keeps the record of one job's runs. A store that is not there or cannot be written keeps none, and stops no run.

    `ws` is the workspace that the parameters name, None where there is none; `because` says why nothing is recorded, empty while it is.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.ws: Workspace | None = None
        self.because = ""
        self._opened: Workspace | None = None
        self._absent = False

    @classmethod
    def within(cls, job: Job, ws: Workspace) -> Self:
        """Return a recorder that keeps the record in this workspace, wherever the job's own store is."""
        recorder = cls(job)
        recorder.ws = ws
        return recorder

    def __enter__(self) -> Self:
        if self.ws is None:
            self._open()
        if self.ws is not None and self.ws.read_only:
            self.because = "the store cannot be written"
        return self

    def __exit__(self, *_: object) -> None:
        if self._opened is not None:
            self._opened.close()

    def _open(self) -> None:
        import labelkit

        store = self.job.store
        if store is None or not store.is_file():
            self.because = NO_STORE if store is None else f"there is no store {str(store)!r}"
            self._absent = store is not None
            return
        try:
            self.ws = self._opened = labelkit.open(store, workspace=self.job.workspace, create=False)
        except LabelkitError as refused:  # the notebook will meet it too, and say it in full, or make the workspace
            self.because = f"{refused.title} ({refused.code})"
            self._absent = isinstance(refused, NotFound)

    def identity(self) -> Identity:
        """Return the identity of the job by what the store holds now. Raises `RECIPE_PARAMETERS_INVALID`."""
        return identify(self.job, self.ws)

    def answer(self, identity: Identity) -> tuple[Run, str] | None:
        """Return the earlier run that answers for this identity with its executed notebook, None where there is none."""
        ws, parameters = self.ws, self.job.parameters
        if ws is None or self.because or not isinstance(parameters, Parameters) or not parameters.may_be_answered():
            return None
        try:
            found = ws.runs.answer(self.job.recipe, identity.digest, holds=lambda result: parameters.holds(ws, result))
            return None if found is None else (found, ws.runs.notebook(found.id))
        except LabelkitError as refused:
            _LOG.info("no earlier run answers: %s", refused)
            return None

    def start(self, identity: Identity, source: str, replay_of: str | None = None) -> NewRun:
        """Return the run of the notebook with this text that begins, recorded where it can be."""
        job = self.job
        run = NewRun(
            id=new_run_id(),
            recipe=job.recipe,
            recipe_digest=identity.digest,
            identity=identity.parts,
            source=source,
            parameters=json.loads(json.dumps(dict(job.given))),
            environment=environment(job.libraries),
            replay_of=replay_of,
        )
        self._try(lambda ws: ws.runs.start(run))
        return run

    def end(self, run: NewRun, end: RunEnd) -> None:
        """Record how a run ended; of one that made its store itself, the start too, which could not be recorded before."""
        if self._absent and self.job.store is not None and self.job.store.is_file():
            self._absent, self.because = False, ""
            self._open()
            self._try(lambda ws: ws.runs.start(run))
        self._try(lambda ws: ws.runs.end(run, end))

    def _try(self, record: Callable[[Workspace], None]) -> None:
        if self.ws is None or self.because:
            return
        try:
            record(self.ws)
        except LabelkitError as refused:
            self.because = f"{refused.title} ({refused.code})"
            _LOG.info("the run is not recorded: %s", refused)
