"""Approvals: a scope's label packs and revisions, with approve, reject and revoke, each with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelkit.core.review.packs import PackStep
from labelkit.widgets import static
from labelkit.widgets.base import command
from labelkit.widgets.rows import history_html, when
from labelkit.widgets.scope import ScopeWidget

if TYPE_CHECKING:
    from labelkit.core.review.packs import LabelPack
    from labelkit.widgets.base import Json


class Approvals(ScopeWidget):
    """The label packs and revisions of a scope; approving, rejecting and revoking them needs a reason and leaves an audit row."""

    _browser = "approvals"

    @property
    def value(self) -> list[LabelPack]:
        """Return the scope's label packs as they are now, newest first."""
        return self.packs

    @command("step")
    def step(self, pack: str, step: str, reason: str) -> Json:
        """Approve, reject or revoke a pack; refused or not, the present rows follow."""
        steps = {
            PackStep.APPROVE: self._ws.review.approve_pack,
            PackStep.REJECT: self._ws.review.reject_pack,
            PackStep.REVOKE: self._ws.review.revoke_pack,
        }
        act = steps[PackStep(step)]
        self.python = f"ws.review.{act.__name__}({pack!r}, reason={reason!r})"
        with self.reloading():
            return {"review_status": act(pack, reason=reason).review_status.value}

    def describe(self) -> str:
        """Return the scope and what its packs and revisions have come to."""
        said = [f"pack {pack.review_status}" for pack in self.packs] or ["no label pack yet"]
        said += [f"revision {revision.number} {revision.eligibility.lower()}" for revision in self.revisions]
        return f"Approvals of {self.scope_text}: {', '.join(said)}"

    def to_html(self) -> str:
        """Return packs and revisions as plain tables, escaped, times in UTC."""
        packs = static.table(
            ("Pack", "Review", "Validation", "Reason", "Last change (UTC)", "By"),
            [(p.id, p.review_status, p.validation_status, p.reason, when(p.updated_at), p.updated_by) for p in self.packs],
            empty="No label pack yet: the first publish creates one.",
        )
        return static.card(f"Approvals · {self.scope_text}", packs, history_html(self.revision_rows()))
