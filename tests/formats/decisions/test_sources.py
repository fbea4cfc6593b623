"""Files of decisions: formats, globs, folders, URLs; types as they are, and no secret in any message."""

from __future__ import annotations

import gzip

import fsspec
import polars as pl
import pytest

from labelkit import LabelkitError
from labelkit.formats.decisions.sources import Secrets, file_source, frame_source, title_of

ROWS = pl.DataFrame({"id": ["007", "008"], "sure": [0.5, None], "tags": [["a"], []]})


def read(source, folder, **options) -> pl.DataFrame:
    found = file_source(source, folder=folder, **options)
    try:
        return found.rows.collect()
    except pl.exceptions.PolarsError as error:
        raise found.refusal(error) from None


def refused(source, folder, **options) -> LabelkitError:
    with pytest.raises(LabelkitError) as told:
        read(source, folder, **options)
    return told.value


def parts(folder, kind):
    for number in range(2):
        half = ROWS.slice(number, 1)
        if kind == "csv":
            half.drop("tags").write_csv(folder / f"part-{number}.csv")
        else:
            getattr(half, {"parquet": "write_parquet", "jsonl": "write_ndjson"}[kind])(folder / f"part-{number}.{kind}")
    (folder / "_SUCCESS").touch()
    (folder / ".hidden.parquet").write_bytes(b"no")


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        pytest.param("parquet", ROWS, id="Parquet keeps its types"),
        pytest.param("csv", ROWS.select("id", pl.col("sure").cast(pl.String)), id="CSV is text, 007 too"),
        pytest.param("jsonl", ROWS, id="JSON Lines"),
    ],
)
def test_a_file_a_glob_a_folder_and_a_url_are_the_same_rows(tmp_path, kind, rows):
    # given
    data = tmp_path / "data"
    data.mkdir()
    parts(data, kind)
    memory = fsspec.filesystem("memory")
    for file in data.glob(f"part-*.{kind}"):
        memory.pipe_file(f"/decisions-{kind}/{file.name}", file.read_bytes())

    # then
    for number, place in enumerate(
        [data, data / f"part-*.{kind}", f"memory://decisions-{kind}/part-*.{kind}", f"memory://decisions-{kind}"]
    ):
        folder = tmp_path / f"copies-{number}"
        folder.mkdir()
        source = file_source(place, folder=folder)
        assert source.rows.collect().equals(rows)
        assert (source.kind, source.is_text) == (kind, kind == "csv")
    assert file_source((data / f"part-0.{kind}").as_uri(), folder=tmp_path).rows.collect().equals(rows.head(1))
    memory.rm(f"/decisions-{kind}", recursive=True)


def test_packed_files_and_tabs_are_read(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id,x\n007,1\n"))
    (tmp_path / "b.tsv").write_text("id\tx\n007\t1\n")
    for name in ("a.csv.gz", "b.tsv"):
        assert file_source(tmp_path / name, folder=tmp_path).rows.collect().rows() == [("007", "1")]


def test_a_frame_is_a_source():
    assert frame_source(ROWS).columns() == dict(ROWS.schema)
    assert frame_source(ROWS.lazy()).rows.collect().equals(ROWS)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        pytest.param("none.parquet", None, "SOURCE_NOT_FOUND", id="no file"),
        pytest.param("*.parquet", None, "SOURCE_NOT_FOUND", id="no file for the glob"),
        pytest.param("memory://nowhere/a.parquet", None, "SOURCE_NOT_FOUND", id="nothing behind the URL"),
        pytest.param("nosuch://host/a.parquet", None, "SOURCE_UNREACHABLE", id="no such protocol"),
        pytest.param("a.xlsx", b"x", "SOURCE_NOT_SUPPORTED", id="another format"),
        pytest.param("a.parquet", b"no Parquet at all", "SOURCE_UNREADABLE", id="a damaged file"),
        pytest.param("a.csv", b"id,x\n1,2,3\n", "SOURCE_UNREADABLE", id="a line too long"),
        pytest.param("a.jsonl", b'{"a": 1}\n{"a"', "SOURCE_UNREADABLE", id="half a line"),
    ],
)
def test_what_cannot_be_read_has_a_code(tmp_path, name, content, code):
    # given
    if content is not None:
        (tmp_path / name).write_bytes(content)
    place = name if "://" in name else tmp_path / name

    # then
    assert refused(place, tmp_path).code == code


def test_files_of_several_formats_are_not_guessed(tmp_path):
    (tmp_path / "a.csv").write_text("id\n1\n")
    ROWS.write_parquet(tmp_path / "b.parquet")
    assert refused(tmp_path, tmp_path).code == "SOURCE_NOT_SUPPORTED"
    assert file_source(tmp_path / "a.*", folder=tmp_path, format="csv").rows.collect().height == 1


class Guarded(fsspec.AbstractFileSystem):
    """A protocol whose library tells everything it knows when it fails."""

    protocol = "guarded"

    def __init__(self, *args, secret=None, **options):
        super().__init__(*args, **options)
        self.told = secret

    def isfile(self, path):
        raise PermissionError(f"403 for {path} with {self.told}, signed https://user:pw123456@host/a.parquet?X-Signature=abcdef123456")


def test_no_secret_stands_in_a_message(tmp_path):
    # given
    fsspec.register_implementation("guarded", Guarded, clobber=True)

    # when
    told = refused("guarded://me:hunter22@host/a.parquet?token=t0ps3cret", tmp_path, storage_options={"secret": "sekrit-key-1"})

    # then
    assert told.code == "SOURCE_ACCESS_DENIED"
    for secret in ("hunter22", "t0ps3cret", "sekrit-key-1", "pw123456", "abcdef123456"):
        assert secret not in str(told)
    assert told.__cause__ is None


@pytest.mark.parametrize(
    ("url", "title"),
    [
        pytest.param("s3://bucket/a.parquet", "s3://bucket/a.parquet", id="nothing to hide"),
        pytest.param("https://me:pw@host/a.csv?sig=1#x", "https://host/a.csv", id="user, query, fragment"),
        pytest.param("s3://key:secret@bucket/*.parquet", "s3://bucket/*.parquet", id="a glob"),
    ],
)
def test_a_title_is_a_url_without_secrets(url, title):
    assert title_of(url) == title


def test_secrets_are_found_however_deep():
    secrets = Secrets.of({"client": {"key": "abcdefgh", "on": True}, "list": ["ijklmnop"]}, "https://u:qrstuvwx@h/p?sig=yz012345")
    assert secrets.hidden("abcdefgh ijklmnop qrstuvwx yz012345.") == "*** *** *** ***"
    assert repr(secrets) == "Secrets()"
