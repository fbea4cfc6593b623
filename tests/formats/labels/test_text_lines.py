"""Text as numbered lines, a part at a time."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import LabelsUnreadable
from labelkit.formats.labels import text_lines
from labelkit.formats.labels.text_lines import lines
from tests.formats import helpers


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.sampled_from(["a", "é b", "", "  ", "1,2"]), max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 9),
)
def test_lines_keep_their_numbers_whatever_the_parts_and_line_ends(tmp_path_factory, texts, end, ended, marked, block):
    # given
    data = ("\ufeff" if marked else "") + end.join(texts) + (end if ended else "")
    file = helpers.write(tmp_path_factory.mktemp("text"), {"a.txt": data}) / "a.txt"

    # when
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "BLOCK", block)
        found = pl.concat([pl.DataFrame(schema={"line": pl.Int64, "text": pl.String}), *lines(file)])

    # then
    assert found.rows() == [(number, text) for number, text in enumerate(texts, 1) if text.strip()]


def test_old_macintosh_line_ends_end_lines_too(tmp_path):
    helpers.write(tmp_path, {"a.txt": "a\rb\r"})
    assert next(lines(tmp_path / "a.txt")).rows() == [(1, "a"), (2, "b")]


def test_what_is_not_utf8_is_refused_with_the_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "BLOCK", 4)
    helpers.write(tmp_path, {"a.txt": b"abc\nd\xe9f\n"})
    with pytest.raises(LabelsUnreadable, match="byte 5 is not UTF-8"):
        list(lines(tmp_path / "a.txt"))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "BLOCK", 4)
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 10)
    helpers.write(tmp_path, {"a.txt": b"0" * 30})
    with pytest.raises(LabelsUnreadable, match="a line is longer"):
        list(lines(tmp_path / "a.txt"))


def test_a_folder_is_no_text(tmp_path):
    with pytest.raises(LabelsUnreadable):
        list(lines(tmp_path))
