"""Bringing the database to this version's schema, and saying whether it is there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.store import tables, work_tables
from bot.store.db import Database
from bot.store.metadata import metadata

__all__ = ["differences", "is_current", "migrate", "tables", "work_tables"]

#: Two replicas that start at once must not both migrate ("lantern" in ASCII, cut to 63 bits).
_LOCK = 0x6C616E7465726E


def _config(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def migrate(db: Database, folder: Path) -> None:
    """Run all migrations of `folder` that have not run. Safe when several replicas start at once."""
    config = _config(folder)
    with db.engine.connect() as connection:
        if db.dialect == "postgresql":
            connection.execute(text("SET lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
        try:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            if db.dialect == "postgresql":
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                connection.commit()
                # The session's lock_timeout was changed; no one else should inherit it.
                connection.invalidate()


def is_current(db: Database, folder: Path) -> bool:
    """True when every migration of the folder has run."""
    head = ScriptDirectory.from_config(_config(folder)).get_current_head()
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def differences(connection: Connection) -> list[str]:
    """What the tables in the code have and the database lacks, or the other way round; [] when they agree."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [str(one) for one in compare_metadata(context, metadata)]
