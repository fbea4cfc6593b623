"""What a test needs from the machine. Where it is missing the test is skipped with a sentence, or fails when everything is required.

`LABELKIT_REQUIRE_ALL=1` is the one variable that turns each such skip into a failure: CI sets it, so that nothing is skipped unseen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REQUIRE_ALL = "LABELKIT_REQUIRE_ALL"
REAL_DATA = "LABELKIT_REAL_DATA"


def all_required() -> bool:
    """Say whether what is missing is a failure and no skip."""
    return os.environ.get(REQUIRE_ALL) == "1"


def need(condition: object, sentence: str) -> None:
    """Go on when `condition` holds; else skip with `sentence`, or fail with it when `LABELKIT_REQUIRE_ALL` is 1."""
    if condition:
        return
    if all_required():
        pytest.fail(f"{sentence} ({REQUIRE_ALL}=1 makes this a failure.)", pytrace=False)
    pytest.skip(sentence)


def real_data_path(name: str) -> Path:
    """Return the folder of a real data set: below `LABELKIT_REAL_DATA`, else in `shared/data` beside the repository."""
    base = Path(os.environ.get(REAL_DATA) or ROOT.parent / "shared" / "data")
    found = base / name
    need(found.is_dir(), f"The real data set {name!r} is not in {base}; set {REAL_DATA} to the folder that holds it.")
    return found


def chromium() -> str:
    """Return the path of a Chromium that tests may start."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("LABELKIT_CHROMIUM") or next((path for path in map(shutil.which, names) if path), None)
    need(found, "No Chromium is on the PATH; install the package chromium, or set LABELKIT_CHROMIUM to one.")
    return str(found)


def from_npm(path: str) -> Path:
    """Return a file that `npm install` puts into widgets/node_modules. Without npm it is never required, also in CI."""
    found = ROOT / "widgets" / "node_modules" / path
    if not found.exists() and shutil.which("npm") is None:
        pytest.skip(f"npm is not installed, so there is no {path}.")
    need(found.exists(), f"There is no {path}; run `npm install` in widgets/.")
    return found


def tsc() -> Path:
    """Return the TypeScript compiler that checks the types of the browser halves."""
    return from_npm(".bin/tsc")


def axe() -> Path:
    """Return the script of the accessibility checker."""
    return from_npm("axe-core/axe.min.js")


def root_user() -> None:
    """Go on only as root, which mounting and changing owners need."""
    need(hasattr(os, "geteuid") and os.geteuid() == 0, "This test mounts or changes owners, which only root may do.")


def run(
    *command: str | Path, cwd: Path | None = None, timeout_s: float = 120, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program without standard input and return its code and texts; the environment is this one with `env` added."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def python(
    code: str, *, arguments: tuple[str, ...] = (), cwd: Path | None = None, timeout_s: float = 120, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter of this environment, as `run` does."""
    return run(sys.executable, "-c", code, *arguments, cwd=cwd, timeout_s=timeout_s, env=env)
