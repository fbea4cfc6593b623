"""What there is to see of a sample: its picture, the shapes over it, and what is missing and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labelkit.core.datasets.samples import View, view_of
from labelkit.core.geometry import Box
from labelkit.core.review.shapes import shapes_of

if TYPE_CHECKING:
    from labelkit.core.datasets.samples import Sample
    from labelkit.core.review.annotations import Capability
    from labelkit.core.review.shapes import Shape
    from labelkit.media.asset_urls import AssetUrl


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to see of a sample: the picture's bytes, the shapes over it, and the state that says what is missing and why.

    `asset` is an address from which the browser gets the picture where its bytes are not here.
    """

    sample: Sample
    picture: bytes | None
    shapes: tuple[Shape, ...]
    state: View
    capability: Capability | None
    asset: AssetUrl | None = None


def overlay(sample: Sample, capability: Capability | None) -> tuple[tuple[Shape, ...], str | None]:
    """Return the shapes of a sample's labels, or the code of why they cannot be drawn."""
    if capability is None:
        return (), "CAPABILITY_UNKNOWN"
    boxes = capability.geometry == "box"
    if any(isinstance(annotation.geometry, Box) is not boxes for annotation in sample.annotations):
        return (), "OVERLAY_GEOMETRY_MISMATCH"
    return shapes_of(sample.annotations, capability), None


def broken(seen: Look, capability: str) -> Look:
    """Return what is left to see where the stored bytes turned out to be no picture."""
    state = view_of(capability, asset_problem="SAMPLE_ASSET_NOT_AN_IMAGE")
    return replace(seen, picture=None, shapes=(), state=state)
