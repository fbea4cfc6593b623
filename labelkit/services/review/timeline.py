"""The facts of every frame that a timeline shows: counted once over the content, then only for the frames that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labelkit.core.review.annotations import FrameContent
    from labelkit.store.media import Frames
    from labelkit.store.review.content import Content


class Timeline:
    """Per frame: state, flags, count of annotations, lowest score, problem; worked out when they are first asked for."""

    def __init__(self, content: Content, frames: Frames) -> None:
        self._content = content
        self._frames = frames
        self._facts: dict[str, list[object]] | None = None

    def with_changes(self, changed: Mapping[int, FrameContent]) -> dict[str, list[object]]:
        """Return the facts in media order, those of the `changed` frames from their values."""
        if self._facts is None:
            self._facts = self._counted()
        facts = {name: list(values) for name, values in self._facts.items()}
        for index, frame in changed.items():
            facts["states"][index] = frame.state.value
            facts["flags"][index] = [flag.value for flag in frame.flags]
            facts["counts"][index] = len(frame.annotations)
            facts["min_score"][index] = min((a.score for a in frame.annotations if a.score is not None), default=None)
        return facts

    def _counted(self) -> dict[str, list[object]]:
        scores = pl.col("annotations").list.eval(pl.element().struct.field("score")).list.min()
        counted = self._content.rows.select("state", "flags", pl.col("annotations").list.len().alias("count"), scores.alias("min_score"))
        return {
            "states": counted["state"].to_list(),
            "flags": counted["flags"].to_list(),
            "counts": counted["count"].to_list(),
            "min_score": counted["min_score"].to_list(),
            "problem": self._frames.rows["problem"].to_list(),
        }
