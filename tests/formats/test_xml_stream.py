"""XML a piece at a time: elements with their lines, and refusals with theirs."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.formats import xml_stream
from labelkit.formats.xml_stream import BrokenXmlError, elements

TEXT = b'<a><b x="1">\n  <c>one &amp; two</c><c/>\n</b>\nnoise<b x="2"> three </b></a>'


def read(data: bytes, depth: int = 1, root: str = "a"):
    return list(elements(io.BytesIO(data), root, depth))


def test_elements_come_whole_with_attributes_text_children_and_their_line():
    # when
    first, second = read(TEXT)

    # then
    assert (first.tag, first.attributes, first.line, first.text) == ("b", {"x": "1"}, 1, "")
    assert [(child.tag, child.text, child.line) for child in first.children] == [("c", "one & two", 2), ("c", "", 2)]
    assert (first.text_of("c"), first.text_of("d"), second.find("c")) == ("one & two", None, None)
    assert (second.text, second.line) == ("three", 4)


def test_deeper_elements_know_what_they_stand_in_and_it_keeps_no_children():
    found = read(TEXT, depth=2)
    assert [element.parent.attributes["x"] for element in found] == ["1", "1"]
    assert found[0].parent.children == []


@pytest.mark.parametrize("block", [1, 3, 17])
def test_the_size_of_the_pieces_changes_nothing(monkeypatch, block):
    monkeypatch.setattr(xml_stream, "BLOCK", block)
    assert [(e.tag, e.text, e.line, len(e.children)) for e in read(TEXT)] == [("b", "", 1, 2), ("b", "three", 4, 0)]


BROKEN = {
    "nothing": (b"", "no element found", 1),
    "no XML": (b"0 0.5 0.5 0.1 0.1", "syntax error", 1),
    "JSON": (b'{"images": []}', "not well-formed", 1),
    "cut off": (b"<a>\n<b>\n", "no element found", 3),
    "crossed tags": (b"<a>\n<b></c></a>", "mismatched tag", 2),
    "two roots": (b"<a/>\n<a/>", "junk after document element", 2),
    "another root": (b"\n<annotations/>", "it begins with <annotations>", 2),
    "an entity nobody knows": (b"<a>\n<b>&who;</b></a>", "undefined entity", 2),
    "a document type": (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">\n<a/>', "document type", 1),
    "a file in an entity": (b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "document type", 1),
    "laughs": (b'<!DOCTYPE a [<!ENTITY l "ha"><!ENTITY m "&l;&l;&l;">]><a>&m;</a>', "document type", 1),
    "not UTF-8": (b"<a>\n<b>\xff</b></a>", "not well-formed", 2),
    "an unknown encoding": (b'<?xml version="1.0" encoding="klingon"?><a/>', "encoding", 1),
    "letters of several bytes": (b'<?xml version="1.0" encoding="shift_jis"?><a/>', "encoding", 1),
}


@pytest.mark.parametrize(("data", "reason", "line"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_xml_or_not_read_is_refused_with_its_line(data, reason, line):
    with pytest.raises(BrokenXmlError, match=reason) as refused:
        read(data)
    assert refused.value.line == line


def test_what_stands_before_the_break_has_been_given(monkeypatch):
    # given
    monkeypatch.setattr(xml_stream, "BLOCK", 10)
    found = elements(io.BytesIO(b"<a>\n<b/>\n<b/>\n<b></a>"), "a")

    # then
    assert [next(found).line, next(found).line] == [2, 3]
    with pytest.raises(BrokenXmlError):
        next(found)


def test_nesting_without_end_is_refused():
    with pytest.raises(BrokenXmlError, match="levels deep"):
        read(b"<a>" + b"<b>" * 1_000_000)


@pytest.mark.parametrize(
    "data", [b"<a><b>" + b"<c/>" * 2_000, b'<a><b x="' + b"y" * 9_000, b"<a><b>" + b"text " * 2_000], ids=["children", "attribute", "text"]
)
def test_an_element_without_end_is_refused_before_it_fills_the_memory(monkeypatch, data):
    monkeypatch.setattr(xml_stream, "LARGEST_ELEMENT", 4_000)
    monkeypatch.setattr(xml_stream, "BLOCK", 100)
    with pytest.raises(BrokenXmlError, match="larger than"):
        read(data)


def test_many_small_elements_are_no_large_one(monkeypatch):
    monkeypatch.setattr(xml_stream, "LARGEST_ELEMENT", 4_000)
    monkeypatch.setattr(xml_stream, "BLOCK", 100)
    assert len(read(b"<a>" + b"<b> text </b>\n" * 2_000 + b"</a>")) == 2_000


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damaged_bytes_are_read_or_refused_and_nothing_else(data):
    # given a file with some bytes replaced, removed or doubled
    text = bytearray(TEXT)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    # then
    lines = {element.line for element in read_or_refused(bytes(text))}
    assert all(line >= 1 for line in lines)


def read_or_refused(data: bytes):
    try:
        return read(data)
    except BrokenXmlError as refused:
        return [refused]
