"""Opening and decoding a video with PyAV: local files in known containers only, frames in presentation order, digests of their planes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from labelkit.errors import MediaEmpty, MediaNotFound, MediaNotRecognized, MediaUnreadable, VideoSupportMissing
from labelkit.media.listing import is_image_name
from labelkit.media.pictures import as_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ATTACHED_PICTURE = 0x400  # the cover of a song is a video stream of one picture
# Containers that hold their own data. Playlists (hls, dash, concat) are left out: they name other files and addresses.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,mxf,gxf,dv,ivf,obu,nut,wtv,rm,"
    "h264,hevc,m4v,mjpeg,yuv4mpegpipe"
)
# Decoders that give the same bits on every machine; the others may round differently elsewhere.
EXACT_CODECS = ("h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "ffv1", "rawvideo")
SUFFIXES = ("mp4", "mkv", "mov", "webm", "avi", "ts")


def open_video(path: Path) -> Any:  # noqa: ANN401 (PyAV publishes no types)
    """Return an open PyAV container that has a video stream.

    Raises `VIDEO_SUPPORT_MISSING`, `MEDIA_NOT_FOUND`, `MEDIA_EMPTY`, `MEDIA_UNREADABLE`, and `MEDIA_NOT_RECOGNIZED` for anything that
    is no video, among it playlists, single images and sound alone.
    """
    try:
        import av
    except ImportError as error:
        raise VideoSupportMissing(source=path, reason=str(error)) from error
    _check(path)
    try:
        container = av.open(str(path), options={"format_whitelist": CONTAINERS, "protocol_whitelist": "file"})
    except av.FFmpegError as error:
        raise MediaNotRecognized(source=path, reason=error.strerror or str(error)) from error
    if not _videos(container):
        container.close()
        raise MediaNotRecognized(source=path, reason="it has no video stream")
    return container


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError as error:
        raise MediaNotFound(source=path) from error
    except OSError as error:
        raise MediaUnreadable(source=path, reason=error.strerror) from error
    if empty:
        raise MediaEmpty(source=path, reason="the file has 0 bytes", suffixes=", ".join(SUFFIXES) + " for videos")
    if is_image_name(path.name):
        raise MediaNotRecognized(source=path, reason="it is a single image; name its folder or a glob")


def _videos(container: Any) -> list[Any]:  # noqa: ANN401
    return [stream for stream in container.streams.video if not int(getattr(stream, "disposition", 0) or 0) & ATTACHED_PICTURE]


def video_stream(container: Any) -> Any:  # noqa: ANN401
    """Return the first video stream that is no cover picture, of a container that `open_video` gave."""
    return _videos(container)[0]


def decoded(container: Any, errors: list[str], *, wanted_from_ms: float | None = None) -> Iterator[Any]:  # noqa: ANN401
    """Yield the frames from the present position on, in presentation order; packets that cannot be decoded are passed over.

    What was wrong with each is appended to `errors`. The same bytes always give the same frames. Before the time `wanted_from_ms`, by
    the clock of the packets, frames that no other frame needs are left out, which halves the work of getting there.
    """
    import av

    stream = video_stream(container)
    stream.codec_context.skip_frame = "DEFAULT" if wanted_from_ms is None else "NONREF"
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if wanted_from_ms is not None and (packet is None or packet.dts is None or _dts_ms(packet) >= wanted_from_ms):
                stream.codec_context.skip_frame, wanted_from_ms = "DEFAULT", None
            frames = [] if packet is None else packet.decode()
        except av.FFmpegError as error:
            errors.append(error.strerror or str(error))
            continue
        yield from frames
        if packet is None:
            return


def _dts_ms(packet: Any) -> float:  # noqa: ANN401
    return float(packet.dts * packet.time_base * 1000)


def pts_ms(frame: Any) -> float | None:  # noqa: ANN401
    """Return the presentation time in ms, None where the container gives none."""
    return None if frame.pts is None else float(frame.pts * frame.time_base * 1000)


def planes_digest(frame: Any) -> tuple[str, int]:  # noqa: ANN401
    """Return the sha256 and the number of bytes of the decoded planes, row after row without the padding that decoders add."""
    if any(component.bits < 8 for component in frame.format.components):
        frame = frame.reformat(format="rgb24")  # pixels that share bytes have no rows of their own
    state, count = hashlib.sha256(), 0
    for number, plane in enumerate(frame.planes):
        parts = [component for component in frame.format.components if component.plane == number]
        line = min(sum(part.width * ((part.bits + 7) // 8) for part in parts) or plane.line_size, plane.line_size)
        rows = np.frombuffer(plane, np.uint8)[: plane.line_size * plane.height].reshape(plane.height, plane.line_size)
        state.update(np.ascontiguousarray(rows[:, :line]).data)
        count += line * plane.height
    return state.hexdigest(), count


def quarter_turns(frame: Any) -> int:  # noqa: ANN401
    """Return by how many quarter turns to the left the picture is shown; telephones film in one direction and note the other."""
    return round(getattr(frame, "rotation", 0) / 90) % 4


def image_of(frame: Any) -> Image.Image:  # noqa: ANN401
    """Return the picture as it is shown, in RGB."""
    return Image.fromarray(np.rot90(frame.to_ndarray(format="rgb24"), quarter_turns(frame)))


def jpeg_of(frame: Any) -> bytes:  # noqa: ANN401
    """Return the picture as it is shown, as JPEG bytes."""
    return as_jpeg(image_of(frame))
