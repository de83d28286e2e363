"""What every test may ask for: a database on both engines, a stand-in workspace, a house beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bot.standin.server import Standin
from tests import postgres
from tests.houses import Town


@cache
def _shares_a_town(path: Path) -> bool:
    return 'scope="module"' in path.read_text(encoding="utf-8")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what their module starts stay together: one worker starts it, once, and in one order."""
    for item in items:
        if _shares_a_town(item.path) and item.get_closest_marker("xdist_group") is None:
            params = (
                item.callspec.params
                if isinstance(item, pytest.Function) and hasattr(item, "callspec")
                else {}
            )
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}:{params.get('town', '')}"))


def missing(sentence: str) -> None:
    """A part of the machine is missing: skip here, fail where everything must be there (CI)."""
    if os.environ.get("CI"):
        pytest.fail(f"{sentence} In CI this is a failure.")
    pytest.skip(sentence)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database, once on each engine: no file yet on SQLite, this version's tables on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'lantern.db'}"
    try:
        return postgres.new_database(postgres.shared_cluster())
    except postgres.NoPostgres as absent:
        missing(f"PostgreSQL is not installed: {absent}.")
        raise AssertionError("unreachable") from absent


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'lantern.db'}"


@pytest.fixture(params=["socket", "http"])
def transport(request: pytest.FixtureRequest) -> str:
    """Both ways in from Slack."""
    return str(request.param)


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    """A stand-in workspace with Lantern in it, over Socket Mode, on SQLite."""
    with Town(sqlite_url) as here:
        yield here


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin() as here:
        yield here
