"""The commands of the README and of CI: the same strings in both, whole in themselves."""

from __future__ import annotations

import re

import pytest

from tests import needs

DEMO, TEST = "bash .ci/demo", "bash .ci/test"


@pytest.mark.parametrize("name", ["demo", "environment", "run", "test"])
def test_every_script_is_valid_bash(name):
    done = needs.run("bash", "-n", needs.ROOT / ".ci" / name)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readme_shows_the_two_commands_each_as_a_block_of_its_own(repository):
    blocks = re.findall(r"^```\n(.*?)\n```$", (repository / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert blocks[:2] == [DEMO, TEST]


def test_ci_runs_the_tests_by_the_command_of_the_readme_and_lets_no_skip_pass(repository):
    script = (repository / ".ci" / "run").read_text(encoding="utf-8")
    assert TEST in script
    assert "export LABELKIT_REQUIRE_ALL=1" in script


@pytest.mark.parametrize(
    ("value", "outcome"),
    [pytest.param("", "1 skipped", id="a person's machine: skipped"), pytest.param("1", "1 failed", id="everything required: failed")],
)
def test_what_is_missing_is_a_skip_or_a_failure_with_its_sentence(tmp_path, value, outcome):
    # given a test that needs data which is not there
    (tmp_path / "test_it.py").write_text("def test_it(real_data):\n    real_data('no_such_data')\n")

    # when
    done = needs.run(
        "pytest",
        "-q",
        "-ra",
        "-p",
        "tests.conftest",
        "--rootdir",
        needs.ROOT,
        "-c",
        needs.ROOT / "pyproject.toml",
        tmp_path / "test_it.py",
        cwd=needs.ROOT,
        env={needs.REQUIRE_ALL: value, "PYTHONPATH": str(needs.ROOT)},
    )

    # then
    assert outcome in done.stdout
    assert "The real data set 'no_such_data' is not in" in done.stdout
