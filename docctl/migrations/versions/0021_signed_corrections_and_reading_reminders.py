"""Corrections of form that are signed, and the letters that remind of what was not read."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import guard, recheck

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KINDS = "kind IN ('waits', 'digest', 'found', 'reminder')"
SIGNED = (
    "EXISTS (SELECT 1 FROM signature WHERE signature.id = NEW.signature_id AND signature.decision_id = NEW.decision_id "
    "AND signature.meaning = 'corrected' AND signature.account_id = NEW.made_by_id)"
)


def upgrade() -> None:
    """Apply the change."""
    # Written alike for both engines: Alembic adds no foreign key to a table of SQLite.
    op.execute(
        "ALTER TABLE correction ADD COLUMN signature_id INTEGER "
        "CONSTRAINT fk_correction_signature_id REFERENCES signature (id)"
    )
    op.create_index("uq_correction_signature", "correction", ["signature_id"], unique=True)
    guard(
        "correction_is_signed",
        "correction",
        "INSERT",
        f"NOT {SIGNED}",
        "a correction bears the signature of whoever recorded it",
    )
    # SQLite alone can put a row in the place of another; elsewhere the unique index refuses.
    guard(
        "correction_shares_no_signature",
        "correction",
        "INSERT",
        "EXISTS (SELECT 1 FROM correction AS other WHERE other.signature_id = NEW.signature_id)",
        "a signature stands under one correction only",
    )
    for table in ("mail", "mail_refused"):
        recheck(table, "kind", KINDS)
    op.create_table(
        "reading_reminder",
        sa.Column("read_task_id", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("at", docctl.database.Instant(length=27), nullable=False),
        sa.ForeignKeyConstraint(["read_task_id"], ["read_task.id"], name=op.f("fk_reading_reminder_read_task_id")),
        sa.PrimaryKeyConstraint("read_task_id", "days", name=op.f("pk_reading_reminder")),
    )
