"""The door to state: who acts, whether they may, and the audit row of every allow and deny."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labelkit.core.actors import Action, Actor
from labelkit.errors import LabelkitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labelkit.store.database import Database
    from labelkit.store.statements import OnConflict
    from labelkit.store.transaction import Transaction
    from labelkit.store.workspaces import WorkspaceRow


@dataclass(frozen=True, slots=True)
class Act:
    """One permitted action under way: the open transaction, who acts, and the audit of what came of it."""

    tx: Transaction
    actor: Actor
    action: Action
    workspace: str
    subject: str

    def record(self, code: str, **facts: object) -> None:
        """Leave the audit row of an action that was allowed and done."""
        self.tx.audit.record(
            self.action, code, actor=self.actor.user, workspace=self.workspace, subject=self.subject, allowed=True, facts=facts
        )

    def refuse(self, refused: LabelkitError) -> None:
        """Leave the audit row of a part of the action that was refused while the rest goes on."""
        self.tx.audit.record(
            self.action,
            refused.code,
            actor=self.actor.user,
            workspace=self.workspace,
            subject=self.subject,
            allowed=False,
            facts={"detail": refused.detail},
        )


class Gate:
    """Opens units of work for one user in one workspace of a store."""

    def __init__(self, database: Database, user: str, workspace: WorkspaceRow) -> None:
        self.database = database
        self.user = user
        self.workspace = workspace

    @contextmanager
    def act(self, action: Action, subject: str, *, on_conflict: OnConflict | None = None) -> Iterator[Act]:
        """Run an action in one transaction. A refusal rolls back, leaves its audit row and goes on to the caller."""
        try:
            with self.database.transaction(on_conflict=on_conflict) as tx:
                actor = tx.workspaces.actor(self.user)
                if not actor.may(action, self.workspace.id):
                    raise actor.refusal(action, self.workspace.id, self.workspace.name)
                yield Act(tx, actor, action, self.workspace.id, subject)
        except LabelkitError as refused:
            self.deny(action, subject, refused)
            raise

    @contextmanager
    def read(self) -> Iterator[tuple[Transaction, Actor]]:
        """Read under the shared lock, as a member of the workspace or an internal user. Raises `PERMISSION_DENIED`."""
        with self.database.reading() as tx:
            actor = tx.workspaces.actor(self.user)
            if actor.may(Action.READ, self.workspace.id):
                yield tx, actor
                return
        self.require(Action.READ, f"workspace:{self.workspace.name}", actor)

    def require(self, action: Action, subject: str, actor: Actor) -> None:
        """Refuse who may not act before the work, and not after it. Raises `PERMISSION_DENIED`, which leaves its audit row."""
        if not actor.may(action, self.workspace.id):
            refused = actor.refusal(action, self.workspace.id, self.workspace.name)
            self.deny(action, subject, refused)
            raise refused

    def deny(self, action: Action, subject: str, refused: LabelkitError) -> None:
        """Leave the audit row of a refused action; where the store cannot be written at all, the refusal itself must do."""
        facts: Mapping[str, object] = {"detail": refused.detail}
        with suppress(LabelkitError), self.database.transaction() as tx:
            tx.audit.record(action, refused.code, actor=self.user, workspace=self.workspace.id, subject=subject, allowed=False, facts=facts)
