"""The environment of the peers, made on demand outside the repository, and a cache for data that take long to make."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("peers.txt")
VERSION_CONTROL = Path(__file__).with_name("peers_versions.txt")  # of their own: they want other releases of the same libraries
INSTALLATION_S = 900


def cached(name: str) -> Path:
    """Return the path of that name in the benchmarks' cache, whose folder is there afterwards; it may be deleted at any time."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "labelkit-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


@cache
def python(requirements: Path = REQUIREMENTS) -> Path | None:
    """Return the interpreter of an environment that holds these requirements, None where it cannot be made here (and say why, once)."""
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cached(f"peers-{digest}")
    interpreter = folder / "bin" / "python"
    done = folder / "complete"
    if done.exists():
        return interpreter
    print(f"installing the peers into {folder} (once; a few minutes)", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", str(requirements))
    except (OSError, subprocess.SubprocessError) as error:
        print(f"the peers cannot be installed here and are left out: {_reason(error)}", file=sys.stderr)
        return None
    done.touch()
    return interpreter


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALLATION_S, stdin=subprocess.DEVNULL)


def _reason(error: Exception) -> str:
    stderr = getattr(error, "stderr", None)
    return stderr.strip().splitlines()[-1] if stderr and stderr.strip() else str(error)
