"""Takes events to a file or an HTTP endpoint from a thread of its own: whatever happens there stops no run and holds none up for long."""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOG = logging.getLogger("labelkit.recipes")
VARIABLE, URL, DISABLED = "LABELKIT_LINEAGE", "OPENLINEAGE_URL", "OPENLINEAGE_DISABLED"
ENDPOINT, API_KEY = "OPENLINEAGE_ENDPOINT", "OPENLINEAGE_API_KEY"
DEFAULT_ENDPOINT = "api/v1/lineage"
REQUEST_S = 3.0  # how long one event may take
FAREWELL_S = 5.0  # how long the end of a run waits for events that are still under way


def target_of(given: str | None) -> str | None:
    """Return where events go: what was given, else `LABELKIT_LINEAGE`, else `OPENLINEAGE_URL` with its endpoint, else nowhere.

    A URL without a path gets OpenLineage's. Raises `INVALID_VALUE` for a URL that is not http or https.
    """
    if os.environ.get(DISABLED, "").lower() in ("1", "true") and given is None:
        return None
    target = given or os.environ.get(VARIABLE) or os.environ.get(URL)
    if not target or "://" not in target:
        return target or None
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidValue(what="lineage", reason=f"{target!r} is no http address", fix="Name a file, or an address that starts with http.")
    if parts.path.strip("/"):
        return target
    return f"{target.rstrip('/')}/{os.environ.get(ENDPOINT, DEFAULT_ENDPOINT).lstrip('/')}"


class Delivery:
    """Delivers events to one target, in their order."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._events: queue.SimpleQueue[Mapping[str, object] | None] = queue.SimpleQueue()
        self._failures: list[str] = []
        self._sent = self._delivered = 0
        self._thread = threading.Thread(target=self._work, name="labelkit-lineage", daemon=True)
        self._thread.start()

    def send(self, event: Mapping[str, object]) -> None:
        """Take an event and return at once."""
        self._sent += 1
        self._events.put(event)

    def close(self, timeout_s: float = FAREWELL_S) -> bool:
        """Wait for what is under way, but no longer than `timeout_s`; say whether everything arrived, and log a warning where not."""
        began = time.monotonic()
        self._events.put(None)
        self._thread.join(timeout_s)
        missing = self._sent - self._delivered
        if missing:
            reason = self._failures[0] if self._failures else f"no answer within {time.monotonic() - began:.0f} s"
            _LOG.warning("lineage: %d of %d events did not reach %s: %s", missing, self._sent, self._target, reason)
        return not missing

    def _work(self) -> None:
        deliver = _post if "://" in self._target else _append
        while (event := self._events.get()) is not None:
            try:
                deliver(self._target, json.dumps(event, sort_keys=True).encode())
            except Exception as error:  # noqa: BLE001  # whatever it is, it is the endpoint's affair; the warning names it
                self._failures.append(str(error) or type(error).__name__)
            else:
                self._delivered += 1


def _append(target: str, event: bytes) -> None:
    """Append a line by one write, so that several runs may share a file."""
    file = Path(target).expanduser()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab", buffering=0) as out:
        out.write(event + b"\n")


def _post(target: str, event: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    if os.environ.get(API_KEY):
        headers["Authorization"] = f"Bearer {os.environ[API_KEY]}"
    request = urllib.request.Request(target, data=event, headers=headers, method="POST")  # noqa: S310  # http(s) only, see target_of
    with urllib.request.urlopen(request, timeout=REQUEST_S) as answer:  # noqa: S310  # as above
        answer.read(1)
