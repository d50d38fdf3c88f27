"""Delegation in writing: who may sign for whom, from when until when, by which act."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import differs, guard

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "delegation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("from_account_id", sa.Integer(), nullable=False),
        sa.Column("to_account_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=10), nullable=False),
        sa.Column("document_number", sa.String(length=80), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("made_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("form IN ('KT.', 'TUQ.', 'TL.')", name=op.f("ck_delegation_form")),
        sa.CheckConstraint("from_account_id <> to_account_id", name=op.f("ck_delegation_persons")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_delegation_period")),
        sa.CheckConstraint("length(document_number) > 0", name=op.f("ck_delegation_document_number")),
        sa.ForeignKeyConstraint(["from_account_id"], ["account.id"], name=op.f("fk_delegation_from_account_id")),
        sa.ForeignKeyConstraint(["to_account_id"], ["account.id"], name=op.f("fk_delegation_to_account_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_delegation_unit_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["account.id"], name=op.f("fk_delegation_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index(op.f("ix_delegation_from_account_id"), "delegation", ["from_account_id"], unique=False)
    op.create_index(op.f("ix_delegation_to_account_id"), "delegation", ["to_account_id"], unique=False)
    guards()


def guards() -> None:
    """A delegation is made once, by somebody who is an approver, and afterwards can only be ended."""
    guard("delegation_never_deleted", "delegation", "DELETE", "1 = 1", "delegation rows are never deleted")
    guard(
        "delegation_never_replaced",
        "delegation",
        "INSERT",
        "EXISTS (SELECT 1 FROM delegation AS other WHERE other.id = NEW.id)",
        "delegation rows are never replaced",
    )
    guard(
        "delegation_is_not_passed_on",
        "delegation",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM role_grant WHERE role_grant.account_id = NEW.from_account_id "
        "AND role_grant.role = 'approver')",
        "only somebody who is an approver can delegate",
    )
    fixed = differs(
        "id",
        "from_account_id",
        "to_account_id",
        "form",
        "document_number",
        "document_date",
        "unit_id",
        "valid_from",
        "valid_to",
        "made_at",
        "made_by_id",
    )
    guard(
        "delegation_only_ends",
        "delegation",
        "UPDATE",
        f"({fixed}) OR (OLD.ended_on IS NOT NULL AND OLD.ended_on IS DISTINCT FROM NEW.ended_on)",
        "a delegation can be ended once, and do nothing else",
    )
