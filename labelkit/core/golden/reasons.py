"""Why an example has not all points: codes that never change, with what they are about in parentheses, and a sentence for each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_FORM = re.compile(r"(?P<code>[A-Z_]+)(?:\((?P<about>.*)\))?", re.DOTALL)


class Code(StrEnum):
    """Every reason, in the order of the parts."""

    REQUIRED_FIELD_MISSING = "REQUIRED_FIELD_MISSING"
    FIELD_BLANK = "FIELD_BLANK"
    REJECTED_BY_REVIEWER = "REJECTED_BY_REVIEWER"
    NOT_VERIFIED = "NOT_VERIFIED"
    VERIFIED_ELSEWHERE = "VERIFIED_ELSEWHERE"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    OUTCOME_DISAGREES = "OUTCOME_DISAGREES"
    INCONSISTENT_WITH_SIMILAR = "INCONSISTENT_WITH_SIMILAR"
    LABEL_ISSUE_LIKELY = "LABEL_ISSUE_LIKELY"
    AGREEMENT_UNKNOWN = "AGREEMENT_UNKNOWN"
    ANNOTATORS_DISAGREE = "ANNOTATORS_DISAGREE"
    CONFIDENCE_UNKNOWN = "CONFIDENCE_UNKNOWN"
    LOW_CONFIDENCE = "LOW_CONFIDENCE"
    EDGE_CASE_UNDOCUMENTED = "EDGE_CASE_UNDOCUMENTED"
    CLASS_UNKNOWN = "CLASS_UNKNOWN"
    CLASS_OVERREPRESENTED = "CLASS_OVERREPRESENTED"
    SLICE_OVERREPRESENTED = "SLICE_OVERREPRESENTED"
    CLASSES_UNBALANCED = "CLASSES_UNBALANCED"


SENTENCES = {
    Code.REQUIRED_FIELD_MISSING: "the required field {about} is not there",
    Code.FIELD_BLANK: "the field {about} is null or empty",
    Code.REJECTED_BY_REVIEWER: "a reviewer rejected the example",
    Code.NOT_VERIFIED: "nobody has validated the example",
    Code.VERIFIED_ELSEWHERE: "its labels say that it was verified, but nobody has validated it here",
    Code.OUTCOME_UNKNOWN: "no outcome is known that could confirm the expected output",
    Code.OUTCOME_DISAGREES: "the outcome speaks against the expected output",
    Code.INCONSISTENT_WITH_SIMILAR: "{about} examples of the same or nearly the same input expect another output",
    Code.LABEL_ISSUE_LIKELY: "a model finds its label unlikely",
    Code.AGREEMENT_UNKNOWN: "it is not known whether annotators agree",
    Code.ANNOTATORS_DISAGREE: "annotators do not agree",
    Code.CONFIDENCE_UNKNOWN: "no confidence is stated",
    Code.LOW_CONFIDENCE: "the stated confidence is low",
    Code.EDGE_CASE_UNDOCUMENTED: "it is an edge case without a word of why the output is right",
    Code.CLASS_UNKNOWN: "the expected output has no class",
    Code.CLASS_OVERREPRESENTED: "its class has more than twice its even share of the examples",
    Code.SLICE_OVERREPRESENTED: "its slice has more than twice its even share of the examples",
    Code.CLASSES_UNBALANCED: "a few classes hold most examples of the type",
}


# The sentence of many examples, where each has a field or a number of its own.
OF_MANY = SENTENCES | {
    Code.REQUIRED_FIELD_MISSING: "a required field is not there",
    Code.FIELD_BLANK: "a field that matters is null or empty",
    Code.INCONSISTENT_WITH_SIMILAR: "examples of the same or nearly the same input expect another output",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A code and what it is about: a field, a number, or nothing."""

    code: Code
    about: str = ""

    @classmethod
    def parsed(cls, text: str) -> Reason:
        """Return the reason of its text. Raises ValueError for a text that is none.

        >>> Reason.parsed("REQUIRED_FIELD_MISSING(input.title)").about
        'input.title'
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no reason")
        return cls(Code(found["code"]), found["about"] or "")

    @property
    def sentence(self) -> str:
        """Return the reason as a sentence without a full stop."""
        one = self.code is Code.INCONSISTENT_WITH_SIMILAR and self.about == "1"
        text = "1 example of the same or nearly the same input expects another output" if one else SENTENCES[self.code]
        return text.format(about=self.about)

    def __str__(self) -> str:
        """Return the text that is kept: the code, and in parentheses what it is about."""
        return f"{self.code}({self.about})" if self.about else str(self.code)
