"""The commit of the checkout that a run's runbook came from. Only adds: a Lantern of 0002 works beside it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
#: The oldest Lantern, by its schema, that works with this one: see bot/store/schema.py.
works_with = "0001"


def upgrade() -> None:
    op.add_column("run", sa.Column("git_commit", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("run", "git_commit")
