"""Papers that say what they are: the token of a status page, confidential titles, and the PDF that a file is read as."""

import secrets

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import differs, guard

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("document", sa.Column("confidential", sa.Boolean(), nullable=False, server_default=sa.false()))
    status_tokens()
    renditions()


def status_tokens() -> None:
    """Give every revision the token of its status page; from then on it never changes."""
    op.add_column("revision", sa.Column("status_token", sa.String(length=32), nullable=False, server_default=""))
    connection = op.get_bind()
    tokens = [
        {"id": row.id, "token": secrets.token_urlsafe(16)}
        for row in connection.execute(sa.text("SELECT id FROM revision"))
    ]
    if tokens:
        connection.execute(sa.text("UPDATE revision SET status_token = :token WHERE id = :id"), tokens)
    given = sa.text("status_token <> ''")
    op.create_index(
        "uq_revision_status_token",
        "revision",
        ["status_token"],
        unique=True,
        sqlite_where=given,
        postgresql_where=given,
    )
    guard(
        "revision_keeps_its_status_token",
        "revision",
        "UPDATE",
        differs("status_token"),
        "the token of a status page never changes",
    )
    guard(
        "revision_takes_no_other_status_token",
        "revision",
        "INSERT",
        "NEW.status_token <> '' AND EXISTS (SELECT 1 FROM revision AS other WHERE other.status_token = NEW.status_token)",
        "two revisions never share a status page",
    )


def renditions() -> None:
    """Make the table of renditions; what was made once stays."""
    op.create_table(
        "rendition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("tracked", sa.Integer(), nullable=False),
        sa.Column("comments", sa.Integer(), nullable=False),
        sa.Column("choice", sa.String(length=8), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("engine", sa.String(length=60), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("signatures", sa.Integer(), nullable=False),
        sa.Column("reason_vi", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("changed_at", docctl.database.Instant(length=27), nullable=False),
        sa.CheckConstraint("status IN ('waiting', 'asks', 'ready', 'unavailable')", name=op.f("ck_rendition_status")),
        sa.CheckConstraint("choice IN ('', 'accept', 'refuse')", name=op.f("ck_rendition_choice")),
        sa.CheckConstraint("(sha256 IS NOT NULL) = (status = 'ready')", name=op.f("ck_rendition_made")),
        sa.ForeignKeyConstraint(["source_sha256"], ["content.sha256"], name=op.f("fk_rendition_source_sha256")),
        sa.ForeignKeyConstraint(["sha256"], ["content.sha256"], name=op.f("fk_rendition_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rendition")),
    )
    op.create_index("uq_rendition_source_sha256", "rendition", ["source_sha256"], unique=True)
    op.create_index(op.f("ix_rendition_status"), "rendition", ["status"], unique=False)
    guard("rendition_never_deleted", "rendition", "DELETE", "1 = 1", "rendition rows are never deleted")
    guard(
        "rendition_never_replaced",
        "rendition",
        "INSERT",
        "EXISTS (SELECT 1 FROM rendition AS other WHERE other.id = NEW.id OR other.source_sha256 = NEW.source_sha256)",
        "rendition rows are never replaced",
    )
    guard(
        "rendition_once_made_stays",
        "rendition",
        "UPDATE",
        "OLD.source_sha256 <> NEW.source_sha256 OR (OLD.sha256 IS NOT NULL AND ("
        + differs("sha256", "choice", "engine", "pages", "signatures")
        + "))",
        "a rendition that was made never changes",
    )
