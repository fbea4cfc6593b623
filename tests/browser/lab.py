"""A real JupyterLab for the tests: a server of its own, notebooks made of cells, and the kernel's state for the assertions."""

from __future__ import annotations

import atexit
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playwright.sync_api import BrowserContext, Locator, Page

START_S = 60.0
STOP_S = 15.0
KERNEL_MS = 60_000
NEWS = "@jupyterlab/apputils-extension"

READY = """async () => {
  await jupyterapp.restored;
  const panel = jupyterapp.shell.currentWidget;
  if (!panel?.context) return false;
  await panel.context.ready;
  await panel.sessionContext.ready;
  const kernel = panel.sessionContext.session?.kernel;
  return kernel?.connectionStatus === "connected" && kernel?.status === "idle";
}"""

PYTHON = """async (code) => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code, store_history: false });
  let text = "";
  let error = null;
  future.onIOPub = (message) => {
    if (message.header.msg_type === "stream" && message.content.name === "stdout") text += message.content.text;
    if (message.header.msg_type === "error") error = message.content.traceback.join("\\n");
  };
  await future.done;
  return { text, error };
}"""


class Lab:
    """A JupyterLab server with a home of its own; `close` ends it and its kernels."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.root = folder / "notebooks"
        self.token = secrets.token_hex(8)
        self._log = (folder / "lab.log").open("wb")
        homes = {
            name: folder / name.lower() for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        }
        for place in (self.root, *homes.values()):
            place.mkdir(parents=True, exist_ok=True)
        settings = homes["JUPYTER_CONFIG_DIR"] / "lab" / "user-settings" / NEWS / "notification.jupyterlab-settings"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text('{"fetchNews": "false", "checkForUpdates": false}')
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
        command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.root}"]
        command += ["--LabApp.expose_app_in_browser=True", "--allow-root"]
        self._server = subprocess.Popen(
            command,
            cwd=self.root,
            env={**os.environ, **{name: str(place) for name, place in homes.items()}, "PYTHONWARNINGS": "default", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        atexit.register(self.close)
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self.url}/api/status?token={self.token}", timeout=2):
                    return
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                time.sleep(0.1)
        self.close()
        raise TimeoutError(f"JupyterLab did not start in {START_S:.0f} s: {Path(self._log.name).read_text()[-2000:]}")

    def close(self) -> None:
        """End the server and its kernels, gently first."""
        atexit.unregister(self.close)
        if self._server.poll() is None:
            os.killpg(self._server.pid, signal.SIGTERM)
            try:
                self._server.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._server.pid, signal.SIGKILL)
                self._server.wait(STOP_S)
        self._log.close()

    def write(self, name: str, cells: Sequence[str]) -> str:
        """Write a notebook of code cells and return its path below the root."""
        made = [
            {"cell_type": "code", "id": uuid.uuid4().hex[:8], "metadata": {}, "execution_count": None, "outputs": [], "source": cell}
            for cell in cells
        ]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        (self.root / name).write_text(json.dumps({"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
        return name

    def open(self, context: BrowserContext, name: str) -> Notebook:
        """Open a notebook in a page of its own and wait until its kernel is idle."""
        page = context.new_page()
        notebook = Notebook(page, self, name)
        page.on("pageerror", lambda error: notebook.problems.append(str(error)))
        notebook.load()
        return notebook


@dataclass
class Notebook:
    """A notebook in a page: run it, ask its kernel, look at its cells."""

    page: Page
    lab: Lab
    name: str
    workspace: str = field(default_factory=lambda: uuid.uuid4().hex)
    problems: list[str] = field(default_factory=list)

    def load(self) -> None:
        """Load the page, as for the first time; an own workspace keeps a second tab from being redirected."""
        self.page.goto(f"{self.lab.url}/lab/workspaces/{self.workspace}/tree/{self.name}?token={self.lab.token}&reset")
        self.page.wait_for_function("() => !!window.jupyterapp", timeout=KERNEL_MS)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=KERNEL_MS)
        self.page.wait_for_function(READY, timeout=KERNEL_MS)
        self.page.evaluate("() => { const app = jupyterapp; if (app.shell.leftCollapsed === false) app.shell.collapseLeft(); }")

    def open(self, name: str) -> None:
        """Open another notebook in the same page: quicker than a new one."""
        self.name = name
        self.page.evaluate("(path) => jupyterapp.commands.execute('docmanager:open', { path })", name)
        self.page.wait_for_function("(path) => jupyterapp.shell.currentWidget?.context?.path === path", arg=name, timeout=KERNEL_MS)
        self.page.wait_for_function(READY, timeout=KERNEL_MS)

    def run(self) -> None:
        """Run every cell; raises what a cell raised."""
        self.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
        found = self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.content.widgets.flatMap((cell) => cell.model.outputs?.toJSON() ?? [])"
            ".filter((output) => output.output_type === 'error').map((output) => output.traceback.join('\\n'))"
        )
        if found:
            raise AssertionError(found[0])

    def save(self) -> None:
        """Save the notebook with its outputs."""
        self.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")

    def python(self, expression: str, setup: str = "") -> Any:
        """Return the value of an expression in the kernel, by way of JSON."""
        answer = self.page.evaluate(PYTHON, f"{setup}\nimport json as _json\nprint(_json.dumps({expression}))")
        if answer["error"]:
            raise AssertionError(answer["error"])
        return json.loads(answer["text"].strip().splitlines()[-1])

    def until(self, expression: str, value: object, seconds: float = 15.0) -> Any:
        """Return the value of an expression in the kernel once it is `value`, else what it was when the time was up."""
        end = time.monotonic() + seconds
        while (found := self.python(expression)) != value and time.monotonic() < end:
            self.page.wait_for_timeout(100)
        return found

    def cells(self) -> list[str]:
        """Return the sources of the cells: what a key that escaped would have changed."""
        sources: list[str] = self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.content.widgets.map((cell) => cell.model.sharedModel.getSource())"
        )
        return sources

    def dark(self, *, on: bool = True) -> None:
        """Switch JupyterLab's theme."""
        theme = "JupyterLab Dark" if on else "JupyterLab Light"
        self.page.evaluate("(theme) => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        self.page.wait_for_function("(light) => document.body.dataset.jpThemeLight === light", arg=str(not on).lower())

    def widget(self, label: str) -> Locator:
        """Return the root of the widget with that label, scrolled into sight."""
        root = self.page.get_by_role("region", name=label)
        root.first.scroll_into_view_if_needed()
        return root

    def close(self) -> None:
        """Shut the kernel down and close the page."""
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.close()
