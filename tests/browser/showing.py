"""What the widgets' tests in a browser share: a widget in a plain page, the same in a JupyterLab, and names that try to do harm."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.browser.bridge import Bridge

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from playwright.sync_api import BrowserContext, Page

    from labelkit import Workspace
    from labelkit.widgets.base import CommandWidget
    from tests.browser.lab import Lab, Notebook

EVIL = '<img src=x onerror="window.harmed=true">'


@contextmanager
def in_page(page: Page, widget: CommandWidget, monkeypatch: pytest.MonkeyPatch, theme: str = "light") -> Iterator[Bridge]:
    """Show a widget in a plain page; afterwards nothing may have gone wrong in its script, and no name may have done harm."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield Bridge.show(page, widget, monkeypatch, theme)
    page.wait_for_timeout(50)
    assert page.evaluate("window.harmed") is None
    assert problems == []
    widget.close()


@contextmanager
def in_lab(lab: Lab, tab: BrowserContext, ws: Workspace, call: str) -> Iterator[Notebook]:
    """Show a widget in a JupyterLab: `call` makes it from `ws`, and it is `widget` in the kernel. No key may have changed a cell."""
    ws.close()
    opening = f"import labelkit\nws = labelkit.open({ws.path!r}, workspace={ws.name!r}, user={ws.user!r})"
    cells = [opening, f"widget = labelkit.widgets.{call}\nwidget", "1 + 1"]
    notebook = lab.open(tab, lab.write(f"{uuid.uuid4().hex[:8]}.ipynb", cells))
    notebook.run()
    yield notebook
    assert notebook.cells() == cells
    assert notebook.python("[str(error) for error in widget.errors]") == []
    assert notebook.problems == []
    notebook.close()
