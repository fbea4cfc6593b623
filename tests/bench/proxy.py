"""A TCP proxy on loopback that makes a connection as slow as a distant one: a delay each way, no loss, no bandwidth limit."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Self

_CHUNK = 65_536
_START_S = 10.0


class LatencyProxy:
    """In its block, `port` on loopback leads to `target` on loopback; every byte arrives `delay_s` later than it was sent, each way.

    Opening a connection costs nothing extra, so the first request pays one round trip, not two as on a real line. With `delay_s` 0 it
    is only a hop, so that runs with and without delay differ in the delay alone.
    """

    def __init__(self, target: int, *, delay_s: float) -> None:
        self.target = target
        self.delay_s = delay_s
        self.port = 0
        self._ready = threading.Event()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="latency-proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise TimeoutError(f"the proxy to port {self.target} did not start in {_START_S:g} s")
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        try:
            server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        except OSError as error:
            self._error = error
            self._ready.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _carry(self, near_reader: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        """Carry both directions of a connection until both ends have finished."""
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            near_writer.close()  # nobody listens behind us: the caller sees a closed connection
            return
        try:
            await asyncio.gather(self._pump(near_reader, far_writer), self._pump(far_reader, near_writer))
        finally:
            for writer in (near_writer, far_writer):
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on, each chunk when its delay is over; chunks wait side by side, so the delay does not limit the rate."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sender = asyncio.create_task(self._send(waiting, writer))
        try:
            while True:
                try:
                    chunk = await reader.read(_CHUNK)
                except OSError:  # the near end is gone without a farewell
                    chunk = b""
                waiting.put_nowait((self._loop.time() + self.delay_s, chunk))
                if not chunk:
                    await sender
                    return
        finally:
            sender.cancel()

    async def _send(self, waiting: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # the far end is gone: what is still under way has no reader
            while True:
                due, chunk = await waiting.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if not chunk:
                    if writer.can_write_eof():
                        writer.write_eof()
                    return
                writer.write(chunk)
                await writer.drain()
