"""Refusals of the store."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class StoreBusy(LabelkitError):
    code = "STORE_BUSY"
    status = 503
    title = "The store is in use"
    template = "{path} has been locked since {since} by process {pid} of {user} on {host}; waited {waited_s:.1f} s."
    advice = "Wait and try again; if that process hangs, end it: the lock falls with it."


class StoreTooNew(LabelkitError):
    code = "STORE_TOO_NEW"
    title = "The store was written by a newer labelkit"
    template = "{path} has schema {found}, this labelkit knows up to {known}."
    advice = "Upgrade labelkit; an older one never writes into a newer store."


class StoreNotRecognized(LabelkitError):
    code = "STORE_NOT_RECOGNIZED"
    title = "Not a labelkit store"
    template = "{path} is not a labelkit store: {reason}."
    advice = "Name another path; labelkit never overwrites a file that it does not know."


class StoreReadOnly(LabelkitError):
    code = "STORE_READ_ONLY"
    title = "The store is read-only here"
    template = "{path} cannot be written: {reason}."
    advice = "Open a copy in a folder that you may write, or ask for write permission."


class StoreConflict(LabelkitError):
    code = "STORE_CONFLICT"
    status = 409
    title = "Someone else was first"
    template = "Another change to the same thing came first: {reason}."
    advice = "Nothing was changed. Load the present state and try again if the change is still wanted."


class StoreLocksUnsupported(LabelkitError):
    code = "STORE_LOCKS_UNSUPPORTED"
    title = "This place cannot hold a store"
    template = "{path} is on a filesystem without working file locks: {reason}."
    advice = "Put the store on a local disk; for a team on many hosts keep it in PostgreSQL."


class StorageReadFailed(LabelkitError):
    code = "STORAGE_READ_FAILED"
    status = 500
    title = "Stored content could not be read"
    template = "{what} could not be read: {reason}."
    advice = "Nothing was changed. Check the place and your access to it; `labelkit store check` says what of a store is damaged."


class StorageWriteFailed(LabelkitError):
    code = "STORAGE_WRITE_FAILED"
    status = 500
    title = "Content could not be stored"
    template = "{what} could not be written: {reason}."
    advice = "Nothing was changed. Check free space and permissions, then try again."


class AuditPersistFailed(LabelkitError):
    code = "AUDIT_PERSIST_FAILED"
    status = 500
    title = "The audit row could not be written"
    template = "The audit row of {action} could not be written: {reason}."
    advice = "Nothing was changed: an action without its audit row does not happen."
