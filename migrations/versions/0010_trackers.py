"""Which issue of the team's tracker a follow-up is. Only adds: a Lantern of 0001 works beside it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

MOMENT = sa.DateTime(timezone=True)

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
#: The oldest Lantern, by its schema, that works with this one: see bot/store/schema.py.
works_with = "0001"

_COLUMNS = (
    ("settled_by", sa.String(length=32)),
    ("tracker", sa.String(length=255)),
    ("tracker_key", sa.String(length=255)),
    ("tracker_mark", sa.String(length=64)),
    ("tracker_asked_at", MOMENT),
    ("tracker_state", sa.String(length=16)),
    ("tracker_state_at", MOMENT),
)


def upgrade() -> None:
    for name, kind in _COLUMNS:
        op.add_column("follow_up", sa.Column(name, kind, nullable=True))
    op.create_index(op.f("ix_follow_up_tracker_key"), "follow_up", ["tracker_key"])


def downgrade() -> None:
    op.drop_index(op.f("ix_follow_up_tracker_key"), "follow_up")
    for name, _ in reversed(_COLUMNS):
        op.drop_column("follow_up", name)
