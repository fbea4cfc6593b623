"""Refusals of the widgets."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class UnknownArgument(LabelkitError):
    code = "UNKNOWN_ARGUMENT"
    status = 400
    title = "Unknown argument"
    template = "{what} has no argument {name!r}; it has {known}."
    advice = "{likely}"


class UnknownCommand(LabelkitError):
    code = "UNKNOWN_COMMAND"
    status = 400
    title = "Unknown command"
    template = "{what} answers no command {name!r}; it answers {known}."
    advice = "Reload the page: the browser half and the kernel are of different versions."
