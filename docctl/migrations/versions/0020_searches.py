"""Searches: one's own latest words, saved searches that are watched, and figures that name nobody."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import recheck

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    instant = docctl.database.Instant(length=27)
    recheck("notice", "kind", "kind IN ('waits', 'result', 'found')")
    recheck("mail", "kind", "kind IN ('waits', 'digest', 'found')")
    recheck("mail_refused", "kind", "kind IN ('waits', 'digest', 'found')")
    op.create_table(
        "recent_search",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_recent_search_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recent_search")),
        sa.UniqueConstraint("account_id", "words", name=op.f("uq_recent_search_account_id_words")),
    )
    op.create_table(
        "asked_words",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("askers", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("times", "in_vain", "slow", "slowest_ms")),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_asked_words")),
    )
    op.create_table(
        "search_day",
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("searches", "in_vain", "slow", "took_ms")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_search_day")),
    )
    op.create_table(
        "saved_search",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("looked_at", instant, nullable=False),
        sa.CheckConstraint("name <> '' AND words <> ''", name=op.f("ck_saved_search_named")),
        sa.CheckConstraint("scope IN ('in-force', 'all')", name=op.f("ck_saved_search_scope")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_saved_search_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_saved_search_account_id_name")),
    )
    op.create_table(
        "saved_hit",
        sa.Column("saved_search_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_saved_hit_revision_id")),
        sa.ForeignKeyConstraint(["saved_search_id"], ["saved_search.id"], name=op.f("fk_saved_hit_saved_search_id")),
        sa.PrimaryKeyConstraint("saved_search_id", "revision_id", name=op.f("pk_saved_hit")),
    )
