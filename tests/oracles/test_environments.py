"""Environments of other libraries: made once, whoever asks, and asked by one program."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import needs
from tests.oracles import environments


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def asked_by_another_process(requirements) -> str:
    code = f"from pathlib import Path; from tests.oracles import environments; print(environments.made(Path({str(requirements)!r})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=needs.ROOT, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.strip() + done.stderr.count("installing") * " made"


def test_two_processes_that_ask_at_once_get_one_environment(tmp_path):
    # given
    requirements = tmp_path / "nothing.txt"
    requirements.write_text("# nothing at all\n", encoding="utf-8")
    # when
    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(asked_by_another_process, [requirements] * 2))
    # then
    assert [answer.endswith(" made") for answer in answers] == [False, True]
    assert answers[1] == f"{answers[0]} made"
    assert subprocess.run([answers[0], "-c", ""], timeout=60, check=False).returncode == 0


def test_requirements_that_nobody_has_give_no_environment_and_say_why(tmp_path, monkeypatch, capsys):
    # given
    monkeypatch.setattr(environments, "HERE", tmp_path)
    (tmp_path / "formats.txt").write_text("./there-is-no-such-folder\n", encoding="utf-8")
    monkeypatch.delenv(needs.REQUIRE_ALL, raising=False)
    # when
    with pytest.raises(pytest.skip.Exception) as skipped:
        environments.python("formats")
    # then nothing was tried: nobody asked for it
    assert capsys.readouterr().err == ""
    assert "python -m tests.oracles.environments" in str(skipped.value)
    # and when everything is required
    monkeypatch.setenv(needs.REQUIRE_ALL, "1")
    with pytest.raises(pytest.fail.Exception) as failed:
        environments.python("formats")
    assert "formats.txt cannot be installed here" in capsys.readouterr().err
    assert "tests/oracles/formats.txt" in str(failed.value)
