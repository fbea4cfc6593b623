"""Refusals that any system may make."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from labelkit.errors.base import LabelkitError

if TYPE_CHECKING:
    from collections.abc import Iterable


class PermissionDenied(LabelkitError):
    code = "PERMISSION_DENIED"
    status = 403
    title = "Not allowed"
    template = "{user} may not {action} in workspace {workspace}: this needs {needs}, and {user} is {role}."
    advice = "Ask an owner of the workspace, or open the store as a user with that role."


class NotFound(LabelkitError):
    code = "NOT_FOUND"
    status = 404
    title = "Not found"
    template = "There is no {kind} {name!r} here. {near}"
    advice = "Check the name; {listing} lists what exists."

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str] | None, listing: str) -> NotFound:
        """Return the refusal that names the nearest of what exists; None: that was not looked up."""
        if known is None:
            return cls(kind=kind, name=name, near="It may be of another workspace.", listing=listing)
        names = sorted(known)
        close = get_close_matches(name, names, n=1)
        near = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(names[:10])}." if names else "There are none yet."
        return cls(kind=kind, name=name, near=near, listing=listing)


class InvalidValue(LabelkitError):
    code = "INVALID_VALUE"
    status = 400
    title = "Invalid value"
    template = "{what}: {reason}"
    advice = "{fix}"


class ReasonRequired(LabelkitError):
    code = "REASON_REQUIRED"
    status = 400
    title = "A reason is required"
    template = "{action} was asked without a reason."
    advice = "Say why in reason=...; it is kept in the audit trail."


class IllegalStep(LabelkitError):
    code = "ILLEGAL_STEP"
    status = 409
    title = "Not possible in this state"
    template = "A {machine} that is {state} does not allow to {step}; possible now: {possible}."
    advice = "Reload to see the present state, then choose one of the possible steps."
