"""`import labelkit`: quick, complete, and typed."""

from __future__ import annotations

import pytest

import labelkit
from tests import needs

HEAVY = (
    "PIL",
    "anywidget",
    "duckdb",
    "fsspec",
    "ipycanvas",
    "ipywidgets",
    "numpy",
    "papermill",
    "polars",
    "pydantic",
    "rich",
    "typer",
    "yaml",
)


def test_importing_labelkit_loads_nothing_heavy():
    # given a fresh interpreter; when it imports labelkit
    done = needs.python(f"import sys, labelkit; print(*[name for name in {HEAVY} if name in sys.modules])")

    # then none of the heavy libraries came with it
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", labelkit.__all__)
def test_every_public_name_loads_at_first_use(name):
    # when a name is asked for in a fresh interpreter, as its only use of labelkit
    done = needs.python(f"import labelkit; print(labelkit.{name} is getattr(labelkit, {name!r}))")

    # then it is there, and the second look gives the same thing
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'labelkit' has no attribute 'oepn'"):
        labelkit.oepn  # noqa: B018


def test_tab_completion_offers_exactly_the_public_names():
    assert dir(labelkit) == sorted(labelkit.__all__)


def test_the_package_says_that_it_is_typed(repository):
    assert (repository / "labelkit" / "py.typed").is_file()
