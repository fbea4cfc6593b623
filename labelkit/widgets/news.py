"""News between the widgets of one kernel: what one of them changed in a workspace, the others show without being asked."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakMethod

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.widgets.base import CommandWidget
    from labelkit.workspace import Workspace

Place = tuple[str, str]
_LISTENERS: WeakKeyDictionary[CommandWidget, tuple[Place, WeakMethod[Callable[[], object]]]] = WeakKeyDictionary()


def listen(widget: CommandWidget, ws: Workspace, reload: Callable[[], object]) -> None:
    """Have `reload`, a method of the widget, called when another widget over the same workspace changed something."""
    _LISTENERS[widget] = (ws.path, ws.id), WeakMethod(reload)


def tell_others(widget: CommandWidget, ws: Workspace) -> None:
    """Let every other open widget over this workspace show what changed; what goes wrong there is shown there."""
    for other, (place, method) in list(_LISTENERS.items()):
        reload = method()
        if reload is not None and other is not widget and place == (ws.path, ws.id) and other.comm is not None:
            with other.guarded():
                reload()
