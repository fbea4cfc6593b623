"""Workspaces, their members and the users of the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from labelkit.core.actors import Actor, Role
from labelkit.errors import NotFound
from labelkit.store.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime

    from labelkit.store.statements import Statements

TrainingPolicy = Literal["allowed", "opted_out"]

_COLUMNS = "id, name, training_policy, created_at"


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """A team's space; `training_policy` says whether its labels may train models."""

    id: str
    name: str
    training_policy: TrainingPolicy
    created_at: datetime


class WorkspaceRows:
    """Workspaces, members and users in one unit of work."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def create(self, name: str, *, owner: str, training_policy: TrainingPolicy = "allowed") -> WorkspaceRow:
        """Add a workspace whose owner is `owner`. A name that is taken is a conflict."""
        row = WorkspaceRow(new_id("ws"), name, training_policy, self._tx.now)
        self._tx.insert("workspaces", [{"id": row.id, "name": name, "training_policy": training_policy, "created_at": row.created_at}])
        self.set_role(row.id, owner, Role.OWNER)
        return row

    def find(self, name: str) -> WorkspaceRow | None:
        """Return the workspace of that name, or None."""
        row = self._tx.one(f"SELECT {_COLUMNS} FROM workspaces WHERE name = $name", name=name)
        return None if row is None else WorkspaceRow(**row)

    def get(self, workspace_id: str) -> WorkspaceRow:
        """Return the workspace of that id. Raises `NOT_FOUND`."""
        row = self._tx.one(f"SELECT {_COLUMNS} FROM workspaces WHERE id = $id", id=workspace_id)
        if row is None:
            names = ", ".join(known.name for known in self.all()) or "none"
            raise NotFound(kind="workspace", name=workspace_id, near=f"Workspaces here: {names}.", listing="ws.workspaces()")
        return WorkspaceRow(**row)

    def all(self) -> list[WorkspaceRow]:
        """Return every workspace, by name."""
        return [WorkspaceRow(**row) for row in self._tx.rows(f"SELECT {_COLUMNS} FROM workspaces ORDER BY name")]

    def set_training_policy(self, workspace_id: str, policy: TrainingPolicy) -> None:
        """Say whether the labels of the workspace may train models. Raises `NOT_FOUND`."""
        done = self._tx.changed(
            "UPDATE workspaces SET training_policy = $policy WHERE id = $id RETURNING id", policy=policy, id=workspace_id
        )
        if not done:
            self.get(workspace_id)

    def members(self, workspace_id: str) -> dict[str, Role]:
        """Return the role of each member, by user name in order."""
        found = self._tx.rows(
            "SELECT user_name, role FROM members WHERE workspace_id = $id AND role IS NOT NULL ORDER BY user_name", id=workspace_id
        )
        return {row["user_name"]: Role[row["role"].upper()] for row in found}

    def set_role(self, workspace_id: str, user: str, role: Role | None) -> None:
        """Give a user one role in the workspace; None takes the membership away."""
        self._tx.execute(
            "INSERT INTO members (workspace_id, user_name, role) VALUES ($workspace, $user, $role)"
            " ON CONFLICT (workspace_id, user_name) DO UPDATE SET role = excluded.role",
            workspace=workspace_id,
            user=user,
            role=None if role is None else role.word,
        )

    def set_flags(self, user: str, *, is_developer: bool, is_support: bool) -> None:
        """Set the internal flags of a user."""
        self._tx.execute(
            "INSERT INTO users (user_name, is_developer, is_support) VALUES ($user, $is_developer, $is_support)"
            " ON CONFLICT (user_name) DO UPDATE SET is_developer = excluded.is_developer, is_support = excluded.is_support",
            user=user,
            is_developer=is_developer,
            is_support=is_support,
        )

    def actor(self, user: str) -> Actor:
        """Return the user with flags and roles as the store knows them; an unknown user has none."""
        flags = self._tx.one("SELECT is_developer, is_support FROM users WHERE user_name = $user", user=user) or {}
        roles = self._tx.rows(
            "SELECT workspace_id, role FROM members WHERE user_name = $user AND role IS NOT NULL ORDER BY workspace_id", user=user
        )
        return Actor(user, {row["workspace_id"]: Role[row["role"].upper()] for row in roles}, **flags)
