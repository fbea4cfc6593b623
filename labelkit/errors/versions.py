"""Refusals of versions: commits, branches, tags and merges."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class BranchMoved(LabelkitError):
    code = "BRANCH_MOVED"
    status = 409
    title = "Somebody else committed to the branch first"
    template = "{branch} of {name} is at {head} now, not at {expected} any more. {kept}"
    advice = "{way}"


class KeysNotUnique(LabelkitError):
    code = "KEYS_NOT_UNIQUE"
    status = 400
    title = "A key comes more than once"
    template = "{count:,} keys of column {key} stand in several rows: {examples}."
    advice = "Choose a column that tells rows apart, or decide which row of each key counts; labelkit does not guess."


class KeyChanged(LabelkitError):
    code = "KEY_CHANGED"
    status = 409
    title = "The rows have another key"
    template = "The rows of {name} are told apart by {before}, these by {after}."
    advice = "Commit with that key, or under another name: versions of different keys cannot be compared."


class SchemaMismatch(LabelkitError):
    code = "SCHEMA_MISMATCH"
    status = 409
    title = "The columns do not fit"
    template = "{what}: {reason}."
    advice = "{fix}"


class MergeConflicts(LabelkitError):
    code = "MERGE_CONFLICTS"
    status = 409
    title = "Both sides changed the same thing"
    template = "{count:,} rows were changed on both sides in different ways, among them {examples}."
    advice = (
        "ws.versions.plan_merge(...).conflicts lists them field by field; give the merge resolve='ours', 'theirs' or the rows that hold."
    )


class NoCommonHistory(LabelkitError):
    code = "NO_COMMON_HISTORY"
    status = 409
    title = "The histories have nothing in common"
    template = "{ours} and {theirs} descend from no common commit, so nobody can say which side changed what."
    advice = "Commit the rows of one on top of the other, and look at the diff first."


class TagTaken(LabelkitError):
    code = "TAG_TAKEN"
    status = 409
    title = "The name is taken"
    template = "{tag} of {name} names {commit} already, and a tag or branch never takes over a name."
    advice = "Choose another name; ws.versions.tags(name) and ws.versions.branches(name) list those in use."
