"""Messages to and from a widget without a kernel: the one place that reaches through the private names of ipywidgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from labelkit.widgets.base import CommandWidget

_IDS = count(1)


@dataclass
class Wire:
    """A browser's end of a widget: asks commands as a view would and keeps everything that the widget sent."""

    widget: CommandWidget
    sent: list[dict[str, Any]] = field(default_factory=list)
    buffers: list[list[bytes]] = field(default_factory=list)

    @classmethod
    def to(cls, widget: CommandWidget, monkeypatch: pytest.MonkeyPatch) -> Wire:
        wire = cls(widget)

        def keep(content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
            wire.sent.append(content)
            wire.buffers.append(list(buffers or []))

        monkeypatch.setattr(type(widget), "send", lambda _self, content, buffers=None: keep(content, buffers))
        return wire

    def ask(self, command: str, **args: object) -> dict[str, Any]:
        """Ask a command and return its answer: `ok` with `result`, or not `ok` with `error`."""
        name = f"test-{next(_IDS)}"
        content = {"type": "ask", "id": name, "command": command, "args": args}
        self.widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
        return next(message for message in reversed(self.sent) if message.get("id") == name)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the data of every event of that name, oldest first."""
        return [message["data"] for message in self.sent if message.get("event") == name]
