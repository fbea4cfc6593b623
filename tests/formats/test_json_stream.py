"""Large JSON a piece at a time: the same values as the standard library reads, and a clear place where it is broken."""

from __future__ import annotations

import io
import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import LabelsUnreadable
from labelkit.formats import json_stream
from labelkit.formats.json_stream import Block, JsonDocument

SCHEMA = {"a": pl.Int64(), "b": pl.String()}


def document(text: str | bytes) -> JsonDocument:
    return JsonDocument(io.BytesIO(text.encode() if isinstance(text, str) else text), "test.json")


def values(block: Block) -> list[object]:
    """What a block says of `a` and `b`."""
    if block.table is not None:
        assert [json.loads(line) for line in block.lines.split(b"\n")]
        return block.table.rows(named=True)
    return [{"a": value.get("a"), "b": value.get("b")} if isinstance(value, dict) else value for value in block.values]


def read(text: str | bytes) -> dict[str, list[object]]:
    found = {}
    taken = document(text)
    for key in taken.members():
        if taken.is_array():
            found[key] = [value for block in taken.elements(SCHEMA) for value in values(block)]
    return found


strings = st.text(max_size=8) | st.sampled_from(["}, {", "},{", '"}]', "\\", '\\"', "}\n,{", "]}", "é", "𝄞", "{", "NaN"])
elements = st.fixed_dictionaries(
    {},
    optional={
        "a": st.integers(-(2**60), 2**60),
        "b": strings,
        "c": st.lists(st.dictionaries(strings, strings, max_size=2), max_size=3),
        "d": st.dictionaries(strings, st.lists(st.integers(), max_size=2), max_size=2),
    },
)
layouts = [{}, {"indent": 2}, {"separators": (",", ":")}, {"indent": 0}, {"separators": (" ,\t", " :\t")}, {"ensure_ascii": False}]
styles = st.sampled_from(layouts)


@settings(deadline=None, max_examples=80)
@given(st.dictionaries(strings, st.lists(elements, max_size=6), max_size=3), styles, st.integers(1, 300))
def test_whatever_the_layout_and_the_block_the_values_are_those_of_the_standard_library(data, style, block):
    # given
    text = json.dumps(data, **style)
    expected = {key: [{"a": one.get("a"), "b": one.get("b")} for one in many] for key, many in data.items()}

    # when
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "BLOCK", block)
        found = read(text)

    # then
    assert found == expected


def test_well_formed_blocks_are_tables_and_lines_of_their_own(monkeypatch):
    # given
    monkeypatch.setattr(json_stream, "BLOCK", 100)
    text = json.dumps({"x": [{"a": number, "b": "}, {"} for number in range(50)], "y": [{"a": number} for number in range(50)]})

    # when
    taken = document(text)
    kinds = {key: [block.table is not None for block in taken.elements(SCHEMA)] for key in taken.members()}

    # then text that looks like a border costs speed only
    assert not any(kinds["x"])
    assert all(kinds["y"][1:])


def test_values_that_nobody_reads_are_passed_over():
    # given
    taken = document('{"info": {"a": [1, {"b": "]}"}]}, "many": [{"a": 1}, {"a": 2}], "n": -1.5e3, "t": true, "x": [{"a": 7}], "z": null}')

    # then
    found = [key if key != "x" else [values(block) for block in taken.elements(SCHEMA)] for key in taken.members()]
    assert found == ["info", "many", "n", "t", [[{"a": 7, "b": None}]], "z"]


def test_many_brackets_that_are_not_nested_are_no_harm():
    text = json.dumps({"x": [{"a": 1, "c": [[]] * 5000}, {"a": 2, "b": "[{" * 5000}]})
    assert read(text) == {"x": [{"a": 1, "b": None}, {"a": 2, "b": "[{" * 5000}]}


def test_a_list_at_the_top_and_a_mark_at_the_start_are_understood():
    taken = document(b'\xef\xbb\xbf  [ {"a": 1} , 5, [2], {"a": "x"} ] ')
    assert taken.is_array()
    assert [value for block in taken.elements(SCHEMA) for value in values(block)] == [{"a": 1, "b": None}, 5, [2], {"a": "x", "b": None}]


def test_bytes_that_are_not_utf8_are_told_from_text_by_who_reads_them():
    found = read(b'{"x": [{"b": "caf\xe9"}, {"b": "ok"}]}')
    assert found == {"x": [{"a": None, "b": "caf\udce9"}, {"a": None, "b": "ok"}]}


def test_a_number_at_the_border_of_two_reads_is_read_whole(monkeypatch):
    monkeypatch.setattr(json_stream, "BLOCK", 9)
    taken = document('{"n": 12345678901, "m": 1}')
    assert [taken.value() for _ in taken.members()] == [12345678901, 1]


BROKEN = {
    "nothing": "",
    "blanks": "  \n ",
    "text": "this is no JSON",
    "cut in an array": '{"x": [{"a": 1}, {"a": 2',
    "cut after an element": '{"x": [{"a": 1}',
    "cut after an array": '{"x": [{"a": 1}]',
    "no comma": '{"x": [{"a": 1} {"a": 2}]}',
    "comma too many": '{"x": [{"a": 1},]}',
    "no colon": '{"x" [{"a": 1}]}',
    "no quotes": "{x: 1}",
    "wrong value": '{"x": [{"a": 1}, {"a": yes}]}',
    "end of another kind": '{"x": [{"a": 1}}}',
    "too deep": '{"x": ' + "[" * 100_000,
    "too deep in an object of objects": '{"x": [{"a": 1}, {"a": ' + '{"]": ' * 5_000 + "1" + "}" * 5_000 + "}]}",
    "too deep in an element": '{"x": [{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]}",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_is_no_json_is_refused_with_the_place(text):
    with pytest.raises(LabelsUnreadable) as refused:
        read(text)
    assert "test.json" in refused.value.detail
    assert "at byte" in refused.value.detail


def test_the_place_is_the_byte_where_it_went_wrong(monkeypatch):
    # given
    monkeypatch.setattr(json_stream, "BLOCK", 40)
    text = json.dumps({"x": [{"a": number} for number in range(100)]}).replace('{"a": 60}', '{"a": 6x}')

    # then
    with pytest.raises(LabelsUnreadable) as refused:
        read(text)
    place = int(refused.value.detail.split("at byte ")[1].split(".")[0].split(" ")[0])
    assert abs(place - text.index("6x")) < 4
