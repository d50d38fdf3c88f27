"""Notices: what happened that concerns somebody, in the page and by mail; every step is a row that waits until it is done."""

import sqlalchemy as sa
from alembic import op

import docctl.database

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "news",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("noun", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("told_at", docctl.database.Instant(length=27), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["account.id"], name=op.f("fk_news_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_news")),
    )
    op.create_index(
        "ix_news_waiting",
        "news",
        ["id"],
        unique=False,
        sqlite_where=sa.text("told_at IS NULL"),
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("noun", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("text_vi", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("read_at", docctl.database.Instant(length=27), nullable=True),
        sa.CheckConstraint("kind IN ('waits', 'result')", name=op.f("ck_notice_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_notice_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_account", "notice", ["account_id", "read_at"], unique=False)
    op.create_index("ix_notice_record", "notice", ["noun", "record_id"], unique=False)
    op.create_table(
        "mail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("queued_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("due_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("sent_at", docctl.database.Instant(length=27), nullable=True),
        sa.Column("given_up_at", docctl.database.Instant(length=27), nullable=True),
        sa.CheckConstraint("kind IN ('waits', 'digest')", name=op.f("ck_mail_kind")),
        sa.CheckConstraint("(day IS NOT NULL) = (kind = 'digest')", name=op.f("ck_mail_day")),
        sa.CheckConstraint("sent_at IS NULL OR given_up_at IS NULL", name=op.f("ck_mail_end")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mail_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("message_id", name=op.f("uq_mail_message_id")),
        sa.UniqueConstraint("account_id", "day", name=op.f("uq_mail_account_id_day")),
    )
    op.create_index(
        "ix_mail_waiting",
        "mail",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NULL AND given_up_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL AND given_up_at IS NULL"),
    )
    op.create_table(
        "mail_refused",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.CheckConstraint("kind IN ('waits', 'digest')", name=op.f("ck_mail_refused_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mail_refused_account_id")),
        sa.PrimaryKeyConstraint("account_id", "kind", name=op.f("pk_mail_refused")),
    )
