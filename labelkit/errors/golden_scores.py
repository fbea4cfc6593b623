"""Refusals of the quality score."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class ExamplesNotScored(LabelkitError):
    code = "EXAMPLES_NOT_SCORED"
    status = 409
    title = "There is no score yet"
    template = "No scoring so far covers {what}."
    advice = "Run ws.golden.score() first; it scores every example in one pass."


class LabelQualitySupportMissing(LabelkitError):
    code = "LABEL_QUALITY_SUPPORT_MISSING"
    title = "Label quality needs one more package"
    template = "Label quality is judged by cleanlab, which is not installed: {reason}."
    advice = "Install it with `pip install 'labelkit[ml]'`, or give ws.golden.score(label_quality=...) numbers of your own."
