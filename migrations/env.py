"""Alembic's environment. Run by `lantern migrate`, which hands over an open connection."""

from __future__ import annotations

from alembic import context

from bot.store import schema, tables, work_tables  # noqa: F401  (the tables fill the metadata)
from bot.store.metadata import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters a table by making it anew.
    render_as_batch=True,
    transaction_per_migration=True,
    on_version_apply=schema.note_works_with,
)
with context.begin_transaction():
    context.run_migrations()
