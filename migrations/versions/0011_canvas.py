"""The channel's canvas, where Lantern made it. Only adds: a Lantern of 0001 works beside it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
#: The oldest Lantern, by its schema, that works with this one: see bot/store/schema.py.
works_with = "0001"


def upgrade() -> None:
    op.add_column("incident", sa.Column("canvas_id", sa.String(length=32), nullable=True))


def downgrade() -> None:
    op.drop_column("incident", "canvas_id")
