"""Imported histories: what each line said of a document's past, and withdrawals that such a line alone may tell."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import guard, unguard

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "history_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("doc", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("effective_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("flags", sa.String(length=200), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("line_sha256", sa.String(length=64), nullable=False),
        sa.Column("imported_at", docctl.database.Instant(length=27), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_history_event_document_id")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_history_event_revision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_event")),
        sa.UniqueConstraint("source", "line_sha256", name=op.f("uq_history_event_source_line_sha256")),
    )
    op.create_index(op.f("ix_history_event_document_id"), "history_event", ["document_id"], unique=False)
    op.create_index(op.f("ix_history_event_revision_id"), "history_event", ["revision_id"], unique=False)
    guards()


def guards() -> None:
    """A line stays as it was read; what it told of a withdrawal elsewhere needs no decision here."""
    guard("history_event_never_changes", "history_event", "UPDATE", "1 = 1", "history_event rows are never changed")
    guard("history_event_never_deleted", "history_event", "DELETE", "1 = 1", "history_event rows are never deleted")
    guard(
        "history_event_never_replaced",
        "history_event",
        "INSERT",
        "EXISTS (SELECT 1 FROM history_event AS other WHERE other.id = NEW.id "
        "OR (other.source = NEW.source AND other.line_sha256 = NEW.line_sha256))",
        "history_event rows are never replaced",
    )
    unguard("revision_begins_as_draft", "revision")
    guard(
        "revision_begins_as_draft",
        "revision",
        "INSERT",
        "NEW.state <> 'draft' AND NOT (NEW.origin = 'import' AND (NEW.state = 'issued' "
        "OR (NEW.state = 'withdrawn' AND NEW.withdrawn_by_id IS NULL)))",
        "a revision begins as a draft, or is imported as issued or withdrawn elsewhere",
    )
    unguard("revision_is_withdrawn_by_decision", "revision")
    guard(
        "revision_is_withdrawn_by_decision",
        "revision",
        "UPDATE",
        "OLD.state <> NEW.state AND NEW.state = 'withdrawn' AND NOT EXISTS (SELECT 1 FROM decision_line "
        "JOIN decision ON decision.id = decision_line.decision_id WHERE decision.id = NEW.withdrawn_by_id "
        "AND decision.state = 'executed' AND decision_line.action = 'withdraw' "
        "AND decision_line.document_id = NEW.document_id) "
        "AND NOT (NEW.origin = 'import' AND NEW.withdrawn_by_id IS NULL AND EXISTS (SELECT 1 FROM history_event "
        "WHERE history_event.document_id = NEW.document_id AND history_event.kind = 'withdrawn' "
        "AND history_event.effective_at = NEW.effective_to))",
        "a revision is withdrawn only by a line of an executed decision, or by one of an imported history",
    )
