"""Periodic reviews, and what people add to the yearly report: typed figures with their source, and claimed points."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import guard

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "claim",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("row", sa.String(length=20), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("claimed_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("claimed_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("points >= 0", name=op.f("ck_claim_points")),
        sa.ForeignKeyConstraint(["claimed_by_id"], ["account.id"], name=op.f("fk_claim_claimed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
    )
    op.create_index("uq_claim_row", "claim", ["year", "row"], unique=True)
    op.create_table(
        "typed_figure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("name_key", sa.String(length=300), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("typed_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("typed_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_typed_figure_name")),
        sa.CheckConstraint("length(source) > 0", name=op.f("ck_typed_figure_source")),
        sa.ForeignKeyConstraint(["typed_by_id"], ["account.id"], name=op.f("fk_typed_figure_typed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_typed_figure")),
    )
    op.create_index("uq_typed_figure_name", "typed_figure", ["year", "name_key"], unique=True)
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=False),
        sa.Column("reviewer_title", sa.String(length=200), nullable=False),
        sa.Column("made_at", docctl.database.Instant(length=27), nullable=False),
        sa.CheckConstraint("outcome IN ('keep', 'amend', 'withdraw')", name=op.f("ck_review_outcome")),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_review_reason")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_review_document_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["account.id"], name=op.f("fk_review_reviewer_id")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_review_revision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_document_id"), "review", ["document_id"], unique=False)
    guards()


def guards() -> None:
    """A review never changes; nothing of these is deleted, nor takes the place of another."""
    guard("review_never_changes", "review", "UPDATE", "1 = 1", "reviews are never changed")
    for table, same in (
        ("review", "other.id = NEW.id"),
        ("typed_figure", "other.id = NEW.id OR (other.year = NEW.year AND other.name_key = NEW.name_key)"),
        ("claim", 'other.id = NEW.id OR (other.year = NEW.year AND other."row" = NEW."row")'),
    ):
        guard(f"{table}_never_deleted", table, "DELETE", "1 = 1", f"{table} rows are never deleted")
        if op.get_bind().dialect.name == "sqlite":
            taken = f"EXISTS (SELECT 1 FROM {table} AS other WHERE {same})"
            guard(f"{table}_never_replaced", table, "INSERT", taken, f"{table} rows are never replaced")
