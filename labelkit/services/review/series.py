"""Review series: what is there to review, how far it is, who is at it, and what a conflict left on the shelf."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.review.annotations import FrameStep
from labelkit.errors import NotFound
from labelkit.services.review.publish import PublishCases
from labelkit.store.ids import new_id

if TYPE_CHECKING:
    from labelkit.core.review.drafts import Rebase
    from labelkit.services.review.draft import Draft
    from labelkit.store.review.series import Presence, ShelvedFrame
    from labelkit.store.transaction import Transaction


class SeriesCases(PublishCases):
    """The series half of `ws.review`."""

    def series(self, *, capability: str | None = None) -> pl.DataFrame:
        """Return one row a scope: media, capability, frames, draft, seen, edited, accepted, flagged, present, revision, eligibility."""
        with self._gate.read() as (tx, _):
            rows = tx.review.series(self._gate.workspace.id)
        return rows if capability is None else rows.filter(pl.col("capability") == capability)

    def next_scope(self, *, capability: str | None = None, after: tuple[str, str] | None = None) -> tuple[str, str] | None:
        """Return media and capability of the scope to work on next: begun before new, most frames left first, nobody else at it.

        `after` is a scope that is not meant, such as the one under review.
        """
        open_ = self.series(capability=capability).with_columns(left=pl.col("frame_count") - pl.col("seen")).filter(pl.col("left") > 0)
        free = open_.filter((pl.col("present") == "") | (pl.col("present") == self._gate.user))
        if after is not None:
            free = free.filter((pl.col("media") != after[0]) | (pl.col("capability") != after[1]))
        order = free.sort(pl.col("draft_id").is_null(), "left", "media", "capability", descending=[False, True, False, False])
        return None if order.is_empty() else (order["media"][0], order["capability"][0])

    def presence(self, draft_id: str) -> list[Presence]:
        """Return who has the draft open now: user, host, frame, since when."""
        with self._gate.read() as (tx, _):
            return tx.review.present(self._desk.head(tx, draft_id).id)

    def attend(self, draft_id: str, session: str, *, host: str, frame: int, edits: bool) -> tuple[int, list[Presence]]:
        """Note that a session has the draft open, if it may edit; return the draft's version and the sessions of other people."""
        if not edits or self._gate.database.read_only:
            with self._gate.read() as (tx, _):
                return self._desk.head(tx, draft_id).version, self._of_others(tx, draft_id)
        with self._gate.database.transaction() as tx:
            head = self._desk.head(tx, draft_id)
            tx.review.beat(draft_id, session, user=self._gate.user, host=host, frame=frame)
            return head.version, self._of_others(tx, draft_id)

    def _of_others(self, tx: Transaction, draft_id: str) -> list[Presence]:
        return [one for one in tx.review.present(draft_id) if one.user != self._gate.user]

    def leave(self, session: str) -> None:
        """Note that a session has closed its draft."""
        with self._gate.database.transaction() as tx:
            tx.review.leave(session)

    def shelve(self, draft_id: str, rebase: Rebase, taken: str) -> None:
        """Keep, for 30 days, the side of every conflicting frame that was not taken (`mine` or `theirs` was)."""
        lost = [("theirs", theirs) if taken == "mine" else ("mine", mine) for mine, theirs in rebase.both]
        with self._gate.act(Action.EDIT, f"draft:{draft_id}") as act:
            self._desk.head(act.tx, draft_id)
            act.tx.review.shelve(draft_id, [(new_id("shf"), side, content) for side, content in lost], actor=act.actor.user)
            act.record("CONFLICT_SETTLED", taken=taken, frames=[content.index for _, content in lost])

    def shelf(self, draft_id: str) -> list[ShelvedFrame]:
        """Return the frames that conflicts left behind within the last 30 days, newest first."""
        with self._gate.read() as (tx, _):
            return tx.review.shelf(self._desk.head(tx, draft_id).id)

    def unshelve(self, draft_id: str, shelved_id: str, *, base_version: int) -> Draft:
        """Put a shelved frame's labels and flags back as a new edit; what is there now goes onto the shelf itself."""
        with self._gate.act(Action.EDIT, f"draft:{draft_id}") as act:
            head = self._desk.head(act.tx, draft_id)
            found = next((one for one in act.tx.review.shelf(draft_id) if one.id == shelved_id), None)
            if found is None:
                raise NotFound.among("shelved frame", shelved_id, None, "ws.review.shelf(draft_id)")
            self._expect(act.tx, head, base_version)
            media, capability = self._desk.parts(act.tx, head)
            overlay = act.tx.review.overlay(head, frames=[found.content.index])
            present = self._desk.content(head.base_object, media).replaced(overlay).frame(found.content.index)
            act.tx.review.shelve(draft_id, [(new_id("shf"), "replaced", present)], actor=act.actor.user)
            back = replace(present, annotations=found.content.annotations, flags=found.content.flags).stepped(FrameStep.EDIT)
            head = self._save(act, head, [back], new_id("sav"))
        return self._desk.draft(head, media, capability)
