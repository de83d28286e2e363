"""INSERT that yields to a row that is already there, on both engines."""

from __future__ import annotations

import functools
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.db import Session
from bot.store.prepared import Prepared


def insert_once(session: Session, table: Table, **values: Any) -> Any | None:
    """Insert and give the row's key; None when a unique constraint already holds one like it.

    On PostgreSQL a rival transaction that holds the same key is waited for, so None is final.
    RETURNING tells which it was: rowcount after ON CONFLICT cannot be trusted there.
    """
    row = _once(table, session.dialect.name, tuple(values)).row(session, values)
    return None if row is None else row[0]


@functools.cache
def _once(table: Table, dialect: str, _names: tuple[str, ...]) -> Prepared:
    # Built once a table: every command and every piece of work goes through it.
    key = next(iter(table.primary_key))
    if dialect == "postgresql":
        return Prepared(postgresql.insert(table).on_conflict_do_nothing().returning(key))
    return Prepared(sqlite.insert(table).on_conflict_do_nothing().returning(key))


def insert_or_update(session: Session, table: Table, key: str, **values: Any) -> None:
    """Insert, or overwrite the row that has the same `key`."""
    rest = {name: value for name, value in values.items() if name != key}
    if session.dialect.name == "postgresql":
        postgres = postgresql.insert(table).values(**values)
        session.execute(postgres.on_conflict_do_update(index_elements=[key], set_=rest))
        return
    lite = sqlite.insert(table).values(**values)
    session.execute(lite.on_conflict_do_update(index_elements=[key], set_=rest))
