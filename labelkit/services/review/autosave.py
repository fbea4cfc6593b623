"""When a review is saved by itself: soon after an edit, whether others follow it or not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from labelkit.errors import LabelkitError, StorageWriteFailed, StoreBusy

if TYPE_CHECKING:
    from collections.abc import Callable

AUTOSAVE_S = 0.15
RETRY_S = 2.0


class Autosave:
    """Calls `save` on a thread of its own, once for every plan; one that is planned already is not put off.

    A refusal is `save`'s own to tell. Where the store is busy or cannot be written it is tried again. `broke` gets any other exception.
    """

    def __init__(self, save: Callable[[], object], broke: Callable[[Exception], object], *, enabled: bool) -> None:
        self._save = save
        self._broke = broke
        self._enabled = enabled
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def plan(self, delay_s: float = AUTOSAVE_S) -> None:
        """Have a save soon, in `delay_s` seconds unless one comes before: whoever edits without a pause loses no more than others."""
        with self._lock:
            if self._enabled and self._timer is None:
                self._timer = threading.Timer(delay_s, self._run)
                self._timer.daemon = True
                self._timer.start()

    def stop(self) -> None:
        """Plan nothing any more; a save that runs already comes to its end."""
        with self._lock:
            self._enabled = False
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _run(self) -> None:
        with self._lock:
            self._timer = None
            if not self._enabled:
                return
        try:
            self._save()
        except (StoreBusy, StorageWriteFailed):  # others may let go, or somebody makes room
            self.plan(RETRY_S)
        except LabelkitError:  # the edits stay in memory, and the next one tries again
            return
        except Exception as error:
            self._broke(error)
            raise
