"""What the quality of an example is judged by: one set of rules a type, derived from its schemas, and the policy that holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from labelkit.core.hashing import digest_of
from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMULA = "golden-score.v1"  # names the formulas of `core.golden.scoring`; other formulas get another name
_PATH = r"(?s)(input|expected_output|labels)\..*"
_OPEN = ("confidence", "agreement", "answers", "edge_case", "notes")  # labels that any type may have where its schema does not forbid it

Path = Annotated[str, Field(pattern=_PATH)]
Near = Literal["text", "number"] | Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Rules(BaseModel):
    """Values that never change, and are refused under a code of ours where they are wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_clearly(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - whatever the caller passed
        """Say a refusal under our own code, instead of pydantic's."""
        try:
            return handler(data)
        except ValidationError as error:
            raise _refusal(error) from error


class TypeRules(_Rules):
    """Which fields of a type count for what. A field is a path: `input.`, `expected_output.` or `labels.`, then its name.

    `required` must be there, `filled` must be neither absent nor null nor empty text. `answer` is the class; without one the whole expected
    output is what similar examples are compared by. `slices` together are the slice. `near` says which fields make inputs similar: `text`
    without case and runs of white space, `number` to two significant digits, or a width of bins; None or {}: the whole input as one
    text.
    `outcome` is what really happened, `agrees` the answers that each known outcome confirms; other outcomes say nothing. `confidence` and
    `agreement` are shares from 0 to 1, of several paths the first with a number counts; `answers` a list of what annotators said.
    `edge_case` is a flag, `documentation` text. `verified` is a flag that the example was verified elsewhere. None or () leaves a
    sub-score out; what is left shares its points.
    """

    required: tuple[Path, ...] = ()
    filled: tuple[Path, ...] = ()
    answer: Path | None = None
    slices: tuple[Path, ...] = ()
    near: dict[Path, Near] | None = None
    outcome: Path | None = None
    agrees: dict[str, tuple[str, ...]] = {}
    confidence: tuple[Path, ...] = ("labels.confidence",)
    agreement: Path | None = "labels.agreement"
    answers: Path | None = "labels.answers"
    edge_case: Path | None = "labels.edge_case"
    documentation: tuple[Path, ...] = ("labels.notes", "expected_output.reasoning")
    verified: Path | None = None

    @property
    def judges_outcomes(self) -> bool:
        """Say whether outcomes take part in the score."""
        return self.outcome is not None and bool(self.agrees)

    @property
    def judges_agreement(self) -> bool:
        """Say whether the agreement of annotators takes part in the score."""
        return self.agreement is not None or self.answers is not None

    @classmethod
    def of_schemas(
        cls,
        input: Mapping[str, Any] | None = None,
        expected_output: Mapping[str, Any] | None = None,
        labels: Mapping[str, Any] | None = None,
    ) -> TypeRules:
        """Return the rules that follow from JSON Schemas.

        Required is what the schemas require, and where that of the input requires nothing, all that it names; filled are all fields of the
        input and those that are required of the output. Numbers are near to two digits, all else as text. The class is the first field of
        the output with an enumeration or a flag, the slice the first field of the input with an enumeration. Outcomes need to be told what
        they confirm, so they are left out. A label that a closed schema does not name is left out.
        """
        given, output, more = input or {}, expected_output or {}, labels or {}
        fields, answers = _properties(given), _properties(output)
        wanted = [name for name in given.get("required", ()) if name in fields] or list(fields)
        decided = [f"expected_output.{name}" for name in output.get("required", ()) if name in answers]
        answer = next((name for name, schema in answers.items() if _is_class(schema, flags=True)), None)
        part = next((name for name, schema in fields.items() if _is_class(schema)), None)
        known = {name for name in _OPEN if name in _properties(more) or more.get("additionalProperties", True) is not False}
        labelled = {name: f"labels.{name}" if name in known else None for name in _OPEN}
        return cls(
            required=(*(f"input.{name}" for name in wanted), *decided),
            filled=(*(f"input.{name}" for name in fields), *decided),
            answer=None if answer is None else f"expected_output.{answer}",
            slices=() if part is None else (f"input.{part}",),
            near={f"input.{name}": "number" if _is_number(schema) else "text" for name, schema in fields.items()} or None,
            confidence=_there(labelled["confidence"], "expected_output.confidence" if "confidence" in answers else None),
            agreement=labelled["agreement"],
            answers=labelled["answers"],
            edge_case=labelled["edge_case"],
            documentation=_there(labelled["notes"], "expected_output.reasoning" if "reasoning" in answers else None),
        )


class ScorePolicy(_Rules):
    """The rules by type, under a version. Types without rules of their own are judged by those that follow from their schemas.

    >>> ScorePolicy(version="team-2", types={"contact_tier": {"answer": "expected_output.tier"}}).types["contact_tier"].answer
    'expected_output.tier'
    """

    version: str = Field(default="v1", min_length=1, max_length=64)
    types: dict[str, TypeRules] = {}

    @property
    def digest(self) -> str:
        """Return the sha256 of formulas, version and rules, as hex."""
        return digest_of({"formula": FORMULA, **self.model_dump(mode="json")}).value

    def completed(self, derived: Mapping[str, TypeRules]) -> ScorePolicy:
        """Return the policy for exactly these types: with its own rules where it has some, else the derived ones."""
        return ScorePolicy(version=self.version, types={name: self.types.get(name, derived[name]) for name in sorted(derived)})


# What the shipped types mean beyond their schemas; `of_type` adds it to what follows from those.
SHIPPED_RULES: dict[str, dict[str, Any]] = {
    "contact_tier": {"answer": "expected_output.tier", "slices": ("input.industry",)},
    "lead_score": {
        "answer": "expected_output.priority",
        "slices": ("input.company_quality",),
        "outcome": "labels.conversion_outcome",
        "agrees": {
            "closed_won": ("hot", "warm"),
            "closed_lost": ("cold", "warm"),
            "disqualified": ("cold",),
            "no_response": ("cold", "warm"),
        },
    },
    "company_quality": {
        "answer": "expected_output.quality_rating",
        "slices": ("input.industry",),
        "outcome": "labels.outcome",
        "agrees": {"became_customer": ("A", "B"), "lost": ("B", "C", "D"), "churned": ("C", "D"), "disqualified": ("C", "D")},
        "verified": "labels.verified",
    },
}


def of_type(name: str, input: Mapping[str, Any], expected_output: Mapping[str, Any], labels: Mapping[str, Any]) -> TypeRules:
    """Return the rules that a type has unless a policy says otherwise. What a shipped name means holds as far as the schemas name it."""
    derived = TypeRules.of_schemas(input, expected_output, labels)
    fields = {"input": input, "expected_output": expected_output, "labels": labels}
    known = {f"{part}.{name}" for part, schema in fields.items() for name in _properties(schema)}
    meant = {key: value for key, value in SHIPPED_RULES.get(name, {}).items() if key == "agrees" or {value, *value} & known}
    return derived.model_copy(update=meant)


def _refusal(error: ValidationError) -> InvalidValue:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the policy"
    fix = "A field is a path such as input.title, expected_output.tier or labels.confidence."
    return InvalidValue(what=f"score policy, {where}", reason=first["msg"].rstrip("."), fix=fix)


def _there(*paths: str | None) -> tuple[str, ...]:
    return tuple(path for path in paths if path is not None)


def _properties(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the fields of an object's schema, each with what it refers to looked up in the schema's own definitions."""
    definitions = schema.get("$defs", {})
    return {name: _resolved(field, definitions) for name, field in schema.get("properties", {}).items()}


def _resolved(field: Any, definitions: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401 - any JSON
    if not isinstance(field, dict):
        return {}
    for name in ("anyOf", "oneOf", "allOf"):  # pydantic writes Optional[X] as anyOf [X, null]
        parts = [_resolved(part, definitions) for part in field.get(name, ())]
        real = [part for part in parts if part.get("type") != "null"]
        if len(real) == 1:
            return real[0]
    reference = str(field.get("$ref", ""))
    return definitions.get(reference.removeprefix("#/$defs/"), {}) if reference else field


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    kinds = schema.get("type", ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _is_class(schema: Mapping[str, Any], *, flags: bool = False) -> bool:
    return "enum" in schema or (flags and "boolean" in _kinds(schema))


def _is_number(schema: Mapping[str, Any]) -> bool:
    return bool(_kinds(schema) & {"number", "integer"})
