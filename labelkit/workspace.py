"""`labelkit.open(...)`: a workspace of a store, for one user; everything else is reached from it by tab completion."""

from __future__ import annotations

import getpass
import json
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import polars as pl

from labelkit.core.actors import Action, Actor, Role
from labelkit.errors import InvalidValue, NotFound, StoreConflict
from labelkit.store.acting import Gate
from labelkit.store.database import Database

if TYPE_CHECKING:
    from labelkit.services.datasets import Datasets
    from labelkit.services.golden import Golden
    from labelkit.services.media import Capabilities, MediaLibrary
    from labelkit.services.prelabels import Prelabels
    from labelkit.services.review import Review
    from labelkit.services.runs import Runs
    from labelkit.services.versions import Versions
    from labelkit.store.check import Finding
    from labelkit.store.workspaces import WorkspaceRow

TrainingPolicy = Literal["allowed", "opted_out"]


def open(  # noqa: A001 - labelkit.open is the front door
    target: str | Path = "labels.duckdb",
    *,
    workspace: str = "default",
    user: str | None = None,
    deadline_s: float = 10.0,
    create: bool = True,
) -> Workspace:
    """Open a workspace of the store at `target`; the file is made where there is none. ":memory:" is a store for tests.

    `user` is by default `LABELKIT_USER`, else the JupyterHub user, else the login name. Whoever makes a store is its first developer and
    the owner of its first workspace; a workspace that is not there is made by a developer's or owner's call. With `create=False` nothing
    is made: store and workspace must be there. `deadline_s` is how long any call waits for the store's lock.
    Raises `STORE_NOT_RECOGNIZED`, `STORE_TOO_NEW`, `STORE_BUSY`, `NOT_FOUND`, `INVALID_VALUE`.
    """
    if not workspace.strip() or "/" in workspace:
        raise InvalidValue(what="workspace", reason=f"{workspace!r} is no name", fix="Use a name without a slash.")
    if not create and str(target) != ":memory:" and not Path(target).expanduser().exists():
        fix = "Name a store that is there, or make one with labelkit.open(...) or `labelkit demo`."
        raise InvalidValue(what=str(target), reason="there is no such file", fix=fix)
    name = user or os.environ.get("LABELKIT_USER") or os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    database = Database.open(target, user=name, deadline_s=deadline_s)
    with database.reading() as tx:
        row = tx.workspaces.find(workspace)
    if row is None:
        row = _made(database, workspace, name, create=create)
    return Workspace(database, row, name)


def _made(database: Database, name: str, user: str, *, create: bool) -> WorkspaceRow:
    with database.transaction(on_conflict=StoreConflict) as tx:
        present = tx.workspaces.find(name)
        if present is not None:
            return present
        others = tx.workspaces.all()
        actor = tx.workspaces.actor(user)
        if not create or (others and not actor.is_developer and Role.OWNER not in actor.roles.values()):
            raise NotFound.among("workspace", name, [other.name for other in others], "labelkit.open(..., workspace=...)")
        row = tx.workspaces.create(name, owner=user)
        if not others:
            tx.workspaces.set_flags(user, is_developer=True, is_support=False)
        tx.audit.record(
            Action.MANAGE_WORKSPACE, "WORKSPACE_CREATED", actor=user, workspace=row.id, subject=f"workspace:{name}", allowed=True, facts={}
        )
        return row


