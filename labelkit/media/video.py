"""Videos as media: a frame is its decoded index and presentation time, never time x fps, and reads the same on every path to it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from labelkit.core.media import Frame, FrameProblem, MediaKind
from labelkit.errors import FrameUnavailable, MediaEmpty, MediaNotFound, MediaNotRecognized, MediaUnreadable, UnknownFrame
from labelkit.media.decoding import EXACT_CODECS, decoded, image_of, jpeg_of, open_video, planes_digest, pts_ms, quarter_turns, video_stream
from labelkit.media.scanned import DEFAULT_FPS, ScannedMedia

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import polars as pl
    from PIL import Image

KEPT_PICTURES = 64
NEAR = 30  # frames ahead that are reached by decoding on, without a seek
BEFORE = 20  # frames before a wanted one that are decoded whole; a codec reorders fewer, and who goes back wants them next
PASSED_BYTES = 48 << 20  # of decoded frames that are kept for who goes back
Jpeg = bytes  # a reader has a method named bytes
STEPS_BACK_MS = (0.0, 1_000.0, 10_000.0)  # where a seek lands too late, seek earlier; after these, decode from the start


def read_video(path: str | Path) -> ScannedMedia:
    """Decode a whole video once and return its frames in presentation order.

    `pts_ms` is as the container says (index / frame rate only where it says nothing), width and height as shown, `sha256` of the decoded
    planes. A frame that the decoder had to guess is `FRAME_TRUNCATED`. Damaged packets give no frame; a note counts them. Raises
    `VIDEO_SUPPORT_MISSING`, `MEDIA_NOT_FOUND`, `MEDIA_EMPTY`, `MEDIA_UNREADABLE`, `MEDIA_NOT_RECOGNIZED` (also where nothing decodes).
    """
    file = Path(path).expanduser().resolve()
    errors: list[str] = []
    with open_video(file) as container:
        stream = video_stream(container)
        stream.thread_type = "AUTO"
        rate = float(stream.average_rate or stream.guessed_rate or DEFAULT_FPS)
        frames = tuple(_frame(index, raw, rate) for index, raw in enumerate(decoded(container, errors)))
    if not frames:
        raise MediaNotRecognized(source=path, reason=f"no frame of it can be decoded{''.join(f' ({error})' for error in errors[:1])}")
    notes = (f"{len(errors)} packets could not be decoded: {errors[0]}",) if errors else ()
    return ScannedMedia(MediaKind.VIDEO, file, frames, notes)


def _frame(index: int, raw: Any, rate: float) -> Frame:  # noqa: ANN401 (PyAV publishes no types)
    time_ms = pts_ms(raw)
    digest, count = planes_digest(raw)
    width, height = (raw.height, raw.width) if quarter_turns(raw) % 2 else (raw.width, raw.height)
    return Frame(
        index=index,
        name="",
        pts_ms=index * 1000 / rate if time_ms is None else time_ms,
        width=width,
        height=height,
        sha256=digest,
        byte_count=count,
        problem=FrameProblem.TRUNCATED if raw.is_corrupt else None,
    )


class VideoReader:
    """The pictures of a video's frames, in any order and from any thread; close it, or use it in a `with` statement.

    `frames` is the table that `read_video(path).to_polars()` gave. A frame is looked for by its presentation time after a seek to a
    keyframe before it, and counts only if its planes have the recorded sha256; else the search starts earlier, at last at the start of
    the file, where frames are counted. So no frame rate, B-frame or open group of pictures shifts a frame.

    Getting to any frame costs the decoding of the way from the keyframe before it, of which frames that no other needs are left out;
    the next frames forwards and backwards cost little. In a file with keyframes many seconds apart the first look at a place takes long.
    """

    def __init__(self, path: str | Path, frames: pl.DataFrame) -> None:
        self._path = Path(path)
        self._pts: list[float] = frames["pts_ms"].to_list()
        self._digests: list[str] = frames["sha256"].to_list()
        self._problems: list[str | None] = frames["problem"].to_list()
        # a container that repeats a time can only be counted through
        self._timed = all(a < b for a, b in pairwise(self._pts))
        self._lock = threading.Lock()
        self._pictures: OrderedDict[int, Jpeg] = OrderedDict()
        self._container: Any = None
        self._coming: Iterator[Any] = iter(())
        self._next: int | None = None
        self._passed: OrderedDict[float, Any] = OrderedDict()  # the last decoded frames, by time

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the next read opens it again."""
        with self._lock:
            self._close()

    def bytes(self, frame: Frame) -> tuple[Jpeg, str]:
        """Return the picture of a frame as JPEG, and its MIME type. Raises `FRAME_UNAVAILABLE`."""
        return self.frame(frame.index), "image/jpeg"

    def frame(self, index: int) -> Jpeg:
        """Return the picture with that index as JPEG bytes. Raises `UNKNOWN_FRAME`, `FRAME_UNAVAILABLE`."""
        self._check(index)
        with self._lock:
            if index not in self._pictures:
                self._pictures[index] = jpeg_of(self._find(index))
                if len(self._pictures) > KEPT_PICTURES:
                    self._pictures.popitem(last=False)
            self._pictures.move_to_end(index)
            return self._pictures[index]

    def image(self, index: int) -> Image.Image:
        """Return the decoded picture with that index as it is shown, in RGB. Raises `UNKNOWN_FRAME`, `FRAME_UNAVAILABLE`."""
        self._check(index)
        with self._lock:
            return image_of(self._find(index))

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self._pts):
            raise UnknownFrame(frame=index)
        if (problem := self._problems[index]) is not None:
            raise self._unavailable(index, problem)

    def _find(self, index: int) -> Any:  # noqa: ANN401
        try:
            for raw in self._candidates(index):
                if raw is not None and self._is(index, raw):
                    return raw
        except (MediaNotFound, MediaEmpty) as error:
            raise self._unavailable(index, FrameProblem.MISSING) from error
        except (MediaUnreadable, MediaNotRecognized) as error:
            raise self._unavailable(index, FrameProblem.UNREADABLE) from error
        self._close()
        raise self._unavailable(index, FrameProblem.CHANGED)

    def _candidates(self, index: int) -> Iterator[Any]:
        """Yield what may be the frame, from the quickest way to the surest."""
        if self._timed:
            yield self._passed.get(self._pts[index])
        if self._next is not None and 0 <= index - self._next <= NEAR:
            yield self._ahead(index)
        if self._timed:
            yield self._after_seek(index, 0, wanted_from_ms=self._pts[max(index - BEFORE, 0)])
        for back_ms in STEPS_BACK_MS:
            if self._timed:
                yield self._after_seek(index, back_ms)
        yield self._from_start(index)

    def _is(self, index: int, raw: Any) -> bool:  # noqa: ANN401
        if self._stream().codec_context.name in EXACT_CODECS:
            return planes_digest(raw)[0] == self._digests[index]
        return not self._timed or pts_ms(raw) in (None, self._pts[index])

    def _ahead(self, index: int) -> Any | None:  # noqa: ANN401
        for raw in self._coming:
            self._pass(raw)
            here, self._next = self._next, (self._next or 0) + 1
            if here == index:
                return raw
        self._next = None
        return None

    def _pass(self, raw: Any) -> None:  # noqa: ANN401
        """Keep a decoded frame for who goes back."""
        time_ms = pts_ms(raw)
        if time_ms is not None:
            self._passed[time_ms] = raw
            if len(self._passed) * max(raw.width * raw.height * 3 // 2, 1) > PASSED_BYTES:
                self._passed.popitem(last=False)

    def _after_seek(self, index: int, back_ms: float, wanted_from_ms: float | None = None) -> Any | None:  # noqa: ANN401
        stream, wanted = self._stream(), self._pts[index]
        self._next = None
        try:
            self._container.seek(round((wanted - back_ms) / 1000 / stream.time_base), stream=stream)
        except OSError:  # a container without an index, or a time before its first frame
            return None
        self._passed.clear()
        self._coming = decoded(self._container, [], wanted_from_ms=wanted_from_ms)
        for raw in self._coming:
            self._pass(raw)
            time_ms = pts_ms(raw)
            if time_ms is None:
                self._timed = False
            if time_ms is None or time_ms > wanted:
                return None
            if time_ms == wanted:
                self._next = index + 1
                return raw
        return None

    def _from_start(self, index: int) -> Any | None:  # noqa: ANN401
        self._close()
        self._coming, self._next = decoded(self._opened(), []), 0
        return self._ahead(index)

    def _opened(self) -> Any:  # noqa: ANN401
        if self._container is None:
            self._container = open_video(self._path)
            video_stream(self._container).thread_type = "AUTO"
        return self._container

    def _stream(self) -> Any:  # noqa: ANN401
        return video_stream(self._opened())

    def _close(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container, self._coming, self._next = None, iter(()), None
        self._passed.clear()

    def _unavailable(self, index: int, problem: str) -> FrameUnavailable:
        return FrameUnavailable(index=index, name=self._path.name, problem=str(problem))
