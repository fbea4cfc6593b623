"""The evidence of near-duplicates: find it, list it, rule on it, look back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.datasets.near_duplicates import Ruling
from labelkit.errors import InvalidValue, NearDuplicateRulingConflict, NotFound, ReasonRequired, StoreConflict
from labelkit.services.datasets.near_duplicates.searching import Search, media_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labelkit.store.acting import Gate


class NearDuplicates:
    """The use cases of near-duplicates, for one workspace."""

    _gate: Gate

    def find_near_duplicates(
        self,
        capability: str | None = None,
        *,
        label_pack_ids: Sequence[str] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> pl.DataFrame:
        """Search the media of a capability's packs, or of these packs, for frames that look alike; return what `near_duplicates` does.

        Each picture is hashed once ever; a call that was interrupted goes on where it was. New media are compared with each other and
        with all that were searched before in this workspace: two frames are near-duplicates where neither their dHash nor their pHash
        differs in more than 6 of 64 bits. Pairs within a group are no evidence: a group is never cut. `progress` is called with the
        pictures hashed and all that have to be. Frames that cannot be read now are left to a later call. For reviewers and above.

        Raises `PERMISSION_DENIED`, `NOT_FOUND`, `INVALID_VALUE`, `STORE_CONFLICT`.
        """
        return self._listed(media=Search(self._gate).run(capability, label_pack_ids, progress))

    def near_duplicates(
        self, capability: str | None = None, *, label_pack_ids: Sequence[str] | None = None, ruling: str | None = None
    ) -> pl.DataFrame:
        """Return the evidence of near-duplicates, one row a pair of media of different groups, the closest pairs first.

        All of the workspace's, or that among the media of a capability's packs or of these packs; `ruling` asks for `duplicate`,
        `different` or `none`. Columns: id, ruling (null where nobody ruled), ruling_version, then group, workspace, media and frame of
        both sides (the closest two frames) as group_a … frame_b, dhash_distance and phash_distance in bits, frame_pairs (how many pairs
        of frames are near enough), reason, ruled_by, ruled_at, found_by, found_at, sha256_a, sha256_b.
        """
        return self._listed(capability, label_pack_ids, ruling=ruling)

    def rule_near_duplicate(self, pair_id: str | Sequence[str], ruling: str, *, reason: str, expected_version: int | None = None) -> None:
        """Rule that a pair of media (or several) is `different`, which holds their groups together no more, or `duplicate`: confirmed.

        A later ruling counts over an earlier one, and all are kept (`near_duplicate_rulings`). `expected_version` is the `ruling_version`
        that was looked at. For reviewers and above. Raises `PERMISSION_DENIED`, `NOT_FOUND`, `REASON_REQUIRED`, `INVALID_VALUE` and
        `NEAR_DUPLICATE_RULING_CONFLICT`.
        """
        if ruling not in list(Ruling):
            raise _no_ruling(ruling)
        if not reason.strip():
            raise ReasonRequired(action=f"To {Action.RULE_NEAR_DUPLICATES}")
        ids = [pair_id] if isinstance(pair_id, str) else list(dict.fromkeys(pair_id))
        subject = f"near-duplicates:{ids[0] if len(ids) == 1 else f'{len(ids)} pairs'}"
        with self._gate.act(Action.RULE_NEAR_DUPLICATES, subject, on_conflict=StoreConflict) as act:
            rows, workspace = act.tx.datasets.near_duplicates, act.workspace
            before = rows.present(workspace, ids)
            for pair in ids:
                if pair not in before:
                    known = rows.listed(workspace)["id"].to_list()
                    raise NotFound.among("pair of near-duplicates", pair, known, "ws.datasets.near_duplicates()")
                if expected_version not in (None, before[pair][1]):
                    raise NearDuplicateRulingConflict(pair=pair, expected=expected_version, present=before[pair][1])
            versions = {pair: before[pair][1] + 1 for pair in ids}
            rows.rule(workspace, versions, Ruling(ruling), reason=reason, actor=act.actor.user)
            act.record("NEAR_DUPLICATES_RULED", ruling=ruling, reason=reason, before={pair: before[pair][0] for pair in ids})

    def near_duplicate_rulings(self, pair_id: str) -> pl.DataFrame:
        """Return every ruling on a pair, newest first: version, ruling, reason, ruled_by, ruled_at."""
        with self._gate.read() as (tx, _):
            return tx.datasets.near_duplicates.rulings(self._gate.workspace.id, pair_id)

    def _listed(
        self,
        capability: str | None = None,
        label_pack_ids: Sequence[str] | None = None,
        *,
        media: Sequence[str] | None = None,
        ruling: str | None = None,
    ) -> pl.DataFrame:
        """Return the evidence that lies in workspaces which the actor may read, closest pairs first."""
        if ruling not in (None, "none", *Ruling):
            raise _no_ruling(ruling, "'none', ")
        with self._gate.read() as (tx, actor):
            if capability is not None or label_pack_ids is not None:
                media = media_of(tx, actor, self._gate.workspace.id, capability, label_pack_ids)
            rows = tx.datasets.near_duplicates.listed(self._gate.workspace.id, media=media, ruling=ruling)
        seen = [one for one in rows["workspace_id_a"].append(rows["workspace_id_b"]).unique() if actor.may(Action.READ, one)]
        readable = pl.col("workspace_id_a").is_in(seen) & pl.col("workspace_id_b").is_in(seen)
        return rows.filter(readable).drop("workspace_id_a", "workspace_id_b")


def _no_ruling(ruling: str | None, more: str = "") -> InvalidValue:
    known = more + ", ".join(repr(str(one)) for one in Ruling)
    return InvalidValue(what="ruling", reason=f"there is no ruling {ruling!r}", fix=f"Use one of: {known}.")
