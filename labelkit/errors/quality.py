"""Refusals of quality rules."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class QualityRuleInvalid(LabelkitError):
    code = "QUALITY_RULE_INVALID"
    status = 400
    title = "This quality rule cannot be used"
    template = "{field} of rule {rule}: {reason}."
    advice = "Correct it and set all rules of the capability together; nothing was changed."
