"""External documents with what changed them, holidays, administrative procedures and the documents that cover them."""

import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import differs, guard

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# For each table what makes a row the only one of its kind, as conditions on another row.
ONLY_ONE = {
    "external_document": ("other.id = NEW.id", "other.number_key = NEW.number_key"),
    "procedure": ("other.id = NEW.id", "other.code_key = NEW.code_key"),
    "procedure_link": (
        "other.id = NEW.id",
        "other.procedure_id = NEW.procedure_id AND other.document_id = NEW.document_id "
        "AND other.ended_at IS NULL AND NEW.ended_at IS NULL",
    ),
}


def upgrade() -> None:
    """Apply the change."""
    tables()
    guards()
    shipped = tomllib.loads((Path(docctl.database.__file__).parent / "holidays.toml").read_text(encoding="utf-8"))
    listed = [{"day": date.fromisoformat(day), "name": name} for day, name in shipped["days"].items()]
    op.bulk_insert(sa.table("holiday", sa.column("day", sa.Date()), sa.column("name", sa.String())), listed)


def tables() -> None:
    """Make the tables."""
    op.create_table(
        "external_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=200), nullable=False),
        sa.Column("number_key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("category", sa.String(length=200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("clauses", sa.Text(), nullable=False),
        sa.Column("units", sa.Text(), nullable=False),
        sa.Column("check_months", sa.Integer(), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("checked_by", sa.String(length=200), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("created_at", docctl.database.Instant(length=27), nullable=False),
        sa.CheckConstraint("check_months IS NULL OR check_months > 0", name=op.f("ck_external_document_check_months")),
        sa.CheckConstraint("length(number) > 0", name=op.f("ck_external_document_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_document")),
    )
    op.create_index("uq_external_document_number", "external_document", ["number_key"], unique=True)
    op.create_table(
        "holiday",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_holiday")),
    )
    op.create_table(
        "external_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("external_document_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("number", sa.String(length=200), nullable=False),
        sa.Column("number_key", sa.String(length=200), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('amended', 'replaced', 'repealed')", name=op.f("ck_external_change_kind")),
        sa.ForeignKeyConstraint(
            ["external_document_id"], ["external_document.id"], name=op.f("fk_external_change_external_document_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_change")),
        sa.UniqueConstraint(
            "external_document_id", "position", name=op.f("uq_external_change_external_document_id_position")
        ),
    )
    op.create_index(
        op.f("ix_external_change_external_document_id"), "external_change", ["external_document_id"], unique=False
    )
    op.create_index(op.f("ix_external_change_number_key"), "external_change", ["number_key"], unique=False)
    op.create_table(
        "procedure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("code_key", sa.String(length=80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("executor", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("excluded_from", sa.Date(), nullable=True),
        sa.Column("exclusion_reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("detail_sha256", sa.String(length=64), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("created_at", docctl.database.Instant(length=27), nullable=False),
        sa.CheckConstraint("(excluded_from IS NULL) = (exclusion_reason = '')", name=op.f("ck_procedure_exclusion")),
        sa.CheckConstraint("length(code) > 0", name=op.f("ck_procedure_code")),
        sa.CheckConstraint("length(title) > 0", name=op.f("ck_procedure_title")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_procedure_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure")),
    )
    op.create_index(op.f("ix_procedure_unit_id"), "procedure", ["unit_id"], unique=False)
    op.create_index("uq_procedure_code", "procedure", ["code_key"], unique=True)
    op.create_table(
        "procedure_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("procedure_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("number", sa.String(length=200), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('published', 'amended', 'repealed')", name=op.f("ck_procedure_event_kind")),
        sa.ForeignKeyConstraint(["procedure_id"], ["procedure.id"], name=op.f("fk_procedure_event_procedure_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure_event")),
        sa.UniqueConstraint("procedure_id", "position", name=op.f("uq_procedure_event_procedure_id_position")),
    )
    op.create_index(op.f("ix_procedure_event_procedure_id"), "procedure_event", ["procedure_id"], unique=False)
    op.create_table(
        "procedure_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("procedure_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("created_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("ended_at", docctl.database.Instant(length=27), nullable=True),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_procedure_link_document_id")),
        sa.ForeignKeyConstraint(["procedure_id"], ["procedure.id"], name=op.f("fk_procedure_link_procedure_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure_link")),
    )
    op.create_index(op.f("ix_procedure_link_document_id"), "procedure_link", ["document_id"], unique=False)
    op.create_index(op.f("ix_procedure_link_procedure_id"), "procedure_link", ["procedure_id"], unique=False)
    op.create_index(
        "uq_procedure_link_pair",
        "procedure_link",
        ["procedure_id", "document_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def guards() -> None:
    """What is registered is never deleted nor replaced; a link can be ended once and do nothing else."""
    for table, conditions in ONLY_ONE.items():
        guard(f"{table}_never_deleted", table, "DELETE", "1 = 1", f"{table} rows are never deleted")
        if op.get_bind().dialect.name == "sqlite":
            only_one(table, conditions)
    fixed = differs("id", "procedure_id", "document_id", "origin", "created_at")
    guard(
        "procedure_link_only_ends",
        "procedure_link",
        "UPDATE",
        f"({fixed}) OR (OLD.ended_at IS NOT NULL AND OLD.ended_at IS DISTINCT FROM NEW.ended_at)",
        "a link can be ended once, and do nothing else",
    )


def only_one(table: str, conditions: Iterable[str]) -> None:
    """Refuse a row that would take the place of another one: SQLite's REPLACE deletes what is in its way."""
    for event, own in (("INSERT", ""), ("UPDATE", "other.id <> OLD.id AND ")):
        taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} AS other WHERE {own}{each})" for each in conditions)
        name = f"{table}_takes_no_other_place_{event.lower()}"
        guard(name, table, event, taken, f"a {table} never takes the place of another")
