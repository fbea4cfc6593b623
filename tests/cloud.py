"""Clouds on loopback: an S3 server with one bucket, and a Dask cluster whose workers are processes; both end with the block."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tests import needs
from tests.servers import answered, free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKET = "labels"
LOCAL = {"PYTHONPATH": str(needs.ROOT), "NO_PROXY": "127.0.0.1"}


@contextmanager
def s3(folder: Path) -> Iterator[dict[str, Any]]:
    """Give the storage options of an S3 server with an empty bucket `BUCKET`."""
    for name in ("s3fs", "moto", "flask_cors"):
        needs.need(find_spec(name), f"{name} is not installed; `pip install 'labelkit[test]'` brings it.")
    import s3fs

    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    options = {"key": "test", "secret": "test", "client_kwargs": {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "eu-west-1"}}

    def bucket() -> bool | None:
        try:
            s3fs.S3FileSystem(skip_instance_cache=True, **options).mkdir(BUCKET)
        except Exception:  # noqa: BLE001 - whatever a server says that is not up yet
            return None
        return True

    with running(command, cwd=folder, env=LOCAL, log=folder / "s3.log"):
        assert answered(bucket), (folder / "s3.log").read_text()
        yield options


@dataclass(frozen=True)
class Cluster:
    """A Dask cluster: a client of it, and the process ids of its workers."""

    client: Any

    def workers(self) -> list[int]:
        return sorted(self.client.run(os.getpid).values())

    @staticmethod
    def kill(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)


@contextmanager
def dask(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """Start a scheduler and workers by their command line."""
    needs.need(find_spec("distributed"), "distributed is not installed; `pip install 'labelkit[dask]'` brings it.")
    from distributed import Client

    file = folder / "scheduler.json"
    common = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", file]
    worker = ["--nthreads", "1", "--no-nanny", "--death-timeout", "30", "--local-directory", folder]
    with ExitStack() as stack:
        program = [sys.executable, "-m", "dask"]
        stack.enter_context(running([*program, "scheduler", "--port", "0", *common], cwd=folder, env=LOCAL, log=folder / "scheduler.log"))
        assert answered(lambda: file.exists() or None), (folder / "scheduler.log").read_text()
        for number in range(workers):
            log = folder / f"worker-{number}.log"
            stack.enter_context(running([*program, "worker", *common, *worker], cwd=folder, env=LOCAL, log=log))
        client = stack.enter_context(Client(scheduler_file=str(file), timeout=30, set_as_default=False))
        client.wait_for_workers(workers, timeout=30)
        yield Cluster(client)
