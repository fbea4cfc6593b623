"""From a model's labels to training data that a team can trust, without leaving Jupyter.

`labelkit.open("labels.duckdb")` gives a `Workspace`; everything else is reached from it by tab completion. The names below load what
they need when they are first used, so that `import labelkit` is quick and works where Jupyter is not installed.

>>> import labelkit
>>> sorted(name for name in dir(labelkit) if not name.startswith("_"))[:5]
['BuildRequest', 'LabelkitError', 'QualityRule', 'ReviewOp', 'Workspace']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelkit.errors import LabelkitError

if TYPE_CHECKING:
    from labelkit import recipes as recipes
    from labelkit import synthetic as synthetic
    from labelkit import widgets as widgets
    from labelkit.core.datasets.builds import BuildRequest as BuildRequest
    from labelkit.core.datasets.quality_rules import QualityRule as QualityRule
    from labelkit.core.review.operations import ReviewOp as ReviewOp
    from labelkit.formats.exporting.verifying import verify as verify
    from labelkit.workspace import Workspace as Workspace
    from labelkit.workspace import open as open

__version__ = "0.1.0"

_HOMES = {
    "BuildRequest": "labelkit.core.datasets.builds",
    "QualityRule": "labelkit.core.datasets.quality_rules",
    "ReviewOp": "labelkit.core.review.operations",
    "Workspace": "labelkit.workspace",
    "open": "labelkit.workspace",
    "verify": "labelkit.formats.exporting.verifying",
}
_MODULES = ("recipes", "synthetic", "widgets")

__all__ = [
    "BuildRequest",
    "LabelkitError",
    "QualityRule",
    "ReviewOp",
    "Workspace",
    "__version__",
    "open",
    "recipes",
    "synthetic",
    "verify",
    "widgets",
]


def __getattr__(name: str) -> object:
    """Return a public name, loading its module at first use (PEP 562)."""
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"labelkit.{name}")
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    message = f"module 'labelkit' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return __all__
