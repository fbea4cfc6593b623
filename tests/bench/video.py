"""Seeking in ten minutes of 1280 x 720 H.264 with B-frames, a keyframe every ten seconds: any frame, the next, the one before."""

from __future__ import annotations

import io
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from PIL import Image

from labelkit.media.decoding import jpeg_of
from labelkit.media.video import VideoReader, read_video
from tests.bench import peers
from tests.bench.harness import Goal, Reading, Row, Times, alternate, row, timed

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 5
WIDTH, HEIGHT, RATE = 1280, 720, 25
FRAMES, QUICK_FRAMES = 600 * RATE, 12 * RATE
SEEKS, QUICK_SEEKS = 200, 4
BITS, SIDE = 16, 16  # each frame shows its index, a bit a square
TICKS = 12_800  # a second
STEPS = {"steady": (512,), "variable rate": (256, 512, 1024, 512, 640)}  # ticks from frame to frame
GOAL = Goal("p95", 0.3)


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure both files; every picture that was read must show the index that was asked for."""
    frames, seeks = (QUICK_FRAMES, QUICK_SEEKS) if quick else (FRAMES, SEEKS)
    with tempfile.TemporaryDirectory(prefix="labelkit-bench-") as folder:
        return [line for kind in STEPS for line in _measured(kind, _file(Path(folder), kind, frames, quick=quick), frames, seeks)]


def _file(folder: Path, kind: str, frames: int, *, quick: bool) -> Path:
    name = f"video-{frames}-{kind.replace(' ', '-')}.mp4"
    file = folder / name if quick else peers.cached(name)
    if not file.exists():
        made = write(file.with_suffix(".part.mp4"), frames, STEPS[kind])
        made.rename(file)
    return file


def write(file: Path, frames: int, steps: tuple[int, ...]) -> Path:
    """Return `file`, which then holds that many pictures of little motion; each shows its index."""
    random = np.random.default_rng(SEED)
    field = np.kron(random.integers(60, 180, (HEIGHT // SIDE, WIDTH // SIDE), dtype=np.uint8), np.ones((SIDE, SIDE), np.uint8))
    still = np.concatenate([field, np.full((HEIGHT // 2, WIDTH), 128, np.uint8)])
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        stream.options = {"preset": "ultrafast", "x264-params": f"bframes=3:keyint={10 * RATE}:scenecut=0"}
        stream.thread_type = "AUTO"
        ticks = 0
        for index in range(frames):
            picture = still.copy()
            left, top = index * 3 % (WIDTH - 64), 64 + index * 2 % (HEIGHT - 128)
            picture[top : top + 64, left : left + 64] = 235
            for bit in range(BITS):
                picture[:SIDE, bit * SIDE : (bit + 1) * SIDE] = 235 if index >> bit & 1 else 16
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = ticks, Fraction(1, TICKS)
            ticks += steps[index % len(steps)]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file


def shown(jpeg: bytes) -> int:
    """Return the index that a picture shows."""
    with Image.open(io.BytesIO(jpeg)) as image:
        squares = np.asarray(image.convert("L"))[SIDE // 2, SIDE // 2 : BITS * SIDE : SIDE]
    return sum(int(light > 128) << bit for bit, light in enumerate(squares))


def _measured(kind: str, file: Path, frames: int, seeks: int) -> list[Row]:
    listed: list[Any] = []
    reading = timed(lambda: listed.append(read_video(file).to_polars()))()
    table = listed[0]
    random = Random(SEED)
    wanted = random.sample(range(frames), seeks)
    start = random.randrange(frames // 3, frames // 2)
    worked: list[float] = []

    def ours_of(index: int) -> tuple[int, bytes]:
        started = time.process_time()
        jpeg = reader.frame(index)
        worked.append(time.process_time() - started)
        return index, jpeg

    with VideoReader(file, table) as reader, av.open(str(file)) as plain:
        plain.streams.video[0].thread_type = "AUTO"
        times = table["pts_ms"].to_list()
        ours, naive = iter(wanted), iter(wanted)
        both = alternate(
            {
                "ours": _checked(lambda: ours_of(next(ours))),
                "peer": _checked(lambda: (index := next(naive), _plainly(plain, times[index]))),
            },
            repetitions=seeks - 1,
        )
        forwards = [_checked(lambda index=index: (index, reader.frame(index)))() for index in range(start, start + seeks // 2)]
        back = range(start + frames // 3, start + frames // 3 - seeks // 2, -1)
        backwards = [_checked(lambda index=index: (index, reader.frame(index)))() for index in back]
    slowest = f"slowest {max(both['ours'].seconds) * 1000:.0f} ms of {seeks}; of processor time {max(worked) * 1000:.0f} ms"
    peer = ("PyAV: seek, decode up to the time", both["peer"])
    return [
        row(f"any frame, {kind}", both["ours"], peer=peer, goal=GOAL, note=slowest),
        row(f"next frame, {kind}", Times(tuple(forwards)), goal=GOAL, note="the first one after a jump included"),
        row(f"frame before, {kind}", Times(tuple(backwards)), goal=GOAL, note="the first one after a jump included"),
        row(f"bring it in, {kind}", Times((reading,)), note=f"{frames:,} frames decoded, a digest each"),
    ]


def _checked(work: Callable[[], tuple[int, bytes]]) -> Callable[[], Reading]:
    """Return a side that measures `work` and refuses a picture of another frame."""

    def side() -> Reading:
        found: list[tuple[int, bytes]] = []
        reading = timed(lambda: found.append(work()))()
        index, jpeg = found[0]
        if shown(jpeg) != index:
            raise AssertionError(f"frame {index} was asked for, {shown(jpeg)} came")
        return reading

    return side


def _plainly(container: Any, time_ms: float) -> bytes:
    stream = container.streams.video[0]
    container.seek(round(time_ms / 1000 / stream.time_base), stream=stream)
    return jpeg_of(next(frame for frame in container.decode(stream) if float(frame.pts * frame.time_base * 1000) >= time_ms))