class Workspace:
    """A team's space in a store, as one user sees it."""

    def __init__(self, database: Database, row: WorkspaceRow, user: str) -> None:
        self.name = row.name
        self.id = row.id
        self.user = user
        self._database = database
        self._gate = Gate(database, user, row)

    # --- the systems, each imported when it is first used

    @cached_property
    def media(self) -> MediaLibrary:
        """Folders of images and videos."""
        from labelkit.services.media import MediaLibrary

        return MediaLibrary(self._gate)

    @cached_property
    def capabilities(self) -> Capabilities:
        """What can be labelled."""
        from labelkit.services.media import Capabilities

        return Capabilities(self._gate)

    @cached_property
    def prelabels(self) -> Prelabels:
        """Labels that a model, or anybody, proposed."""
        from labelkit.services.prelabels import Prelabels

        return Prelabels(self._gate)

    @cached_property
    def review(self) -> Review:
        """Drafts, label packs, revisions."""
        from labelkit.services.review import Review

        return Review(self._gate)

    @cached_property
    def datasets(self) -> Datasets:
        """Datasets built from approved packs."""
        from labelkit.services.datasets import Datasets

        return Datasets(self._gate)

    @cached_property
    def runs(self) -> Runs:
        """Runs of recipes: who ran what, with which inputs and outputs."""
        from labelkit.services.runs import Runs

        return Runs(self._gate)

    @cached_property
    def versions(self) -> Versions:
        """Versions of any keyed rows: commit, diff, check out, tag, branch, merge, as in git."""
        from labelkit.services.versions import Versions

        return Versions(self._gate)

    @cached_property
    def golden(self) -> Golden:
        """Golden examples: what a model should have said, judged by people, scored, versioned, exported."""
        from labelkit.services.golden import Golden

        return Golden(self._gate)

    # --- the store

    @property
    def path(self) -> str:
        """Return the store's file, or ":memory:"."""
        return self._database.path

    @property
    def read_only(self) -> bool:
        """Say whether the store's place cannot be written: then everything can be read and every change is refused."""
        return self._database.read_only

    def check(self) -> list[Finding]:
        """Read every object that the store names and return what is missing or damaged."""
        return self._database.check()

    def backup(self, path: str | Path) -> None:
        """Copy the whole store to a new place, consistent, while others work."""
        self._database.backup(path)

    # --- people

    @property
    def actor(self) -> Actor:
        """Return who you are here: roles and internal flags."""
        with self._database.reading() as tx:
            return tx.workspaces.actor(self.user)

    def members(self) -> pl.DataFrame:
        """Return the members of the workspace: user, role."""
        with self._gate.read() as (tx, _):
            members = tx.workspaces.members(self.id)
        return pl.DataFrame([(user, role.word) for user, role in members.items()], schema=["user", "role"], orient="row")

    def set_role(self, user: str, role: str | None) -> None:
        """Make someone viewer, annotator, reviewer, lead or owner of the workspace; None takes the membership away. For owners."""
        try:
            wanted = None if role is None else Role[role.upper()]
        except KeyError as error:
            known = ", ".join(one.word for one in Role)
            raise InvalidValue(what="role", reason=f"there is no role {role!r}", fix=f"Use one of: {known}.") from error
        with self._gate.act(Action.MANAGE_WORKSPACE, f"member:{user}") as act:
            act.tx.workspaces.set_role(self.id, user, wanted)
            act.record("ROLE_SET", role=role)

    def set_training_policy(self, policy: TrainingPolicy) -> None:
        """Say whether labels of this workspace may train models: `allowed` or `opted_out`. For owners."""
        if policy not in ("allowed", "opted_out"):
            raise InvalidValue(what="policy", reason=f"{policy!r} is none", fix="Use 'allowed' or 'opted_out'.")
        with self._gate.act(Action.MANAGE_WORKSPACE, f"workspace:{self.name}") as act:
            act.tx.workspaces.set_training_policy(self.id, policy)
            act.record("TRAINING_POLICY_SET", policy=policy)

    def audit(self, *, subject: str | None = None, action: str | None = None, limit: int = 1000) -> pl.DataFrame:
        """Return audit rows, newest first: recorded_at, actor, action, code, allowed, subject, facts (JSON text)."""
        with self._gate.read() as (tx, _):
            rows = tx.audit.rows(workspace=self.id, subject=subject, action=action, limit=limit)
        columns = ("recorded_at", "actor", "action", "code", "allowed", "subject", "facts")
        return pl.DataFrame(
            [{c: json.dumps(v, ensure_ascii=False) if isinstance(v := getattr(r, c), dict) else v for c in columns} for r in rows],
            schema=list(columns),
        )

    def close(self) -> None:
        """Stop builds, save what live reviews hold, and let the store go. Closing twice is no error; raises what could not be saved."""
        try:
            if "datasets" in self.__dict__:
                self.datasets.close()
            if "review" in self.__dict__:
                self.review.close()
        finally:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Workspace {self.name!r} in {self.path}{' (read-only)' if self.read_only else ''}, as {self.user}>"
