"""Small JPEG pictures for strips and tables."""

from __future__ import annotations

import io

from labelkit.errors import InvalidValue, MediaNotRecognized
from labelkit.media.pictures import MAX_PIXELS, as_jpeg, kind_of, quiet, upright_rgb

QUALITY = 80


def thumbnail(data: bytes, side: int = 256) -> bytes:
    """Return a JPEG of at most `side` x `side` px of a picture (the stored bytes of an image, or a JPEG of a video's frame).

    The picture is turned as its EXIF data say, keeps its proportions and is never enlarged. Raises `MEDIA_NOT_RECOGNIZED` for bytes that
    cannot be decoded, `INVALID_VALUE` for a side below 1.
    """
    if side < 1:
        raise InvalidValue(what="side", reason=f"{side} px is no size", fix="Give the longer side in px, such as 256.")
    kind = kind_of(data[:16])
    if kind is None:
        raise MediaNotRecognized(source="The picture", reason="its bytes are no image")
    with quiet():
        try:
            with kind.opener(io.BytesIO(data)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise MediaNotRecognized(source="The picture", reason=f"{image.width} x {image.height} px are too many")
                image.draft("RGB", (side, side))
                small = upright_rgb(image)
        except (OSError, ValueError, SyntaxError) as error:
            raise MediaNotRecognized(source="The picture", reason=f"its bytes are damaged ({error})") from error
    small.thumbnail((side, side))
    return as_jpeg(small, QUALITY)
