"""Refusals of the quality score."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class ExamplesNotScored(LabelkitError):
    code = "EXAMPLES_NOT_SCORED"
    status = 409
    title = "There is no score yet"
    template = "{what} has not been scored."
    advice = "Run ws.golden.score() first; it scores every example in one pass."
