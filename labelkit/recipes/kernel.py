"""The kernel of a run: it is told which run it is, and when it dies its manager knows of what."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import AsyncKernelManager

if TYPE_CHECKING:
    from collections.abc import Mapping


class Death:
    """How a kernel's process ended, once it has: `status` is its exit code, negative for a signal."""

    status: int | None = None

    def __str__(self) -> str:
        if self.status is None:
            return "it does not answer"
        if self.status >= 0:
            return f"its process ended with the exit code {self.status}"
        name = str(-self.status)
        with suppress(ValueError):
            name = signal.Signals(-self.status).name
        if name == "SIGKILL":
            return "it was killed (SIGKILL), as a machine or a container does with what takes too much memory"
        return f"it was ended by the signal {name}"


def manager(environment: Mapping[str, str], death: Death) -> type[AsyncKernelManager]:
    """Return the class of a manager whose kernel has this environment beside its parent's, and which tells `death` how it ended."""

    class Manager(AsyncKernelManager):
        """Manages the kernel of one run."""

        # The class above has these two as coroutines, which its own base declares as plain functions.
        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]  # noqa: ANN401  # passed on
            await super().start_kernel(env={**os.environ, **environment}, **options)

        async def is_alive(self) -> bool:  # type: ignore[override]
            alive = bool(await super().is_alive())
            if not alive and self.provisioner is not None:
                death.status = await self.provisioner.poll()
            return alive

    return Manager
