"""A Unity Catalog on this machine: a small server that answers the two REST calls by which polars finds a table and its credentials."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "dapi-0123456789abcdef"
TABLES = "/api/2.1/unity-catalog/tables/"
CREDENTIALS = "/api/2.1/unity-catalog/temporary-table-credentials"


@dataclass
class Unity:
    """What the server knows: tables by full name, each a format and a place; and what it was asked."""

    url: str
    tables: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    garbled: bool = False
    quiet: threading.Event = field(default_factory=threading.Event)
    is_quiet: bool = False

    def answer(self, path: str, who: str | None) -> tuple[int, object]:
        """The status and the JSON of an answer."""
        name = path.removeprefix(TABLES)
        if who != f"Bearer {TOKEN}":
            return 401, {"error_code": "UNAUTHENTICATED", "message": f"no: {who}"}
        if self.status != 200:
            return self.status, {"error_code": "NO", "message": "no"}
        if path == CREDENTIALS:
            return 200, {}
        if name not in self.tables:
            return 404, {"error_code": "TABLE_DOES_NOT_EXIST", "message": name}
        return 200, ["garbled", TOKEN] if self.garbled else self.info(name)

    def info(self, name: str) -> dict[str, object]:
        catalog, schema, table = name.split(".")
        kind, place = self.tables[name]
        told = {"name": table, "catalog_name": catalog, "schema_name": schema, "table_type": "EXTERNAL", "data_source_format": kind}
        times = {"created_at": 1_700_000_000_000, "updated_at": 1_700_000_000_000}
        return {**told, **times, "storage_location": place, "table_id": f"id-{table}", "columns": [], "properties": {}}


@contextmanager
def serving() -> Iterator[Unity]:
    """Answer on a free port of this machine in the block."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self.answer(self.path.partition("?")[0])

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.answer(self.path)

        def answer(self, path: str) -> None:
            unity.asked.append(path)
            if unity.is_quiet:
                unity.quiet.wait(20)
            self.say(*unity.answer(path, self.headers.get("authorization")))

        def say(self, status: int, told: object) -> None:
            data = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    unity = Unity(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield unity
    finally:
        unity.quiet.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
