"""Environments with libraries of others, made on demand and kept outside the repository, for tests and benchmarks alike."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests import needs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
INSTALLATION_S = 900
READING_S = 240
READERS = {
    "datumaro": ("datumaro",),
    "formats": ("croissant", "huggingface", "labelstudio", "supervision", "tfrecord", "webdataset"),
}


def cached(name: str) -> Path:
    """Return the path of that name in the cache of tests and benchmarks, whose folder is there; it may be deleted at any time."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "labelkit-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


@cache
def made(requirements: Path) -> Path | None:
    """Return the interpreter of an environment that holds these requirements, None where it cannot be made here (and say why, once).

    Of processes that ask at once, one makes it and the others wait.
    """
    folder = _folder(requirements)
    interpreter = folder / "bin" / "python"
    done = folder / "complete"
    with _alone(folder.with_suffix(".lock")):
        if done.exists():
            return interpreter
        _say(f"installing {requirements.name} into {folder} (once; up to a few minutes)")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
            _install(interpreter, requirements)
        except (OSError, subprocess.SubprocessError) as error:
            _say(f"{requirements.name} cannot be installed here: {_reason(error)}")
            return None
        done.touch()
        return interpreter


def python(name: str) -> Path:
    """Return the interpreter of `formats` or `datumaro`; where there is none, the test is skipped or fails, as `tests.needs` says.

    Only where everything is required is it made in passing: it is large, and nobody who just runs the tests asked for it.
    """
    requirements = HERE / f"{name}.txt"
    there = needs.all_required() or (_folder(requirements) / "complete").exists()
    needs.need(there, f"The libraries of tests/oracles/{name}.txt are not installed; `python -m tests.oracles.environments` does it.")
    found = made(requirements)
    needs.need(found, f"What tests/oracles/{name}.txt names cannot be installed here.")
    return Path(str(found))


def read(name: str, asked: Mapping[str, tuple[str, Path, dict[str, object]]]) -> dict[str, list[dict[str, object]]]:
    """Return what libraries of the environment `name` read, by the keys of `asked`: reader (a module `read_READER`), folder, options.

    The interpreter starts once for all of them. What a library refuses to read fails the test with the end of its traceback.
    """
    request = json.dumps({key: [reader, str(folder), options] for key, (reader, folder, options) in asked.items()})
    program = [str(python(name)), str(HERE / "read.py")]
    done = subprocess.run(program, input=request, capture_output=True, text=True, timeout=READING_S, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def _folder(requirements: Path) -> Path:
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    return cached(f"peers-{digest}")


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(interpreter: Path, requirements: Path) -> None:
    """Install by uv where it is at hand, which takes a tenth of pip's time; by pip where it is not, or where uv finds no way."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv:
        try:
            return _run(uv, "pip", "install", "--quiet", "--python", str(interpreter), "--requirement", str(requirements))
        except (OSError, subprocess.SubprocessError) as error:
            _say(f"uv did not install {requirements.name}, pip tries: {_reason(error)}")
    pip = (sys.executable, "-m", "pip", "--python", str(interpreter), "--disable-pip-version-check", "--quiet")
    return _run(*pip, "install", "--requirement", str(requirements))


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALLATION_S, stdin=subprocess.DEVNULL)


def _reason(error: Exception) -> str:
    stderr = getattr(error, "stderr", None)
    return stderr.strip().splitlines()[-1] if stderr and stderr.strip() else str(error)


def _warm(interpreter: Path, readers: tuple[str, ...]) -> None:
    """Import what the readers import, so that Python has compiled these thousands of modules before the tests wait for them."""
    imports = "; ".join(f"import read_{reader}" for reader in readers)
    program = f"import sys, warnings; warnings.simplefilter('ignore'); sys.path.insert(0, {str(HERE)!r}); {imports}"
    subprocess.run([str(interpreter), "-c", program], check=False, capture_output=True, timeout=READING_S, stdin=subprocess.DEVNULL)


if __name__ == "__main__":  # python -m tests.oracles.environments: make all that tests need, at once
    interpreters = {file: made(file) for file in sorted(HERE.glob("*.txt"))}
    for file, interpreter in interpreters.items():
        if interpreter is not None:
            _warm(interpreter, READERS.get(file.stem, ()))
    missing = [file.name for file, interpreter in interpreters.items() if interpreter is None]
    sys.exit(f"not made: {', '.join(missing)}" if missing else 0)
