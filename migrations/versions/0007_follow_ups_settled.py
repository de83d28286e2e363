"""When a follow-up was marked done or dropped. Only adds: a Lantern of 0001 works beside it, and leaves it empty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
#: The oldest Lantern, by its schema, that works with this one: see bot/store/schema.py.
works_with = "0001"


def upgrade() -> None:
    op.add_column("follow_up", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("follow_up", "settled_at")
