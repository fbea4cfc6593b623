"""Frames as a model gets them: the facts at once, the picture when it is asked for."""

from __future__ import annotations

import io
from functools import cached_property
from typing import TYPE_CHECKING

from labelkit.errors import FrameUnavailable
from labelkit.media.pictures import kind_of, quiet, upright_rgb

if TYPE_CHECKING:
    from PIL import Image

    from labelkit.core.media import Frame
    from labelkit.media.sources import FrameSource


Data = bytes  # a frame has a property named bytes


class ModelFrame:
    """One frame: `index` from 0, `name`, `pts_ms`, `width` and `height` in px, `bytes`, `mime`, and `image`.

    `bytes` are those of a picture that browsers show: of images the stored ones where possible, of videos a JPEG. `image` is a PIL
    picture in RGB, EXIF rotation applied, of exactly `width` x `height` px. Both are read once, when first asked for, and raise
    `FRAME_UNAVAILABLE`.
    """

    def __init__(self, frame: Frame, source: FrameSource) -> None:
        self.index = frame.index
        self.name = frame.name
        self.pts_ms = frame.pts_ms
        self.width = frame.width
        self.height = frame.height
        self._frame = frame
        self._source = source

    @property
    def bytes(self) -> Data:
        """Return the picture's bytes."""
        return self._picture[0]

    @property
    def mime(self) -> str:
        """Return the MIME type of `bytes`."""
        return self._picture[1]

    @cached_property
    def image(self) -> Image.Image:
        """Return the picture, decoded."""
        kind = kind_of(self.bytes[:16])
        if kind is None:
            raise FrameUnavailable(index=self.index, name=self.name, problem="FRAME_NOT_AN_IMAGE")
        with quiet(), kind.opener(io.BytesIO(self.bytes)) as image:
            return upright_rgb(image)

    @cached_property
    def _picture(self) -> tuple[Data, str]:
        return self._source.bytes(self._frame)

    def __repr__(self) -> str:
        return f"<ModelFrame {self.index} {self.name!r}, {self.width} x {self.height} px>"
