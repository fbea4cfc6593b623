"""What the benchmarks measure labelkit beside: environments with the peers, and a cache for data that take long to make."""

from __future__ import annotations

from pathlib import Path

from tests.oracles import environments
from tests.oracles.environments import cached, made

__all__ = ["DATUMARO", "FORMATS", "REQUIREMENTS", "VERSION_CONTROL", "cached", "python"]

REQUIREMENTS = Path(__file__).with_name("peers.txt")
VERSION_CONTROL = Path(__file__).with_name("peers_versions.txt")  # of their own: they want other releases of the same libraries
FORMATS, DATUMARO = (environments.HERE / f"{name}.txt" for name in ("formats", "datumaro"))


def python(requirements: Path = REQUIREMENTS) -> Path | None:
    """Return the interpreter of an environment that holds these requirements, None where it cannot be made here (and say why, once)."""
    return made(requirements)
