"""Where decisions come from: a frame, or Parquet, CSV and JSON Lines at a path, a glob, or any URL that fsspec reaches; read lazily.

A source's title is what people and the store may see of it: a URL without user, password, query and fragment. Messages of libraries
pass through `Secrets.hidden`, which takes out whatever was handed over in confidence.
"""

from __future__ import annotations

import glob
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import polars as pl

from labelkit.errors import SourceAccessDenied, SourceNotFound, SourceNotSupported, SourceUnreachable, SourceUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from labelkit.errors import LabelkitError

FileFormat = Literal["parquet", "csv", "jsonl"]

_SUFFIXES: dict[str, FileFormat] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_PACKED = (".gz", ".zst")
_LOCAL = ("file://", "local://")
_COPY_BYTES = 4 << 20
_SHORTEST_SECRET = 4  # characters; hiding "true" or "s3" would only make messages hard to read
_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Secrets:
    """What was handed over in confidence and must not stand in any message."""

    values: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, *given: object) -> Secrets:
        """Return every text in options, tokens and URLs, however deep."""
        return cls(tuple(sorted({text for value in given for text in _texts(value)}, key=len, reverse=True)))

    def hidden(self, message: object) -> str:
        """Return a library's message as one short line without secrets, without queries of URLs, and without a full stop."""
        text = " ".join(str(message).split())
        for value in self.values:
            text = text.replace(value, "***")
        text = re.sub(r"(\w+://)[^/@\s]+@", r"\1", text)
        text = re.sub(r"(\w+://[^\s?#'\"]+)[?#][^\s'\")]*", r"\1", text)
        return text[:_MESSAGE].rstrip(".!: ") or type(message).__name__


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of decisions: `kind` is frame, parquet, csv, jsonl, duckdb or unity; of `is_text` every column is text, as in CSV."""

    kind: str
    title: str
    rows: pl.LazyFrame
    secrets: Secrets = field(default=Secrets(), repr=False)
    is_text: bool = False

    def columns(self) -> dict[str, pl.DataType]:
        """Return the columns with their types. Raises `SOURCE_UNREADABLE`, `SOURCE_NOT_FOUND`."""
        try:
            return dict(self.rows.collect_schema())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self.refusal(error) from None

    def refusal(self, error: Exception) -> LabelkitError:
        """Return the refusal for an error that came while the rows were read."""
        return refusal(self.title, error, self.secrets)


def frame_source(rows: pl.DataFrame | pl.LazyFrame) -> Source:
    """Return a frame as a source."""
    return Source("frame", "a frame", rows.lazy())


def file_source(
    source: str | Path, *, folder: Path, format: FileFormat | None = None, storage_options: Mapping[str, Any] | None = None
) -> Source:
    """Return the files at a path, a glob or a URL as one source, in the order of their names; a folder stands for all files in it.

    Columns of CSV are text: whoever maps them says what they are, so that no 007 becomes 7. Files behind a URL are copied to `folder`
    first, piece by piece. Raises `SOURCE_NOT_FOUND`, `SOURCE_NOT_SUPPORTED`, `SOURCE_UNREACHABLE`, `SOURCE_ACCESS_DENIED`.
    """
    text = str(source)
    for prefix in _LOCAL:
        text = text.removeprefix(prefix)
    secrets = Secrets.of(storage_options, text if "://" in text else None)
    if "://" in text or "::" in text:
        title = title_of(text)
        files = _fetched(text, title, folder, storage_options or {}, secrets)
    else:
        title = str(Path(text).expanduser().absolute())
        files = _local_files(title)
    kind = format or _format(files, title)
    return Source(kind, title, _scan(kind, files), secrets, kind == "csv")


def title_of(url: str) -> str:
    """Return a URL without user, password, query and fragment."""
    bare = re.sub(r"(\w+://)[^/@\s]*@", r"\1", url)
    return re.split(r"[?#]", bare, maxsplit=1)[0] if not _is_glob(url) else re.sub(r"\?[^/]*=.*$", "", bare)


def refusal(title: str, error: BaseException, secrets: Secrets) -> LabelkitError:
    """Return the refusal for what a library raised, without anything secret in it."""
    reason = secrets.hidden(error)
    if isinstance(error, FileNotFoundError):
        return SourceNotFound(source=title, reason="nothing is there")
    if isinstance(error, PermissionError) or re.search(
        r"\b(401|403)\b|access ?denied|forbidden|unauthorized|credentials", reason, re.IGNORECASE
    ):
        return SourceAccessDenied(source=title, reason=reason, fix="Check storage_options=, or what the environment says of who you are.")
    if isinstance(error, pl.exceptions.PolarsError):
        fix = "Check that the files are whole and have the same columns; format= says how to read them."
        return SourceUnreadable(source=title, reason=reason, fix=fix)
    return SourceUnreachable(source=title, reason=reason)


# --- files


def _local_files(title: str) -> list[Path]:
    path = Path(title)
    if path.is_dir():
        found = [file for file in path.rglob("*") if _suffix(file.name) and not _is_hidden(file.relative_to(path))]
    elif path.exists():
        found = [path]
    else:
        names = glob.glob(title, recursive=True) if _is_glob(title) else []  # noqa: PTH207 - a pattern that begins at the root
        found = [Path(name) for name in names]
    files = sorted(file for file in found if file.is_file())
    if not files:
        raise SourceNotFound(source=title, reason="there is no file")
    return files


def _fetched(url: str, title: str, folder: Path, options: Mapping[str, Any], secrets: Secrets) -> list[Path]:
    """Return local copies of the files behind a URL."""
    import fsspec

    try:
        fs, path = fsspec.core.url_to_fs(url, **options)
        names = sorted(fs.glob(path)) if _is_glob(path) else [path] if fs.isfile(path) else [n for n in sorted(fs.find(path)) if _suffix(n)]
        files = [_copied(fs, name, folder / f"{number:06d}{_suffix(name)}") for number, name in enumerate(names)]
    except Exception as error:  # noqa: BLE001 - each protocol's library has errors of its own
        raise refusal(title, error, secrets) from None  # the cause's text holds what must not be shown
    if not files:
        raise SourceNotFound(source=title, reason="there is no file")
    return files


def _copied(fs: Any, name: str, file: Path) -> Path:  # noqa: ANN401 (fsspec publishes no types)
    with fs.open(name, "rb") as given, file.open("wb") as copy:
        shutil.copyfileobj(given, copy, _COPY_BYTES)
    return file


def _format(files: Sequence[Path], title: str) -> FileFormat:
    found = {_SUFFIXES.get(_suffix(file.name).partition(".gz")[0].partition(".zst")[0]) for file in files}
    kind = found.pop()
    if kind is None or found:
        reason = "the names do not say what the files are" if kind is None else "the files are of several formats"
        raise SourceNotSupported(source=title, reason=reason, fix="Say it: format='parquet', 'csv' or 'jsonl'.")
    return kind


def _suffix(name: str) -> str:
    """Return the suffix that says the format, with that of a packed file, in small letters; nothing where there is none."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes[-2:]]
    packed = suffixes.pop() if suffixes and suffixes[-1] in _PACKED else ""
    return suffixes[-1] + packed if suffixes and suffixes[-1] in _SUFFIXES else ""


def _scan(kind: FileFormat, files: Sequence[Path]) -> pl.LazyFrame:
    match kind:
        case "parquet":
            return pl.scan_parquet(list(files), glob=False, hive_partitioning=False)
        case "csv":
            separator = "\t" if _suffix(files[0].name).startswith(".tsv") else ","
            return pl.scan_csv(list(files), glob=False, infer_schema=False, separator=separator)
        case "jsonl":
            return pl.scan_ndjson([glob.escape(str(file)) for file in files], infer_schema_length=None)


def _is_glob(path: str) -> bool:
    return any(sign in path for sign in "*[")


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield from _parts(value) if "://" in value else [value] if len(value) >= _SHORTEST_SECRET else []


def _parts(url: str) -> Iterator[str]:
    """Yield what is secret in a URL: user, password, query and its values."""
    try:
        pieces = urlsplit(url)
        named = (pieces.password, pieces.username, pieces.query, pieces.fragment, *re.split(r"[&=]", pieces.query))
    except ValueError:
        return
    yield from (part for part in named if part and len(part) >= _SHORTEST_SECRET)
