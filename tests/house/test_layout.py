"""The shape of the repository: what may stand at its top, how long a module may be, what may not be left in it."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from tests import needs

TOP = {"LICENSE", "README.md", "binder", "labelkit", "notebooks", "pyproject.toml", "tests", "widgets"}
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|NotImplemented(Error)?)\b")


def tracked(*patterns: str) -> list[str]:
    """The files that git knows, or none outside a checkout; whoever owns the folder."""
    done = needs.run("git", "-c", "safe.directory=*", "ls-files", "--", *patterns, cwd=needs.ROOT)
    return done.stdout.split()


def test_git_lists_the_files_that_the_tests_below_read():
    needs.need((needs.ROOT / ".git").exists(), "This is no git checkout, so there is no list of tracked files.")
    assert "labelkit/__init__.py" in tracked("labelkit/*.py")


def test_the_top_of_the_repository_holds_only_what_a_reader_expects():
    assert {name.split("/")[0] for name in tracked() if not name.startswith(".")} <= TOP


@pytest.mark.parametrize("name", tracked("labelkit/*.py", "widgets/*.js"))
def test_a_module_holds_one_idea_and_nothing_unfinished(name):
    text = (needs.ROOT / name).read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert not LEFTOVER.search(text)


@pytest.mark.parametrize("name", tracked("labelkit/*.py"))
def test_every_module_says_in_its_first_line_what_it_is(name):
    # the README's map of modules is made of these lines
    text = (needs.ROOT / name).read_text(encoding="utf-8")
    assert re.match(r'r?"""[A-Z`][^\n]{10,}[.:;]', text)


def test_the_core_install_stays_lean(repository):
    # given
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    # then CI can build a dataset without a server, data-frame or science stack that it does not use
    names = {re.match(r"[\w.-]+", line)[0].lower() for line in project["dependencies"]}
    assert not names & {"jupyterlab", "notebook", "pandas", "pyarrow", "scipy", "matplotlib", "torch"}


@pytest.mark.parametrize("name", tracked("*.ipynb"))
def test_a_notebook_is_committed_without_outputs(name):
    # given
    notebook = json.loads((needs.ROOT / name).read_text(encoding="utf-8"))

    # then
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[] for _ in code]
    assert {cell["execution_count"] for cell in code} <= {None}
    assert "widgets" not in notebook["metadata"]
