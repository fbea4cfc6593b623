"""A page that shows a real widget without Jupyter: the browser half speaks to the Python half through a fake model.

What the page asks reaches the widget's own message handler, and whatever the widget sends meanwhile goes back as the answer; what it
sends by itself, from another thread too, the page fetches every 50 ms while the test waits for something in it.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labelkit.widgets import assets

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from playwright.sync_api import Locator, Page

    from labelkit.widgets.base import CommandWidget

PATIENCE_S = 20
COLOURS = {
    "light": "--jp-layout-color1:#fff;--jp-layout-color2:#eee;--jp-ui-font-color1:rgba(0,0,0,.87)",
    "dark": "--jp-layout-color1:#111;--jp-layout-color2:#424242;--jp-ui-font-color1:#fff",
}
PAGE = """<!doctype html><html lang="en"><title>labelkit</title><style>
body {{ margin: 16px; {colours}; background: var(--jp-layout-color1); }}</style>
<body data-jp-theme-light="{light}"><main><h1 style="position:absolute;clip-path:inset(50%)">labelkit</h1>
<div id="host"></div></main></body></html>"""

MODEL = """
async ({ script, style, traits }) => {
  const listeners = new Map();
  const raise = (event, ...values) => { for (const callback of listeners.get(event) ?? []) callback(...values); };
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer);
  window.deliver = (messages) => {
    for (const message of messages) {
      if (message.trait) { traits[message.trait] = message.value; raise(`change:${message.trait}`); }
      else raise("msg:custom", message.content, message.buffers.map(bytes));
    }
  };
  window.silent = false;
  window.waiting = 0;
  const model = {
    get: (name) => traits[name],
    set: (name, value) => { traits[name] = value; },
    save_changes() {},
    on(event, callback) { listeners.set(event, (listeners.get(event) ?? new Set()).add(callback)); },
    off(event, callback) { listeners.get(event)?.delete(callback); },
    async send(content) {
      if (window.silent) return;
      window.waiting += 1;
      try {
        window.deliver(JSON.parse(await window.toPython(JSON.stringify(content))));
      } finally {
        window.waiting -= 1;
      }
    },
  };
  const css = document.createElement("style");
  css.textContent = style;
  document.head.append(css);
  let fetching = false;
  setInterval(async () => {
    if (fetching) return;
    fetching = true;
    try {
      window.deliver(JSON.parse(await window.fromPython()));
    } finally {
      fetching = false;
    }
  }, 50);
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  window.end = await module.default.render({ model, el: document.getElementById("host") });
}
"""


@dataclass
class Bridge:
    """A widget shown on a page; `root` is what a person sees of it."""

    page: Page
    widget: CommandWidget
    sent: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    late: bool = False  # whether what Python says by itself waits for the next answer

    @classmethod
    def show(cls, page: Page, widget: CommandWidget, monkeypatch: pytest.MonkeyPatch, theme: str = "light") -> Bridge:
        """Show the widget on the page and wait until its root is there."""
        bridge = cls(page, widget)
        monkeypatch.setattr(type(widget), "send", lambda _self, content, buffers=None: bridge._keep(content, buffers))
        widget.observe(lambda change: bridge.sent.append({"trait": "python", "value": change["new"]}), names="python")
        page.set_content(PAGE.format(colours=COLOURS[theme], light=str(theme == "light").lower()))
        page.expose_function("toPython", bridge._receive)
        page.expose_function("fromPython", lambda: json.dumps([] if bridge.late else bridge._taken()))
        page.evaluate(MODEL, {"script": widget._esm, "style": widget._css, "traits": traits_of(widget)})
        bridge.root.wait_for()
        return bridge

    @property
    def root(self) -> Locator:
        """Return the root element of the widget."""
        return self.page.locator(".lk-root")

    def deliver(self) -> None:
        """Bring what the widget sent by itself to the page."""
        self.page.evaluate("(messages) => window.deliver(messages)", self._taken())

    def arrives(self, locator: Locator) -> Locator:
        """Bring what the widget sends by itself to the page until something can be seen there, and return that."""
        self.until(locator.is_visible)
        return locator

    def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, however busy the machine is; then nothing is waited for."""
        end = time.monotonic() + PATIENCE_S
        while not (held := holds()) and time.monotonic() < end:
            self.page.wait_for_timeout(20)
            self.deliver()
        assert held

    def asks_become(self, command: str, count: int) -> None:
        """Wait until there were so many asks of that command."""
        self.until(lambda: len(self.asks(command)) >= count)

    def asks(self, command: str) -> list[dict[str, Any]]:
        """Return the arguments of every ask of that command, oldest first."""
        return [content["args"] for content in self.asked if content["command"] == command]

    def faults(self) -> list[str]:
        """Return what axe-core finds wrong with the widget, as `rule: element`; contrast is among its rules on a plain page."""
        source = assets.folder() / "node_modules" / "axe-core" / "axe.min.js"
        self.page.evaluate(source.read_text(encoding="utf-8"))
        found = self.page.evaluate("() => axe.run('.lk-root').then((result) => result.violations)")
        return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]

    def _keep(self, content: dict[str, Any], buffers: list[bytes] | None) -> None:
        encoded = [base64.b64encode(part).decode() for part in buffers or []]
        self.sent.append({"content": content, "buffers": encoded})

    def _receive(self, text: str) -> str:
        content = json.loads(text)
        self.asked.append(content)
        self.widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
        return json.dumps(self._taken())

    def _taken(self) -> list[dict[str, Any]]:
        """Return what was sent and not delivered yet, one by one: other threads send meanwhile."""
        return [self.sent.pop(0) for _ in range(len(self.sent))]


def traits_of(widget: CommandWidget) -> dict[str, Any]:
    """Return the plain traits that a browser would find in the model."""
    known = {name: getattr(widget, name) for name in widget.trait_names(sync=True) if not name.startswith("_")}
    return {name: value for name, value in known.items() if isinstance(value, (str, int, float, bool))}
