"""`ws.versions`: git for labels. Commit any keyed rows, look at what changed, check out, tag, branch, merge, go back, clean up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.versions import MAIN, ancestors, label
from labelkit.errors import InvalidValue, KeyChanged, NotFound, TagTaken
from labelkit.services.versions.committing import Committing
from labelkit.services.versions.exporting import Exporting
from labelkit.services.versions.joining import Joining
from labelkit.services.versions.reading import Reading, history_of, resolved, text_of
from labelkit.services.versions.values import CommitOutcome, Diff, Garbage, Log, MergePreview, Version
from labelkit.store.versions.collecting import Unreached, remove, unreached
from labelkit.store.versions.diffing import compared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from labelkit.core.versions import VersionStep
    from labelkit.formats.exporting import Progress
    from labelkit.formats.exporting.reports import ExportReport
    from labelkit.services.versions.reading import RefLike
    from labelkit.store.acting import Gate
    from labelkit.store.versions.merging import Side

__all__ = ["CommitOutcome", "Diff", "Garbage", "Log", "MergePreview", "Version", "Versions"]

GRACE_S = 7 * 24 * 3600.0


class Versions:
    """Every use case of versions, for one workspace.

    A ref is the id of a commit (or its first eight digits or more), `name` (the head of its branch `main`), `name@tag`, `name@branch`,
    `name@id`, whatever these calls return, or the id of a dataset version.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._reading = Reading(gate)
        self._committing = Committing(gate, self._reading)
        self._joining = Joining(gate, self._reading, self._committing)
        self._exporting = Exporting(gate, self._reading, self._committing)

    # --- writing

    def commit(
        self,
        name: str,
        rows: pl.DataFrame | pl.LazyFrame | Iterable[Mapping[str, object]] | None = None,
        *,
        key: str | None = None,
        message: str = "",
        upsert: bool = False,
        remove: Sequence[object] | pl.Series = (),
        branch: str = MAIN,
        expected_head: RefLike | None = None,
    ) -> CommitOutcome:
        """Commit rows as the new head of a branch; the same rows as before are reported as NO_OP_UNCHANGED and leave no commit.

        `rows` are all rows of the version: a frame, or mappings, dataclasses or pydantic models. With `upsert` they are a delta: rows of
        present keys replace these, others are added, and the keys in `remove` go; only chunks that can hold them are read and written.
        `key` names the column of unique text or whole numbers that tells rows apart; it is needed once, and stays. Neither the order of
        rows or columns nor the way to some rows matters: equal rows are equal objects and have an equal tree digest. A float that is
        not a number is a value like others; -0.0 is 0.0; categories are text. The first commit of a name makes its branch; `branch(...)`
        makes others.

        `expected_head` is the commit that this rests on. When the branch is elsewhere, then or while this call works, nothing is lost:
        `BRANCH_MOVED` names the commit that was kept, and `rebase` puts it on top. For annotators and above.
        Raises `PERMISSION_DENIED`, `NOT_FOUND` (the branch), `INVALID_VALUE`, `KEYS_NOT_UNIQUE`, `KEY_CHANGED`, `SCHEMA_MISMATCH`,
        `BRANCH_MOVED`.
        """
        return self._committing.commit(
            name, rows, key=key, message=message, upsert=upsert, remove=remove, branch=branch, expected_head=expected_head
        )

    def revert(self, name: str, to: RefLike, *, message: str | None = None, branch: str = MAIN) -> CommitOutcome:
        """Go back: commit the rows of an earlier (or any) version of the name as the new head. History stays as it is.

        For reviewers and above. Raises `PERMISSION_DENIED`, `NOT_FOUND`, `BRANCH_MOVED`.
        """
        return self._committing.revert(name, to, message=message, branch=branch)

    def merge(
        self,
        name: str,
        source: RefLike,
        *,
        into: str = MAIN,
        message: str | None = None,
        resolve: Side | pl.DataFrame | None = None,
        remove: Sequence[object] | pl.Series = (),
    ) -> CommitOutcome:
        """Merge a branch or commit into a branch, by key and field, against the newest version that both descend from.

        What only one side changed is taken; what both changed alike is taken once; anything else is a conflict, and nothing is written
        (`MERGE_CONFLICTS`; `plan_merge` lists them). `resolve` decides conflicts: `"ours"` (the branch `into`), `"theirs"`, or the rows
        that hold from now on, one for each key in conflict that is not in `remove`. For reviewers and above.
        Raises also `PERMISSION_DENIED`, `NOT_FOUND`, `NO_COMMON_HISTORY`, `SCHEMA_MISMATCH`, `INVALID_VALUE`, `BRANCH_MOVED`.
        """
        return self._joining.merge(name, source, into=into, message=message, resolve=resolve, remove=remove)

    def plan_merge(self, name: str, source: RefLike, *, into: str = MAIN) -> MergePreview:
        """Return what `merge` would do, with the conflicts as rows; nothing is changed."""
        return self._joining.preview(name, source, into=into)

    def rebase(
        self,
        commit: RefLike,
        *,
        onto: str = MAIN,
        resolve: Side | pl.DataFrame | None = None,
        remove: Sequence[object] | pl.Series = (),
    ) -> CommitOutcome:
        """Put what a commit changed on top of a branch: what to do after `BRANCH_MOVED`, with the commit that it names.

        Conflicts are decided as in `merge`. For annotators and above. Raises `MERGE_CONFLICTS` and what `merge` raises.
        """
        return self._joining.rebase(commit, onto=onto, resolve=resolve, remove=remove)

    # --- names

    def tag(self, name: str, tag: str, commit: RefLike | None = None, *, message: str = "") -> Version:
        """Give a version a name for ever; by default the head of main. A tag is never moved or removed, and protects from collection.

        The same tag for the same commit twice is no error. For reviewers and above. Raises `TAG_TAKEN`, `NOT_FOUND`, `INVALID_VALUE`.
        """
        label(tag, "tag")
        with self._gate.act(Action.SET_VERSION_NAMES, f"versions:{name}", on_conflict=self._taken(name, tag)) as act:
            history = history_of(act.tx, self._gate, name)
            row = self._reading.commit_of(act.tx, history, name if commit is None else commit)
            present = act.tx.versions.tags(history.id).get(tag)
            branch = act.tx.versions.branch(history.id, tag)
            head = present or (None if branch is None else branch.head)
            if head is not None and present != row.id:
                raise TagTaken(tag=tag, name=name, commit=head[:12])
            if present is None:
                act.tx.versions.add_tag(history.id, tag, row.id, message, act.actor.user)
                act.record("TAGGED", tag=tag, commit=row.id)
        return Version.of(row)

    def branch(self, name: str, branch: str, at: RefLike | None = None) -> Version:
        """Start a branch at a version, by default at the head of main. For reviewers and above. Raises `TAG_TAKEN`, `NOT_FOUND`."""
        label(branch, "branch")
        with self._gate.act(Action.SET_VERSION_NAMES, f"versions:{name}", on_conflict=self._taken(name, branch)) as act:
            history = history_of(act.tx, self._gate, name)
            row = self._reading.commit_of(act.tx, history, name if at is None else at)
            tag = act.tx.versions.tags(history.id).get(branch)
            present = act.tx.versions.branch(history.id, branch)
            head = tag or (None if present is None else present.head)
            if head is not None:
                raise TagTaken(tag=branch, name=name, commit=head[:12])
            act.tx.versions.move(history.id, branch, head=row.id, expected=None, actor=act.actor.user)
            act.record("BRANCHED", branch=branch, commit=row.id)
        return Version.of(row)

    def delete_branch(self, name: str, branch: str) -> None:
        """Delete a branch; its commits stay until a collection finds that nothing reaches them. For reviewers and above."""
        with self._gate.act(Action.SET_VERSION_NAMES, f"versions:{name}") as act:
            history = history_of(act.tx, self._gate, name)
            present = act.tx.versions.branch(history.id, branch)
            if present is None or present.head is None:
                known = [one.name for one in act.tx.versions.branches(history.id) if one.head is not None]
                raise NotFound.among("branch", branch, known, f"ws.versions.branches({name!r})")
            act.tx.versions.move(history.id, branch, head=None, expected=present.head, actor=act.actor.user)
            act.record("BRANCH_DELETED", branch=branch, commit=present.head)

    @staticmethod
    def _taken(name: str, tag: str) -> TagTaken:
        return TagTaken(tag=tag, name=name, commit="another commit")

    # --- reading

    def list(self) -> pl.DataFrame:
        """Return one row a name: name, key, rows and head of main, commits, updated_at, updated_by."""
        with self._gate.read() as (tx, _):
            return tx.versions.listed(self._gate.workspace.id)

    def log(self, name: RefLike, *, limit: int | None = None) -> Log:
        """Return the commits that a ref descends from, newest first, itself included; a name means its branch main."""
        with self._gate.read() as (tx, _):
            head = self._reading.commit(tx, name)
            rows = {row.id: row for row in tx.versions.all(head.history.id)}
        order = ancestors(head.id, {row.id: row.value.parents for row in rows.values()})
        return Log(Version.of(rows[one]) for one in order[:limit] if one in rows)

    def get(self, ref: RefLike) -> Version:
        """Return the commit that a ref points at. Raises `NOT_FOUND`."""
        with self._gate.read() as (tx, _):
            return Version.of(self._reading.commit(tx, ref))

    def tags(self, name: str) -> pl.DataFrame:
        """Return one row a tag, oldest first: tag, commit, message, created_at, created_by."""
        with self._gate.read() as (tx, _):
            return tx.versions.tag_frame(history_of(tx, self._gate, name).id)

    def branches(self, name: str) -> pl.DataFrame:
        """Return one row a branch, by name: branch, head."""
        with self._gate.read() as (tx, _):
            found = tx.versions.branches(history_of(tx, self._gate, name).id)
        rows = [(one.name, one.head) for one in found if one.head is not None]
        return pl.DataFrame(rows, schema={"branch": pl.String(), "head": pl.String()}, orient="row")

    def checkout(self, ref: RefLike) -> pl.LazyFrame:
        """Return the rows of a version as a lazy frame in key order, columns in the order in which they were given; read when collected."""
        return self._reading.checkout(ref)

    def diff(self, a: RefLike, b: RefLike) -> Diff:
        """Return what differs from a to b; only chunks that differ are read. Raises `NOT_FOUND`, `KEY_CHANGED`, `STORAGE_READ_FAILED`."""
        with self._gate.read() as (tx, _):
            before, after = (resolved(tx, self._gate, ref) for ref in (a, b))
            trees = [self._reading.tree(tx, found.snapshot) for found in (before, after)]
        if trees[0].keyed_by != trees[1].keyed_by:
            raise KeyChanged(name=text_of(a), before=trees[0].keyed_by, after=trees[1].keyed_by)
        return Diff(before.title, after.title, compared(self._gate.database.objects, *trees))

    def suggest_version(self, a: RefLike, b: RefLike) -> VersionStep:
        """Return which part of a version number should grow from a to b, and why, by Croissant's reading of semantic versioning.

        patch: the data are the same; minor: what was there is unchanged and there is more; major: existing data changed.
        `.after("1.4.2")` is the version that follows.
        """
        return self.diff(a, b).step

    # --- out and in

    def export(
        self,
        ref: RefLike,
        format: str,
        out: str | Path,
        splits: Mapping[str, float] | None = None,
        by: str | None = None,
        progress: Progress | None = None,
        storage_options: Mapping[str, object] | None = None,
    ) -> ExportReport:
        """Write the rows of a version in a format to `out`, a folder or a URL of fsspec, whole or not at all, and record it.

        `splits` gives each split its share, such as `{"train": 0.8, "val": 0.2}`: a hash of the row's key, or of its value in the column
        `by`, chooses, so that rows of a group are in one split and no row moves when others come. The same version gives the same bytes.
        An earlier export at `out` is replaced. `progress(done, total)` is told the rows after each chunk, and may raise to cancel: then
        nothing is left. `losses` lists beforehand what the format has no place for; the report and the manifest list it too. `labelkit
        verify` checks what lies there. Raises `UNKNOWN_FORMAT`, `NOT_FOUND`, `INVALID_VALUE`, `EXPORT_TARGET_TAKEN`,
        `STORAGE_WRITE_FAILED`.
        """
        return self._exporting.export(ref, format, out, splits, by, progress, storage_options)

    def losses(self, ref: RefLike, format: str) -> pl.DataFrame:
        """Return what a version holds and a format has no place for, one row each: facet, count, sentence. Nothing is written."""
        return self._exporting.losses(ref, format)

    def exports(self, ref: RefLike) -> pl.DataFrame:
        """Return the recorded exports of a version, oldest first: id, format, split, path, files, losses, created_at, created_by."""
        return self._exporting.exports(ref)

    def import_(
        self,
        name: str,
        format: str,
        source: str | Path,
        key: str | None = None,
        message: str = "",
        *,
        branch: str = MAIN,
        storage_options: Mapping[str, object] | None = None,
    ) -> CommitOutcome:
        """Commit the rows of an export, or of anybody's files of the format, at a path or a URL of fsspec, as all rows of a name.

        Rows of an export come back exactly, types and all, by its manifest, which also knows the key; they must be as they were written.
        Files without a manifest are read for what they seem to be. The rows of the head are reported as NO_OP_UNCHANGED. For annotators
        and above. Raises `UNKNOWN_FORMAT`, `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`, `EXPORT_DAMAGED` and what `commit` raises.
        """
        return self._exporting.import_(name, format, source, key=key, message=message, branch=branch, storage_options=storage_options)

    # --- cleaning up

    def gc(self, *, dry_run: bool = False, grace_s: float = GRACE_S) -> Garbage:
        """Remove what nothing reaches: commits of no branch or tag, snapshots of no commit or dataset version, objects that no row names.

        What is younger than `grace_s` seconds stays (one week unless told). Never removed is whatever a branch, tag, dataset version,
        frozen set, revision, draft, media or run names, in any workspace of the store. `dry_run` removes nothing and returns what
        would be. For owners and developers. Raises `PERMISSION_DENIED`, `INVALID_VALUE`.
        """
        if grace_s < 0:
            raise InvalidValue(what="grace_s", reason=f"{grace_s} is less than nothing", fix="Give seconds, 0 or more.")
        objects = self._gate.database.objects
        with self._gate.act(Action.COLLECT, "store") as act:
            found: Unreached = unreached(act.tx, grace_s)
            gone = objects.collect(set(found.named), grace_s, dry_run=True)
            garbage = Garbage(found.commits, found.snapshots, gone.digests, gone.size_bytes, dry_run)
            if not dry_run:
                remove(act.tx, found)
            act.record("COLLECTED", dry_run=dry_run, commits=len(found.commits), snapshots=len(found.snapshots), objects=len(gone.digests))
        if not dry_run:
            self._gate.database.collect(grace_s=grace_s)
        return garbage
