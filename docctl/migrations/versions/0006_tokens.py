"""Tokens of other programs, and the first answer to each request that may be repeated."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import differs, guard

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("created_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("ended_at", docctl.database.Instant(length=27), nullable=True),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_api_token_name")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_api_token_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(op.f("ix_api_token_account_id"), "api_token", ["account_id"], unique=False)
    op.create_table(
        "first_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("answered_at", docctl.database.Instant(length=27), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_first_answer_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_first_answer")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_first_answer_account_id_key")),
    )
    op.create_index(op.f("ix_first_answer_answered_at"), "first_answer", ["answered_at"], unique=False)
    guards()


def guards() -> None:
    """A token is made once and can only end; who it acts for and what it may do stays as it was made."""
    guard("api_token_never_deleted", "api_token", "DELETE", "1 = 1", "tokens are never deleted")
    guard(
        "api_token_never_replaced",
        "api_token",
        "INSERT",
        "EXISTS (SELECT 1 FROM api_token AS other WHERE other.id = NEW.id OR other.token_hash = NEW.token_hash)",
        "tokens are never replaced",
    )
    guard(
        "api_token_only_ends",
        "api_token",
        "UPDATE",
        f"({differs('id', 'account_id', 'name', 'token_hash', 'read_only', 'created_at')}) OR OLD.ended_at IS NOT NULL",
        "a token can be ended once, and do nothing else",
    )
