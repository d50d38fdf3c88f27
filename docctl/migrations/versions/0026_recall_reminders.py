"""The letters that remind of copies which have to go back."""

import sqlalchemy as sa
from alembic import op

import docctl.database

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "recall_reminder",
        sa.Column("copy_id", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("at", docctl.database.Instant(length=27), nullable=False),
        sa.ForeignKeyConstraint(["copy_id"], ["recall_line.copy_id"], name=op.f("fk_recall_reminder_copy_id")),
        sa.PrimaryKeyConstraint("copy_id", "days", name=op.f("pk_recall_reminder")),
    )
