"""Reminders of follow-ups, and their links. Only adds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
#: The oldest Lantern, by its schema, that works with this one: see bot/store/schema.py.
works_with = "0001"


def upgrade() -> None:
    op.add_column("follow_up", sa.Column("snoozed_until", sa.Date(), nullable=True))
    op.add_column("follow_up", sa.Column("reminded_on", sa.Date(), nullable=True))
    op.add_column("follow_up", sa.Column("link", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("follow_up", "link")
    op.drop_column("follow_up", "reminded_on")
    op.drop_column("follow_up", "snoozed_until")
