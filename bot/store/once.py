"""INSERT that yields to a row that is already there, on both engines."""

from __future__ import annotations

import functools
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.db import Session
from bot.store.prepared import Prepared


def insert_once(session: Session, table: Table, **values: Any) -> Any | None:
    """Insert and give the row; None when a unique constraint already holds one like it.

    On PostgreSQL a rival transaction that holds the same key is waited for, so None is final.
    RETURNING tells which it was: rowcount after ON CONFLICT cannot be trusted there.
    """
    return session.execute(_once(table, session.dialect.name), values).one_or_none()


def is_first(session: Session, table: Table, **values: Any) -> bool:
    """Insert; False when a unique constraint already holds a row like it. Each table's `values` have the same names."""
    return _first(table, session.dialect.name).row(session, values) is not None


@functools.cache
def _first(table: Table, dialect: str) -> Prepared:
    key = next(iter(table.primary_key))
    if dialect == "postgresql":
        return Prepared(postgresql.insert(table).on_conflict_do_nothing().returning(key))
    return Prepared(sqlite.insert(table).on_conflict_do_nothing().returning(key))


@functools.cache
def _once(table: Table, dialect: str) -> Executable:
    # Built once a table: every command and every piece of work goes through it.
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing().returning(*table.c)
    return sqlite.insert(table).on_conflict_do_nothing().returning(*table.c)


def insert_or_update(session: Session, table: Table, key: str, **values: Any) -> None:
    """Insert, or overwrite the row that has the same `key`."""
    rest = {name: value for name, value in values.items() if name != key}
    if session.dialect.name == "postgresql":
        postgres = postgresql.insert(table).values(**values)
        session.execute(postgres.on_conflict_do_update(index_elements=[key], set_=rest))
        return
    lite = sqlite.insert(table).values(**values)
    session.execute(lite.on_conflict_do_update(index_elements=[key], set_=rest))
