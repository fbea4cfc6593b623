"""Classes of a source that are called otherwise here: renamed, or left out with a reason, while the chunks pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from labelkit.errors import InvalidValue
from labelkit.formats.labels.rows import REFUSED, Chunk, RefusedCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labelkit.core.review.annotations import Capability

Classes = Sequence[str] | Mapping[str, str | None] | Mapping[int, str | None]


@dataclass(frozen=True, slots=True)
class Renaming:
    """What each class of a source is called here; None leaves it out. `numbers` names class numbers in order, where keys were numbers."""

    names: Mapping[str, str | None]
    numbers: tuple[str, ...] | None = None

    @classmethod
    def of(cls, classes: Classes, capability: Capability) -> Renaming:
        """Return the renaming that `classes` asks for; of a sequence, none. Raises `INVALID_VALUE` for a name that is no class here."""
        if not isinstance(classes, Mapping):
            return cls({}, tuple(classes) if not isinstance(classes, str) else (classes,))
        unknown = next((name for name in classes.values() if name is not None and name not in capability.classes), None)
        if unknown is not None:
            fix = f"Its classes are {', '.join(capability.classes)}; None leaves a class out."
            raise InvalidValue(what="classes", reason=f"{unknown!r} is no class of {capability.name}", fix=fix)
        numbers = [key for key in classes if isinstance(key, int) and key >= 0]
        if not numbers:
            return cls({str(key): name for key, name in classes.items()})
        if len(numbers) != len(classes):
            raise InvalidValue(
                what="classes", reason="its keys are numbers and names", fix="Use the source's names, or its numbers from 0."
            )
        by_number = {int(key): name for key, name in classes.items()}
        called = tuple(f"class {number}" for number in range(max(numbers) + 1))
        return cls({called[number]: name for number, name in by_number.items()}, called)

    def widened(self, capability: Capability) -> Capability:
        """Return the capability with the source's names among its classes, so that a reader lets them through."""
        return replace(capability, classes=tuple(dict.fromkeys((*capability.classes, *self.names)))) if self.names else capability

    def applied(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Yield the chunks with the classes' names here; labels of classes that are left out are among the refused, with file and line."""
        if not self.names:
            yield from chunks
            return
        left_out = [name for name, here in self.names.items() if here is None]
        here = {name: called for name, called in self.names.items() if called is not None}
        for chunk in chunks:
            gone = pl.col("label").is_in(left_out)
            detail = pl.format("class {} is left out, as asked", "label")
            refused = chunk.rows.filter(gone).select("file", "line", code=pl.lit(str(RefusedCode.CLASS_LEFT_OUT)), detail=detail)
            rows = chunk.rows.filter(~gone.fill_null(value=False)).with_columns(pl.col("label").replace(here))
            yield Chunk(rows, pl.concat([chunk.refused, refused.select(*REFUSED)]), chunk.notes)
