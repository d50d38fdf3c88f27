"""Texts know their pages, headings and rows, the old font they were rewritten from, and which pages are scans."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    ocr = "ocr VARCHAR(8) DEFAULT '' NOT NULL CONSTRAINT ck_content_text_ocr CHECK (ocr IN ('', 'waiting', 'done'))"
    op.execute(f"ALTER TABLE content_text ADD COLUMN {ocr}")
    op.add_column("content_text", sa.Column("encodings", sa.String(length=40), nullable=False, server_default=""))
    op.add_column("content_text", sa.Column("rows", sa.Text(), nullable=False, server_default=""))
    op.create_index(op.f("ix_content_text_ocr"), "content_text", ["ocr"])
    op.create_table(
        "content_page",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("stop", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=4), nullable=False),
        sa.CheckConstraint("source IN ('text', 'scan', 'ocr')", name=op.f("ck_content_page_source")),
        sa.ForeignKeyConstraint(["sha256"], ["content.sha256"], name=op.f("fk_content_page_sha256")),
        sa.PrimaryKeyConstraint("sha256", "number", name=op.f("pk_content_page")),
    )
    op.create_table(
        "content_heading",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["content.sha256"], name=op.f("fk_content_heading_sha256")),
        sa.PrimaryKeyConstraint("sha256", "position", name=op.f("pk_content_heading")),
    )
