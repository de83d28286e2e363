"""Who is signed in to the console. Only adds: a Lantern of 0001 works beside it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

MOMENT = sa.DateTime(timezone=True)
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
#: The oldest Lantern, by its schema, that works with this one: see bot/store/schema.py.
works_with = "0001"


def upgrade() -> None:
    op.create_table(
        "sign_in",
        sa.Column("id", KEY, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("digest", name=op.f("uq_sign_in_digest")),
    )
    op.create_index(op.f("ix_sign_in_person"), "sign_in", ["person"])
    op.create_index(op.f("ix_sign_in_ends_at"), "sign_in", ["ends_at"])


def downgrade() -> None:
    op.drop_table("sign_in")
