"""XML read a piece at a time, element by element with its line, and nothing in it that an XML file could do to its reader.

A document type is refused where it begins, so there are no entities to expand and no files or addresses to fetch; nesting and the size
of one element are bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO
from xml.parsers import expat  # what makes it dangerous, document types, is refused below

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 1 << 18
DEEPEST = 32
LARGEST_ELEMENT = 64 << 20


class BrokenXmlError(Exception):
    """Text that is no XML, or XML that is not read: the reason, and the line where it is."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


class Element:
    """One element: tag, attributes, children, the text of one without children (stripped), the line where it begins.

    `parent` is what an element stands in that was asked for, None in those below it.
    """

    __slots__ = ("attributes", "children", "line", "parent", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str], line: int, parent: Element | None) -> None:
        self.tag = tag
        self.attributes = attributes
        self.line = line
        self.parent = parent
        self.text = ""
        self.children: list[Element] = []

    def find(self, tag: str) -> Element | None:
        """Return the first child of that tag."""
        return next((child for child in self.children if child.tag == tag), None)

    def text_of(self, tag: str) -> str | None:
        """Return the text of the first child of that tag, None where there is none."""
        child = self.find(tag)
        return None if child is None else child.text


def elements(file: BinaryIO, root: str, depth: int = 1) -> Iterator[Element]:
    """Yield every element that is `depth` levels below the root, whole, when it has ended; what stands above holds no children.

    Raises `BrokenXmlError`, also where the root is another or the text stops early; elements before that place have been yielded.
    """
    reader = _Reader(root, depth)
    while data := file.read(BLOCK):
        reader.feed(data)
        yield from reader.taken()
    reader.feed(b"", last=True)
    yield from reader.taken()


class _Reader:
    def __init__(self, root: str, depth: int) -> None:
        self._root, self._depth = root, depth
        self._open: list[Element] = []
        self._ended: list[Element] = []
        self._pieces: list[str] = []
        self._fed = self._began = 0
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._document_type

    def taken(self) -> list[Element]:
        """Return the elements that ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def feed(self, data: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            raise BrokenXmlError(expat.ErrorString(error.code), error.lineno) from error
        except (ValueError, LookupError) as error:  # encodings that Python does not know, or that have letters of several bytes
            raise BrokenXmlError(str(error), 1) from error
        self._fed += len(data)
        if self._fed - self._began > LARGEST_ELEMENT:
            raise BrokenXmlError(f"one element is larger than {LARGEST_ELEMENT >> 20} MB", self._parser.CurrentLineNumber)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        level = len(self._open)
        line = self._parser.CurrentLineNumber
        if level == 0 and tag != self._root:
            raise BrokenXmlError(f"it begins with <{tag[:80]}>, not with <{self._root}>", line)
        if level > DEEPEST:
            raise BrokenXmlError(f"it is nested more than {DEEPEST} levels deep", line)
        if level > self._depth:
            element = Element(tag, attributes, line, None)
            self._open[-1].children.append(element)
        else:
            element = Element(tag, attributes, line, self._open[-1] if level else None)
            self._began = self._parser.CurrentByteIndex
        self._open.append(element)
        self._pieces = []

    def _end(self, _: str) -> None:
        element = self._open.pop()
        if not element.children:
            element.text = "".join(self._pieces).strip()
        self._pieces = []
        if len(self._open) == self._depth:
            self._ended.append(element)
        if len(self._open) <= self._depth:
            self._began = self._parser.CurrentByteIndex

    def _text(self, data: str) -> None:
        if len(self._open) > self._depth:
            self._pieces.append(data)

    def _document_type(self, *_: object) -> None:
        raise BrokenXmlError("it declares a document type, which labels do not need and which is not read", self._parser.CurrentLineNumber)
