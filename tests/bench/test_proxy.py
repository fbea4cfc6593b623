from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.bench.proxy import LatencyProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

DELAY_S = 0.06
SLACK_S = 0.5  # a shared machine may be late, the proxy never early


@contextmanager
def echo_server() -> Iterator[int]:
    """A server that sends back what it gets and closes when its caller has finished sending."""

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while data := connection.recv(65_536):
                connection.sendall(data)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@contextmanager
def echo_through(delay_s: float) -> Iterator[socket.socket]:
    with (
        echo_server() as port,
        LatencyProxy(port, delay_s=delay_s) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection,
    ):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (chunk := connection.recv(65_536)):
        data += chunk
    return data


def test_a_byte_takes_the_delay_each_way():
    with echo_through(DELAY_S) as connection:
        # given a connection that is warm
        connection.sendall(b"warm")
        received(connection, 4)

        # when one byte goes there and back
        started = time.perf_counter()
        connection.sendall(b"x")
        assert received(connection, 1) == b"x"
        round_trip_s = time.perf_counter() - started

    # then it took twice the delay
    assert 2 * DELAY_S <= round_trip_s < 2 * DELAY_S + SLACK_S


def test_many_messages_under_way_wait_side_by_side():
    with echo_through(DELAY_S) as connection:
        # when fifty messages are sent one after the other, without waiting for answers
        started = time.perf_counter()
        for _ in range(50):
            connection.sendall(b"x")
            time.sleep(0.001)
        assert received(connection, 50) == b"x" * 50

        # then all are back after about one round trip, not after fifty
        assert time.perf_counter() - started < 2 * DELAY_S + 0.1 + SLACK_S


def test_bytes_keep_their_order_and_number():
    sent = b"".join(number.to_bytes(4) for number in range(200_000))
    with echo_through(0.005) as connection:
        # when more bytes than any buffer holds go there and back
        sender = threading.Thread(target=connection.sendall, args=(sent,))
        sender.start()
        back = received(connection, len(sent))
        sender.join(10)

    # then they are the same bytes
    assert back == sent


def test_the_end_of_a_connection_passes_through_after_its_last_byte():
    with echo_through(DELAY_S) as connection:
        # when the caller has sent its last byte
        connection.sendall(b"last")
        connection.shutdown(socket.SHUT_WR)

        # then the answer arrives whole, and the end after it
        assert received(connection, 4) == b"last"
        assert connection.recv(1) == b""


def test_a_target_that_nobody_listens_on_closes_the_connection():
    # given a port that was free a moment ago
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    # when somebody connects through the proxy
    with LatencyProxy(port, delay_s=0) as proxy, socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        # then the connection ends without a byte
        assert connection.recv(1) == b""


def test_ends_that_vanish_without_a_farewell_harm_nobody_else(caplog):
    with echo_server() as port, LatencyProxy(port, delay_s=DELAY_S) as proxy:
        # given twenty connections with bytes under way in both directions
        connections = [socket.create_connection(("127.0.0.1", proxy.port), timeout=10) for _ in range(20)]
        for connection in connections:
            connection.sendall(b"under way")
        time.sleep(DELAY_S / 3)
        # when half of them are reset and the others closed without waiting for the answer, as by a browser that leaves a page
        for number, connection in enumerate(connections):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", number % 2, 0))
            connection.close()
        # then the next one is served
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
            connection.sendall(b"next")
            assert received(connection, 4) == b"next"
        time.sleep(3 * DELAY_S)
    # and nothing was left for the event loop to complain about
    assert caplog.records == []


def test_leaving_the_block_closes_what_is_open():
    with echo_server() as port:
        # given a connection through the proxy
        with LatencyProxy(port, delay_s=DELAY_S) as proxy:
            connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
            connection.sendall(b"x")
            assert received(connection, 1) == b"x"
        # when the proxy has gone; then the connection has ended and nobody listens there
        with connection:
            assert connection.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
