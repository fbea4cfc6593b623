"""Whether the edits of a review are safe, and who wants to know when that changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labelkit.errors import LabelkitError

Listener = Callable[[str], None]


class SaveStatus:
    """A word (saved, saving, stale or failed) with the refusal behind it. May be set and listened to from any thread."""

    def __init__(self) -> None:
        self.word = "saved"
        self.error: LabelkitError | None = None
        self._listeners: dict[object, Listener] = {}
        self._lock = threading.Lock()

    def set(self, word: str, error: LabelkitError | None = None) -> None:
        """Take the word, and tell it to every listener where it is news."""
        with self._lock:
            news = (word, error) != (self.word, self.error)
            self.word, self.error = word, error
            listeners = tuple(self._listeners.values()) if news else ()
        for listener in listeners:
            listener(word)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(word)` at each change until what is returned is called; calling that again does nothing."""
        token = object()
        with self._lock:
            self._listeners[token] = listener

        def stop() -> None:
            with self._lock:
                self._listeners.pop(token, None)

        return stop

    def deafen(self) -> None:
        """Forget every listener."""
        with self._lock:
            self._listeners.clear()
