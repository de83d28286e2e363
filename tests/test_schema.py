"""The migrations make exactly the tables that the code speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import shipped
from bot.store import schema
from bot.store.db import Database
from tests import postgres
from tests.conftest import missing


def empty_database(engine: str, folder: Path) -> str:
    if engine == "sqlite":
        return f"sqlite:///{folder / 'lantern.db'}"
    try:
        return postgres.new_database(postgres.shared_cluster(), is_empty=True)
    except postgres.NoPostgres as absent:
        missing(f"PostgreSQL is not installed: {absent}.")
        raise AssertionError("unreachable") from absent


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_migrations_make_the_tables_of_the_code(engine: str, tmp_path: Path) -> None:
    db = Database(empty_database(engine, tmp_path))
    try:
        schema.migrate(db, shipped("migrations"))
        with db.engine.connect() as connection:
            assert schema.differences(connection) == []
        assert schema.is_current(db, shipped("migrations"))
    finally:
        db.close()


def test_a_new_database_is_not_current_and_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/lantern.db")
    try:
        assert not schema.is_current(db, shipped("migrations"))
        schema.migrate(db, shipped("migrations"))
        schema.migrate(db, shipped("migrations"))
        assert schema.is_current(db, shipped("migrations"))
    finally:
        db.close()
