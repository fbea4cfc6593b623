"""A table of a Unity Catalog as a source, through the catalog client of polars: Delta, Parquet, CSV and JSON Lines tables.

The token comes from the environment and goes to the catalog alone; none of it, and nothing that the catalog answers, stands in a message.
"""

from __future__ import annotations

import importlib.util
import os
import re
import threading
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import polars as pl

from labelkit.errors import InvalidValue, SourceAccessDenied, SourceNotFound, SourceNotSupported, SourceUnreachable, SourceUnreadable
from labelkit.formats.decisions.sources import Secrets, Source, file_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from polars.catalog.unity.models import TableInfo

    from labelkit.errors import LabelkitError
    from labelkit.formats.decisions.sources import FileFormat

T = TypeVar("T")

PREFIX = "unity://"
ADDRESS = ("LABELKIT_UNITY_URL", "DATABRICKS_HOST")
TOKEN = ("LABELKIT_UNITY_TOKEN", "DATABRICKS_TOKEN")
ANSWER_S = 30.0  # the client itself would wait for ever
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OF_CATALOG: dict[str, FileFormat] = {"PARQUET": "parquet", "CSV": "csv", "JSON": "jsonl"}
_DELTA = ("DELTA", "DELTASHARING")


@dataclass(frozen=True, slots=True)
class _Asked:
    title: str
    name: tuple[str, str, str]
    secrets: Secrets = field(repr=False)
    answer_s: float


def unity_source(
    source: str,
    *,
    folder: Path,
    workspace_url: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
    answer_s: float = ANSWER_S,
) -> Source:
    """Return the table `unity://catalog.schema.table` as a source.

    The catalog's address is `workspace_url`, else `LABELKIT_UNITY_URL` or `DATABRICKS_HOST`; the bearer token is `LABELKIT_UNITY_TOKEN` or
    `DATABRICKS_TOKEN`. Without TLS only this machine is spoken to. Columns of CSV tables are text. Raises `INVALID_VALUE`,
    `SOURCE_NOT_FOUND`, `SOURCE_ACCESS_DENIED`, `SOURCE_UNREACHABLE` (also after `answer_s` seconds without an answer),
    `SOURCE_NOT_SUPPORTED`, `SOURCE_UNREADABLE`.
    """
    name = tuple(source.removeprefix(PREFIX).split("."))
    if len(name) != 3 or not all(re.fullmatch(r"[^\s/?#]+", part) for part in name):
        raise InvalidValue(what="source", reason=f"{source!r} names no table", fix="Write unity://catalog.schema.table.")
    address, token = workspace_url or _of_environment(ADDRESS), _of_environment(TOKEN)
    catalog = _catalog(address, token)
    asked = _Asked(PREFIX + ".".join(name), (name[0], name[1], name[2]), Secrets.of(token, address, storage_options), answer_s)
    info = _answer(asked, lambda: catalog.get_table_info(*asked.name))
    return _source(asked, catalog, info, folder, storage_options)


def _of_environment(names: tuple[str, ...]) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _catalog(address: str | None, token: str | None) -> pl.Catalog:
    if not address:
        fix = f"Give workspace_url='https://...', or set {ADDRESS[0]}."
        raise InvalidValue(what="workspace_url", reason="the catalog's address is not known", fix=fix)
    address = address if "://" in address else f"https://{address}"
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        fix = "Use https://; plain http:// is for a catalog on this machine only."
        raise InvalidValue(what="workspace_url", reason="the token would travel in the clear", fix=fix)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # polars says of its catalog client that it may still change
        return pl.Catalog(address, bearer_token=token, require_https=parts.scheme == "https")


def _source(asked: _Asked, catalog: pl.Catalog, info: TableInfo, folder: Path, options: Mapping[str, Any] | None) -> Source:
    place, kind = info.storage_location, str(info.data_source_format or "")
    if place is None:
        raise _not_supported(asked, "the catalog names no place where its rows lie, as for a view")
    if kind in _DELTA and importlib.util.find_spec("deltalake") is None:
        raise _not_supported(asked, "it is a Delta table, and the library deltalake is not installed", "Install labelkit[delta].")
    if kind in _OF_CATALOG and place.startswith("file:"):
        path = re.sub(r"^file:/+", "/", place)
        found = file_source(path, folder=folder, format=_OF_CATALOG[kind])
        return Source("unity", asked.title, found.rows, asked.secrets, found.is_text)
    if kind not in ("PARQUET", *_DELTA):
        raise _not_supported(asked, f"it is a table of format {kind or 'unknown'} at {urlsplit(place).scheme}://")
    rows = _answer(asked, lambda: _scanned(catalog, asked, options))
    return Source("unity", asked.title, rows, asked.secrets)


def _scanned(catalog: pl.Catalog, asked: _Asked, options: Mapping[str, Any] | None) -> pl.LazyFrame:
    rows = catalog.scan_table(*asked.name, storage_options=dict(options) if options else None)
    rows.collect_schema()
    return rows


def _answer(asked: _Asked, ask: Callable[[], T]) -> T:
    """Return what the catalog answers, within the time. The thread of one that never answers stays behind, and ends with the process."""
    given: list[T] = []
    raised: list[Exception] = []

    def run() -> None:
        try:
            given.append(ask())
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            raised.append(error)

    thread = threading.Thread(target=run, name="labelkit-unity", daemon=True)
    thread.start()
    thread.join(asked.answer_s)
    if given:
        return given[0]
    if not raised:
        raise SourceUnreachable(source=asked.title, reason=f"the catalog gave no answer within {asked.answer_s:g} s")
    raise _refusal(asked, raised[0]) from None


def _refusal(asked: _Asked, error: Exception) -> LabelkitError:
    """Return the refusal for what the client raised; its own text holds the whole answer, so that only a status and a cause are taken."""
    text = str(error)
    status = re.search(r"HTTP status \w+ error \((\d{3})", text)
    code = int(status[1]) if status else None
    if code in (401, 403):
        fix = f"Set {TOKEN[0]} or {TOKEN[1]} to a token that may read the table."
        return SourceAccessDenied(source=asked.title, reason=f"the catalog answered {code}", fix=fix)
    if code == 404:
        return SourceNotFound(source=asked.title, reason="the catalog answered 404")
    if code is not None:
        return SourceUnreachable(source=asked.title, reason=f"the catalog answered {code}")
    if "error decoding response" in text:
        return SourceUnreadable(source=asked.title, reason="the answer is not one of a Unity Catalog", fix="Check workspace_url=.")
    if "error sending request" in text:
        return SourceUnreachable(source=asked.title, reason="no connection to the catalog")
    reason = asked.secrets.hidden(error)
    return SourceUnreadable(source=asked.title, reason=reason, fix="Check the table's files, and storage_options= for their place.")


def _not_supported(
    asked: _Asked, reason: str, fix: str = "Read are Delta and Parquet tables, and CSV and JSON Lines as files."
) -> LabelkitError:
    return SourceNotSupported(source=asked.title, reason=reason, fix=fix)
