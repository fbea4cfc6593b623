"""What the widgets over one scope share: its packs and revisions as rows for every view, and eligibility with conflict refresh."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from labelkit.widgets import news
from labelkit.widgets.base import CommandWidget, command
from labelkit.widgets.rows import pack_row, revision_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelkit.core.media import Media
    from labelkit.core.review.packs import LabelPack
    from labelkit.core.review.revisions import Revision
    from labelkit.widgets.base import Json
    from labelkit.widgets.rows import Row
    from labelkit.workspace import Workspace


class ScopeWidget(CommandWidget):
    """A widget over the packs and revisions of one scope. After each attempt to change something every view gets the present rows."""

    _styles = ("shared/lists.css",)

    def __init__(self, ws: Workspace, media: str | Media, capability: str) -> None:
        self._ws = ws
        self._media = ws.media.get(media)
        self._capability = ws.capabilities.get(capability).name
        super().__init__(key=(ws.path, ws.id, self._media.id, self._capability))
        news.listen(self, ws, self.reload)

    @property
    def packs(self) -> list[LabelPack]:
        """Return the scope's label packs as they are now, newest first."""
        return self._ws.review.packs(self._media, self._capability)

    @property
    def revisions(self) -> list[Revision]:
        """Return the scope's revisions as they are now, newest first."""
        return self._ws.review.history(self._media, self._capability)

    @property
    def scope_text(self) -> str:
        """Return the scope as people read it."""
        return f"{self._media.name} · {self._capability}"

    def state(self) -> Json:
        """Return what a view shows: the scope, its packs and its revisions, as plain JSON."""
        return {
            "media": self._media.name,
            "capability": self._capability,
            "packs": [pack_row(pack) for pack in self.packs],
            "revisions": self.revision_rows(),
        }

    def revision_rows(self) -> list[Row]:
        """Return the revisions as rows, newest first."""
        packs = {pack.id: pack for pack in self.packs}
        return [revision_row(revision, packs) for revision in self.revisions]

    @command("ready")
    def ready(self) -> Json:
        """Return the present rows."""
        return self.state()

    @command("reload")
    def reload(self) -> Json:
        """Send the present rows to every view."""
        self.tell("state", self.state())
        return {"reloaded": True}

    @command("set_eligibility")
    def set_eligibility(self, revision: str, state: str, expected_version: int, reason: str | None = None) -> Json:
        """Approve or revoke a revision at the version that the view showed; refused or not, the present rows follow."""
        self.python = f"ws.review.set_eligibility({revision!r}, {state!r}, expected_version={expected_version}, reason={reason!r})"
        with self.reloading():
            after = self._ws.review.set_eligibility(revision, state, expected_version=expected_version, reason=reason)
            return {"eligibility": after.eligibility.value}

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Try a step; refused or not, every view gets the present rows, so that a conflict shows what the other side did."""
        try:
            yield
            news.tell_others(self, self._ws)
        finally:
            with self.guarded():
                self.reload()
