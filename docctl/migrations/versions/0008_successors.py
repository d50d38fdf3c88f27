"""Who and what follows: the successor of a closed account, the successors of an ended unit, and addresses for mail."""

import sqlalchemy as sa
from alembic import op

from docctl.migrations.guarding import differs, guard

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    # Plain SQL: rebuilding the table, as Alembic would on SQLite, drops its triggers.
    op.execute("ALTER TABLE account ADD COLUMN email VARCHAR(254) NOT NULL DEFAULT ''")
    op.execute(
        "ALTER TABLE account ADD COLUMN successor_id INTEGER CONSTRAINT fk_account_successor_id REFERENCES account (id)"
    )
    op.create_table(
        "unit_succession",
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("successor_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("unit_id <> successor_id", name=op.f("ck_unit_succession_units")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_succession_unit_id")),
        sa.ForeignKeyConstraint(["successor_id"], ["unit.id"], name=op.f("fk_unit_succession_successor_id")),
        sa.PrimaryKeyConstraint("unit_id", "successor_id", name=op.f("pk_unit_succession")),
    )
    guards()


def guards() -> None:
    """A closed account and an ended unit stay what they are: records name them."""
    guard(
        "account_closes_once",
        "account",
        "UPDATE",
        "(OLD.disabled_at IS NOT NULL AND (" + differs("disabled_at", "successor_id") + ")) "
        "OR NEW.successor_id = NEW.id",
        "an account closes once, in favour of somebody else",
    )
    guard("unit_never_deleted", "unit", "DELETE", "1 = 1", "a unit ends, and is never deleted")
    guard(
        "unit_ends_once",
        "unit",
        "UPDATE",
        "OLD.code <> NEW.code OR NEW.successor_id = NEW.id OR (OLD.valid_to IS NOT NULL AND ("
        + differs("name_vi", "name_en", "valid_from", "valid_to", "successor_id", "parent_id")
        + "))",
        "a unit keeps its code, and once ended everything else",
    )
    for event in ("UPDATE", "DELETE"):
        guard(
            f"unit_succession_stays_{event.lower()}",
            "unit_succession",
            event,
            "1 = 1",
            "who follows a unit is never changed",
        )
