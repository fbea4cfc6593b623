"""`ws.golden.types`: what kinds of examples there are; register your own as pydantic models or JSON Schemas."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.golden.types import PARTS, ExampleType
from labelkit.errors import ExampleTypeConflict, NotFound
from labelkit.store.golden.intake import intake
from labelkit.store.golden.schema import check_type

if TYPE_CHECKING:
    from labelkit.core.golden.types import SchemaLike
    from labelkit.store.acting import Gate
    from labelkit.store.transaction import Transaction

LISTING = "ws.golden.types.list()"


@dataclass(frozen=True, slots=True)
class TypeOutcome:
    """What came of registering a type: `code` is REGISTERED, NEW_VERSION or NO_OP_UNCHANGED.

    `failing` are present examples of the type that would not pass now, one row each: example_id, part, path, reason. They stay as they are.
    """

    code: str
    type: ExampleType
    failing: pl.DataFrame = field(compare=False)

    def __repr__(self) -> str:
        return f"<{self.code} {self.type}; {self.failing.height:,} present examples do not pass>"


class Types:
    """The example types of one workspace."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def register(self, name: str, *, input: SchemaLike, expected_output: SchemaLike, labels: SchemaLike | None = None) -> TypeOutcome:
        """Register a type, or a new version of one; equal schemas are reported as NO_OP_UNCHANGED.

        Each part is a pydantic model or a JSON Schema (draft 2020-12); without `labels` any labels may be given. New examples are held
        against the newest version; those already there stay, and `.failing` of the outcome says which would not pass any more.
        For reviewers and above. Raises `EXAMPLE_TYPE_INVALID`, `EXAMPLE_TYPE_CONFLICT`, `PERMISSION_DENIED`.
        """
        wanted = ExampleType.of(name, input, expected_output, labels)
        check_type(wanted)
        workspace = self._gate.workspace.id
        with self._gate.read() as (tx, _):
            present = tx.golden.type(workspace, name)
            same = present is not None and present.text == wanted.text
            examples = tx.golden.frame(workspace, type=name)
        failing = _failing(wanted, examples.clear() if same else examples)
        with self._gate.act(Action.REGISTER_EXAMPLE_TYPE, f"example type:{name}", on_conflict=ExampleTypeConflict) as act:
            if act.tx.golden.type(workspace, name) != present:
                raise ExampleTypeConflict(reason=f"{name} was registered by somebody else while this call worked")
            if present is None or not same:
                wanted = replace(wanted, version=1 if present is None else present.version + 1)
                act.tx.golden.add_type(workspace, wanted, act.actor.user)
            code = "REGISTERED" if present is None else "NO_OP_UNCHANGED" if same else "NEW_VERSION"
            kind = present if present is not None and same else wanted
            act.record(code, version=kind.version, failing=failing.height)
        return TypeOutcome(code, kind, failing)

    def get(self, name: str) -> ExampleType:
        """Return the newest version of a type: name, version, and the schemas `input`, `expected_output`, `labels`. Raises `NOT_FOUND`."""
        with self._gate.read() as (tx, _):
            return type_of(tx, self._gate.workspace.id, name)

    def list(self) -> pl.DataFrame:
        """Return one row a type, by name: name, version, and the fields of input, expected_output and labels as lists of text."""
        with self._gate.read() as (tx, _):
            found = tx.golden.types(self._gate.workspace.id)
        rows = [[kind.name, kind.version, *(sorted(kind.schema(part).get("properties", {})) for part in PARTS)] for kind in found]
        fields: dict[str, pl.DataType] = {"name": pl.String(), "version": pl.Int32()}
        return pl.DataFrame(rows, schema=fields | dict.fromkeys(PARTS, pl.List(pl.String())), orient="row")


def type_of(tx: Transaction, workspace: str, name: str) -> ExampleType:
    """Return the newest version of a type. Raises `NOT_FOUND` with the nearest name."""
    found = tx.golden.type(workspace, name)
    if found is None:
        raise NotFound.among("example type", name, [kind.name for kind in tx.golden.types(workspace)], LISTING)
    return found


def _failing(kind: ExampleType, examples: pl.DataFrame) -> pl.DataFrame:
    given = examples.select(*PARTS, "source_decision_id").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    refused = intake(kind, given).refused
    return refused.select(examples["example_id"].gather(refused["row"]), "part", "path", "reason")
