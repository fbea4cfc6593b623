"""Fixtures for every test: what the machine must have, and a home of its own for Jupyter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# A property is about values, not about how busy the machine is. Whoever runs the tests searches with new values each time. Where every test
# is required the values are the same each time, so that a change is judged by what it does; what a search finds becomes a test of its own.
settings.register_profile("labelkit", deadline=None, derandomize=needs.all_required(), suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("labelkit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first: several processes share the files, and none should be left with a long one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def repository() -> Path:
    return needs.ROOT


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """`real_data("soccer_players")` is the folder of that data set; without it the test is skipped with a sentence."""
    return needs.real_data_path


@pytest.fixture(scope="session")
def chromium_path() -> str:
    return needs.chromium()


@pytest.fixture(scope="session")
def tsc() -> Path:
    return needs.tsc()


@pytest.fixture
def as_root() -> None:
    needs.root_user()


@pytest.fixture
def artifacts() -> Path:
    """A folder whose files CI keeps: screenshots, figures, executed notebooks."""
    folder = needs.ROOT / ".ci" / "artifacts"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def a_store_in_memory() -> Iterator[None]:
    """The instance that stores in memory share lasts as long as the tests: to make one costs as much as a store."""
    from labelkit.store.database import Database

    with Database.open(":memory:", user="nobody"):
        yield


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Jupyter, IPython and labelkit find a home of their own: a test never reads or writes the settings of whoever runs it."""
    import os

    home = tmp_path_factory.mktemp("home")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        os.environ[name] = str(home / name.lower())
    os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    os.environ.pop("LABELKIT_USER", None)
