"""The main job in one go, as a story for a terminal: on a drawn match, or on a folder of real images and YOLO labels."""

from __future__ import annotations

from labelkit.demo.lab import review_notebook, start_lab
from labelkit.demo.layout import Clip, Source, drawn, found
from labelkit.demo.story import Demo

__all__ = ["Clip", "Demo", "Source", "drawn", "found", "review_notebook", "start_lab"]
