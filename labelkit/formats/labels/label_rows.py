"""Samples become one row a label, set-based, for formats that write labels one by one; what attributes say is worked out once a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from labelkit.core.review.annotations import Capability


def labels_of(samples: pl.DataFrame, capability: Capability, *columns: str) -> pl.DataFrame:
    """Return one row an annotation, in order: these columns of its sample, its fields, and `class_number` from 0.

    Raises `INVALID_VALUE` for a class that the capability does not have.
    """
    rows = samples.select(*columns, "annotations").filter(pl.col("annotations").list.len() > 0).explode("annotations")
    numbers = pl.DataFrame(
        {"label": capability.classes, "class_number": range(len(capability.classes))},
        schema={"label": pl.String, "class_number": pl.Int32},
    )
    rows = rows.unnest("annotations").join(numbers, on="label", how="left", maintain_order="left")
    unknown = rows.filter(pl.col("class_number").is_null())["label"]
    if unknown.len():
        reason = f"class {unknown[0]!r} is not one of {', '.join(capability.classes)}"
        raise InvalidValue(what="samples", reason=reason, fix="Export with the capability that the labels were made for.")
    return rows


def with_said(
    rows: pl.DataFrame, by: tuple[str, ...], say: Callable[..., tuple[str | None, ...]], plain: Mapping[str, str | None]
) -> pl.DataFrame:
    """Return the rows with what `say` makes of the columns `by`, asked once for each different combination that has attributes.

    `plain` names the new text columns, with what a row without attributes gets.
    """
    asked = rows.filter(pl.col("attributes").is_not_null()).select(*by).unique(maintain_order=True)
    said = pl.DataFrame([say(*row) for row in asked.iter_rows()], schema=dict.fromkeys(plain, pl.String), orient="row")
    none = pl.col("attributes").is_null()
    joined = rows.join(asked.hstack(said), on=by, how="left", maintain_order="left")
    return joined.with_columns(pl.when(none).then(pl.lit(text, pl.String)).otherwise(name).alias(name) for name, text in plain.items())
