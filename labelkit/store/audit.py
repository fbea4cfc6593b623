"""The audit trail: one row for each allow and deny, in the transaction of the action itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labelkit.errors import AuditPersistFailed, LabelkitError
from labelkit.store.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from labelkit.store.statements import Statements


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did, or was refused, what on which subject, when, and the facts it was decided on. `workspace` is an id."""

    id: str
    recorded_at: datetime
    workspace: str | None
    actor: str
    action: str
    code: str
    allowed: bool
    subject: str
    facts: dict[str, Any]


class AuditRows:
    """The audit rows of one unit of work; append only."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def record(
        self, action: str, code: str, *, actor: str, workspace: str | None, subject: str, allowed: bool, facts: Mapping[str, object]
    ) -> None:
        """Append a row at the transaction's time. Raises `AUDIT_PERSIST_FAILED`, after which nothing of the transaction is kept."""
        row = {
            "id": new_id("aud"),
            "recorded_at": self._tx.now,
            "workspace_id": workspace,
            "actor": actor,
            "action": str(action),
            "code": code,
            "allowed": allowed,
            "subject": subject,
            "facts": json.dumps(facts, sort_keys=True, ensure_ascii=False, default=str),
        }
        try:
            self._tx.insert("audit", [row])
        except LabelkitError as error:
            raise AuditPersistFailed(action=str(action), reason=error.detail.rstrip(".")) from error

    def rows(
        self, *, workspace: str | None = None, subject: str | None = None, action: str | None = None, limit: int = 1000
    ) -> list[AuditRow]:
        """Return rows, newest first; each filter that is given must be equal."""
        found = self._tx.rows(
            """
            SELECT id, recorded_at, workspace_id AS workspace, actor, action, code, allowed, subject, facts
            FROM audit
            WHERE ($workspace::VARCHAR IS NULL OR workspace_id = $workspace)
              AND ($subject::VARCHAR IS NULL OR subject = $subject)
              AND ($action::VARCHAR IS NULL OR action = $action)
            ORDER BY id DESC
            LIMIT $limit
            """,
            workspace=workspace,
            subject=subject,
            action=action,
            limit=limit,
        )
        return [AuditRow(**{**row, "facts": json.loads(row["facts"])}) for row in found]
