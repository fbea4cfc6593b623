"""`ws.golden.label_quality`: how likely a model finds the class of each example, by cleanlab, as one more input of the score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.score_rules import of_type
from labelkit.errors import InvalidValue, LabelQualitySupportMissing
from labelkit.services.golden.types import type_of

if TYPE_CHECKING:
    from labelkit.store.acting import Gate

_SUM_WITHIN = 1e-3
_OUTPUT = "expected_output."


class LabelQuality:
    """The use case of label quality, for one workspace."""

    _gate: Gate

    def label_quality(self, type: str, probabilities: pl.DataFrame, *, answer: str | None = None) -> pl.DataFrame:
        """Return example_id and quality, 0 (surely mislabelled) to 1, for `ws.golden.score(label_quality=...)`.

        `probabilities` has one row an example, for some or all of a type: example_id, and one column a class with the probability that a
        model gives it, from 0 to 1 with a sum of 1; from a model that was not trained on the example (cross-validation), or every label
        looks right. The class of an example is the field `answer` of its expected output (a path such as `expected_output.tier`), by
        default the one that the score takes. The numbers are cleanlab's self-confidence, adjusted for how sure the model is of each class.
        Raises `NOT_FOUND` (the type), `INVALID_VALUE`, `LABEL_QUALITY_SUPPORT_MISSING` where cleanlab (extra `ml`) is not installed.
        """
        with self._gate.read() as (tx, _):
            kind = type_of(tx, self._gate.workspace.id, type)
            examples = tx.golden.frame(self._gate.workspace.id, type=type, status=None)
        field = answer or of_type(kind.name, kind.input, kind.expected_output, kind.labels).answer
        if field is None or not field.startswith(_OUTPUT):
            reason = f"{type} has no field that is a class" if field is None else f"{field} is no field of the expected output"
            raise InvalidValue(what="answer", reason=reason, fix=f"Name it: answer='{_OUTPUT}…'.")
        given = _checked(probabilities)
        classes = [name for name in given.columns if name != "example_id"]
        labels = examples.select("example_id", label=pl.col("expected_output").str.json_path_match(f"$.{field.removeprefix(_OUTPUT)}"))
        rows = given.join(labels, on="example_id", how="left", maintain_order="left")
        _all_known(rows, labels, classes)
        return rows.select("example_id", quality=pl.Series(_judged(rows, classes), dtype=pl.Float64))


def _judged(rows: pl.DataFrame, classes: list[str]) -> list[float]:
    try:
        from cleanlab.rank import get_label_quality_scores
    except ImportError as error:
        raise LabelQualitySupportMissing(reason=str(error)) from error
    numbers = rows["label"].replace_strict(classes, range(len(classes)), return_dtype=pl.Int64).to_numpy()
    found: list[float] = get_label_quality_scores(numbers, rows.select(classes).to_numpy(), adjust_pred_probs=True).clip(0, 1).tolist()
    return found


def _checked(given: pl.DataFrame) -> pl.DataFrame:
    fix = "Give one row an example: example_id, and a column of probabilities for each class, with a sum of 1."
    classes = [name for name in given.columns if name != "example_id"]
    if "example_id" not in given.columns or len(classes) < 2:
        raise InvalidValue(what="probabilities", reason=f"its columns are {', '.join(given.columns) or 'none'}", fix=fix)
    try:
        rows = given.select(pl.col("example_id").cast(pl.String), pl.col(classes).cast(pl.Float64))
    except pl.exceptions.PolarsError as error:
        raise InvalidValue(what="probabilities", reason="a probability is no number", fix=fix) from error
    if rows["example_id"].is_duplicated().any():
        raise InvalidValue(what="probabilities", reason="an example_id comes more than once", fix=fix)
    each = pl.all_horizontal(pl.col(name).is_between(0, 1) for name in classes)
    right = (each & ((pl.sum_horizontal(classes) - 1).abs() <= _SUM_WITHIN)).fill_null(value=False)
    wrong = rows.filter(~right)
    if wrong.height:
        raise InvalidValue(
            what="probabilities", reason=f"those of {wrong['example_id'][0]} do not lie from 0 to 1 with a sum of 1", fix=fix
        )
    return rows


def _all_known(rows: pl.DataFrame, labels: pl.DataFrame, classes: list[str]) -> None:
    unknown = rows.join(labels, on="example_id", how="anti")["example_id"]
    if unknown.len():
        reason = f"there is no example {unknown[0]}" + (f", nor {unknown.len() - 1:,} more" if unknown.len() > 1 else "")
        raise InvalidValue(what="probabilities", reason=reason, fix="Take ids of ws.golden.to_polars(type).")
    other = rows.filter(~pl.col("label").is_in(classes).fill_null(value=False))
    if other.height:
        reason = f"the class of {other['example_id'][0]} is {other['label'][0]!r}, and the columns are {', '.join(classes)}"
        raise InvalidValue(what="probabilities", reason=reason, fix="Give a column for every class that there is.")
