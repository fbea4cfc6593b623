"""Widgets: Python halves that show a value and ask a use case. They load when first named, because Jupyter is not always there."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labelkit.widgets.approvals import Approvals as Approvals
    from labelkit.widgets.dataset_explorer import DatasetExplorer as DatasetExplorer
    from labelkit.widgets.diff_viewer import DiffViewer as DiffViewer
    from labelkit.widgets.frame_review import FrameReview as FrameReview
    from labelkit.widgets.preflight_table import PreflightTable as PreflightTable
    from labelkit.widgets.quality_badge import QualityBadge as QualityBadge
    from labelkit.widgets.quality_panel import QualityPanel as QualityPanel
    from labelkit.widgets.review_queue import ReviewQueue as ReviewQueue
    from labelkit.widgets.revision_history import RevisionHistory as RevisionHistory
    from labelkit.widgets.sample_viewer import SampleViewer as SampleViewer

_HOMES = {
    "Approvals": "approvals",
    "DatasetExplorer": "dataset_explorer",
    "DiffViewer": "diff_viewer",
    "FrameReview": "frame_review",
    "PreflightTable": "preflight_table",
    "QualityBadge": "quality_badge",
    "QualityPanel": "quality_panel",
    "ReviewQueue": "review_queue",
    "RevisionHistory": "revision_history",
    "SampleViewer": "sample_viewer",
}

__all__ = [
    "Approvals",
    "DatasetExplorer",
    "DiffViewer",
    "FrameReview",
    "PreflightTable",
    "QualityBadge",
    "QualityPanel",
    "ReviewQueue",
    "RevisionHistory",
    "SampleViewer",
]


def __getattr__(name: str) -> object:
    """Return a widget class, loading its module at first use (PEP 562)."""
    if name not in _HOMES:
        message = f"module 'labelkit.widgets' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f"labelkit.widgets.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the widgets, loaded or not."""
    return __all__
