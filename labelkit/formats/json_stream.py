"""Large JSON files read a piece at a time: the keys of the top object, and long arrays of objects as table after table.

A block of an array is cut where one object ends and the next begins, turned into one object a line and parsed by polars. Where the cut
was wrong (such text also stands inside strings and nested objects) a line does not parse; where a value is not of the expected kind the
table does not parse. In both cases the block is decoded object by object, which is slower and always right.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np
import polars as pl

from labelkit.errors import LabelsUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Plain: TypeAlias = "Callable[[bytes], pl.DataFrame | None]"
BLOCK = 8 << 20
LARGEST_VALUE = 256 << 20
LAST_PART = 1 << 18
LONGEST_TOKEN = 1 << 10
MOST_BRACKETS = 1_000
_SPACE = re.compile(rb"[ \t\r\n]*")
_BETWEEN = re.compile(rb"\}\s*,\s*\{")
_END = re.compile(rb"\}\s*\]")
_COMMA = re.compile(r"[ \t\r\n]*,[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Block:
    """Some consecutive elements of an array: as a table and one JSON line each, as a plain table, or as decoded values."""

    table: pl.DataFrame | None
    lines: bytes
    values: list[Any]
    is_plain: bool = False

    def __len__(self) -> int:
        return len(self.values) if self.table is None else self.table.height


class JsonDocument:
    """A JSON text in a file that is read once, forward. Raises `LABELS_UNREADABLE` with the byte where it is no JSON."""

    def __init__(self, file: BinaryIO, source: object) -> None:
        self._file, self._source = file, source
        self._data, self._at, self._before = b"", 0, 0
        self._ended = False
        self._more(BLOCK)
        self._at = 3 if self._data.startswith(b"\xef\xbb\xbf") else 0

    def is_array(self) -> bool:
        """Say whether the next value is an array."""
        return self._peek() == b"["

    def members(self) -> Iterator[str]:
        """Yield the keys of the object that comes next; a value that is not read before the next key is passed over."""
        self._take(b"{")
        while self._peek() != b"}":
            key = self.value()
            self._take(b":")
            self._peek()
            start = self._before + self._at
            yield str(key)
            if self._before + self._at == start:
                self._pass_over()
            if self._peek() != b"}":
                self._take(b",")
        self._take(b"}")

    def value(self) -> Any:  # noqa: ANN401 (JSON)
        """Return the value that comes next, whole."""
        self._peek()
        window = 1 << 16
        while True:
            while len(self._data) - self._at < window and self._more(window):
                pass
            text = self._text(window)
            last = self._ended and len(self._data) - self._at <= window
            try:
                value, end = self._decode(text, 0)
            except json.JSONDecodeError as error:
                inside = error.pos < len(text) - LONGEST_TOKEN and not error.msg.startswith("Unterminated")
                if last or inside or window > LARGEST_VALUE:
                    raise self._broken(error.msg, error.pos) from error
            else:
                if end < len(text) or last:  # a number at the very end may go on
                    self._at += len(text[:end].encode("utf-8", "surrogateescape"))
                    return value
            window *= 4

    def elements(self, schema: Mapping[str, pl.DataType], plain: Plain | None = None) -> Iterator[Block]:
        """Yield the array that comes next, block by block; tables have the columns of `schema`, null where an object lacks the key.

        `plain` makes a table of its own of objects that are written in a way it knows, and None of all others.
        """
        self._take(b"[")
        if self._peek() != b"]":
            yield self._next_block(schema, plain)
            while self._peek() != b"]":
                self._take(b",")
                yield self._next_block(schema, plain)
        self._take(b"]")

    def finish(self) -> None:
        """Make sure that nothing follows. Raises `LABELS_UNREADABLE`."""
        while not self._ended:
            self._more(BLOCK)
        if self._data[self._at :].strip():
            raise self._broken("something follows its end", 0)

    def _next_block(self, schema: Mapping[str, pl.DataType], plain: Plain | None) -> Block:
        return self._block(schema, plain) if self._peek() == b"{" else Block(None, b"", [self.value()])

    def values(self) -> Iterator[list[Any]]:
        """Yield the array that comes next as decoded values, some at a time: for elements that are no tables."""
        self._take(b"[")
        while (sign := self._peek()) != b"]":
            if sign == b",":
                self._take(b",")
                sign = self._peek()
            if len(self._data) - self._at < BLOCK:
                self._more(BLOCK)
            yield self._one_by_one().values if sign == b"{" else [self.value()]
        self._take(b"]")

    def _pass_over(self) -> None:
        if self.is_array():
            for _ in self.elements({}):
                pass
        else:
            self.value()

    def _block(self, schema: Mapping[str, pl.DataType], plain: Plain | None) -> Block:
        if len(self._data) - self._at < BLOCK:
            self._more(BLOCK)
        for end in self._cuts():
            text = self._data[self._at : end]
            if plain is not None and (known := plain(text)) is not None:
                self._at = end
                return Block(known, b"", [], is_plain=True)
            lines = _as_lines(text)
            if _may_be_deep(lines):
                continue
            try:
                table = pl.read_ndjson(io.BytesIO(lines), schema=dict(schema))
            except pl.exceptions.PolarsError:
                continue
            if table.height == _breaks(lines).size + 1:
                self._at = end
                return Block(table, lines, [])
        return self._one_by_one()

    def _cuts(self) -> list[int]:
        """Return where the elements at hand may end: at the end of the array, or before the last object at hand."""
        end = _END.search(self._data, self._at)
        between = list(_BETWEEN.finditer(self._data, max(self._at, len(self._data) - LAST_PART)))
        return [found.start() + 1 for found in (end, *between[-1:]) if found is not None]

    def _one_by_one(self) -> Block:
        text = self._text(BLOCK)
        values: list[Any] = []
        at = end = 0
        while text[at : at + 1] == "{":
            try:
                value, end = self._decode(text, at)
            except json.JSONDecodeError:
                break
            values.append(value)
            comma = _COMMA.match(text, end)
            at = comma.end() if comma else end
        if not values:
            return Block(None, b"", [self.value()])  # larger than a block, or broken, which is said there
        self._at += len(text[:end].encode("utf-8", "surrogateescape"))
        return Block(None, b"", values)

    def _decode(self, text: str, at: int) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(text, at)
        except RecursionError as error:
            raise self._broken("it is nested too deeply", at) from error

    def _peek(self) -> bytes:
        while True:
            found = _SPACE.match(self._data, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._data):
                return self._data[self._at : self._at + 1]
            if not self._more(BLOCK):
                raise self._broken("the file ends too early", 0)

    def _take(self, sign: bytes) -> None:
        if self._peek() != sign:
            raise self._broken(f"{sign.decode()} was expected", 0)
        self._at += 1

    def _text(self, size: int) -> str:
        return self._data[self._at : self._at + size].decode("utf-8", "surrogateescape")

    def _more(self, size: int) -> bool:
        data = self._file.read(size)
        self._before += self._at
        self._data, self._at = self._data[self._at :] + data, 0
        self._ended = not data
        return bool(data)

    def _broken(self, reason: str, offset: int) -> LabelsUnreadable:
        where = f"at byte {self._before + self._at + offset}"
        return LabelsUnreadable(source=self._source, reason=f"it is no JSON: {reason} {where}", fix="Write the file again, whole.")


def _as_lines(text: bytes) -> bytes:
    """Return objects separated by commas as one object a line, where no string or nested object looks like the border of two."""
    breaks = _breaks(text).size
    if breaks == 0 and b"\r" not in text:
        lines = text.replace(b"}, {", b"}\n{")
        return lines.replace(b"},{", b"}\n{") if b"},{" in lines else lines
    if b"\r" not in text:
        lines = text.replace(b"},\n{", b"}\n{")
        if len(text) - len(lines) == breaks:  # each border that was found is a comma less
            return lines
    return _BETWEEN.sub(b"}\n{", text.replace(b"\r", b" ").replace(b"\n", b" "))


def _breaks(text: bytes) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return where the lines of a text end; quicker than counting them as bytes."""
    return np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))


def _may_be_deep(lines: bytes) -> bool:
    """Say whether a line has so many brackets that it could be nested deeper than polars before 2.1 survives (some 2,000 levels)."""
    breaks = _breaks(lines)
    starts, ends = np.append(0, breaks + 1), np.append(breaks, len(lines))
    long = np.flatnonzero(ends - starts > MOST_BRACKETS)
    return any(
        lines.count(b"[", start, end) + lines.count(b"{", start, end) > MOST_BRACKETS
        for start, end in zip(starts[long].tolist(), ends[long].tolist(), strict=True)
    )
