"""Files that are digested while they are written."""

from __future__ import annotations

import errno
import hashlib
import os

import pytest

from labelkit.formats.exports import DigestedFile, digest_of_file

PIECE = b"0123456789abcdef" * (1 << 20)  # 16 MB


def test_a_file_is_told_as_it_lies_there_however_large(tmp_path):
    # given
    pieces = [b"", b"first\n", *[PIECE] * 5, b"last\n"]

    # when
    with DigestedFile(tmp_path, "a") as file:
        for piece in pieces:
            file.write(piece, 2)
        told = file.written()

    # then
    held = digest_of_file(tmp_path, "a")
    assert (told.name, told.byte_count, told.sha256, told.rows) == ("a", held.byte_count, held.sha256, 16)
    assert held.sha256 == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_what_a_disk_refuses_behind_the_back_of_the_writer_is_raised(tmp_path, monkeypatch):
    # given a disk that takes bytes and then cannot keep them
    def failing(_):
        raise OSError(errno.EIO, "the disk says no")

    monkeypatch.setattr(os, "fsync", failing)

    # then
    with DigestedFile(tmp_path, "a") as file:
        file.write(PIECE)
        file.write(PIECE)
        with pytest.raises(OSError, match="the disk says no"):
            file.written()
