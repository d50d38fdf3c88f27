"""Recalls: what a decision asks back, and minutes that cannot close while a copy is unaccounted for."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import differs, guard, recheck

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SUBJECT = (
    "(CASE WHEN revision_id IS NULL THEN 0 ELSE 1 END + CASE WHEN decision_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN change_request_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN recall_id IS NULL THEN 0 ELSE 1 END) = 1"
)
LINES = (
    "FROM recall_line JOIN controlled_copy ON controlled_copy.id = recall_line.copy_id "
    "WHERE recall_line.recall_id = NEW.id"
)
HELD = "controlled_copy.state IN ('prepared', 'delivered', 'received', 'return_requested')"


def upgrade() -> None:
    """Apply the change."""
    op.add_column("document_type", sa.Column("recall_days", sa.Integer(), nullable=False, server_default=sa.text("15")))
    op.create_table(
        "recall",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("participants", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(length=60), nullable=False),
        sa.Column("workflow_version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("issued", sa.Integer(), nullable=True),
        sa.Column("returned", sa.Integer(), nullable=True),
        sa.Column("destroyed", sa.Integer(), nullable=True),
        sa.Column("archived", sa.Integer(), nullable=True),
        sa.Column("lost", sa.Integer(), nullable=True),
        sa.Column("opened_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("closed_at", docctl.database.Instant(length=27), nullable=True),
        sa.Column("head_sequence", sa.Integer(), nullable=True),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("state IN ('open', 'reconciled', 'closed')", name=op.f("ck_recall_state")),
        sa.CheckConstraint(
            "state = 'open' OR (number <> '' AND held_on IS NOT NULL AND participants <> '' AND content_hash IS NOT NULL "
            "AND issued IS NOT NULL AND issued = returned + destroyed + archived + lost)",
            name=op.f("ck_recall_balance"),
        ),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_recall_closed")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_recall_decision_id")),
        sa.ForeignKeyConstraint(
            ["workflow", "workflow_version"],
            ["workflow_version.name", "workflow_version.version"],
            name=op.f("fk_recall_workflow"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall")),
    )
    op.create_index("uq_recall_decision", "recall", ["decision_id"], unique=True)
    op.create_index(
        "uq_recall_number",
        "recall",
        ["year", "number"],
        unique=True,
        sqlite_where=sa.text("state <> 'open'"),
        postgresql_where=sa.text("state <> 'open'"),
    )
    op.create_table(
        "recall_line",
        sa.Column("copy_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recall_id", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["copy_id"], ["controlled_copy.id"], name=op.f("fk_recall_line_copy_id")),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_recall_line_recall_id")),
        sa.PrimaryKeyConstraint("copy_id", name=op.f("pk_recall_line")),
    )
    op.create_index(op.f("ix_recall_line_recall_id"), "recall_line", ["recall_id"], unique=False)
    op.execute(
        "ALTER TABLE signature ADD COLUMN recall_id INTEGER CONSTRAINT fk_signature_recall_id REFERENCES recall (id)"
    )
    recheck("signature", "subject", SUBJECT)
    op.create_index(op.f("ix_signature_recall_id"), "signature", ["recall_id"], unique=False)
    guards()


def guards() -> None:
    """Minutes close only when every copy is accounted for and two people signed; afterwards nothing of them changes."""
    signed = (
        "EXISTS (SELECT 1 FROM signature WHERE signature.recall_id = NEW.id AND signature.round = NEW.round "
        "AND signature.meaning = '{meaning}' AND signature.content_hash = NEW.content_hash{more})"
    )
    other = (
        " AND signature.account_id NOT IN (SELECT first.account_id FROM signature AS first WHERE first.recall_id = NEW.id "
        "AND first.round = NEW.round AND first.meaning = 'recorded')"
    )
    guard(
        "recall_minutes_are_signed",
        "recall",
        "UPDATE",
        f"OLD.state <> NEW.state AND ((NEW.state <> 'open' AND NOT {signed.format(meaning='recorded', more='')}) "
        f"OR (NEW.state = 'closed' AND NOT {signed.format(meaning='witnessed', more=other)}))",
        "minutes need the signatures of two different people on what they say",
    )
    for table, key in (("recall", "id"), ("recall_line", "copy_id")):
        guard(f"{table}_never_deleted", table, "DELETE", "1 = 1", f"{table} rows are never deleted")
        taken = f"EXISTS (SELECT 1 FROM {table} AS other WHERE other.{key} = NEW.{key})"
        guard(f"{table}_never_replaced", table, "INSERT", taken, f"{table} rows are never replaced")
    guard("recall_line_never_changes", "recall_line", "UPDATE", "1 = 1", "recall_line rows are never changed")
    guard(
        "recall_line_only_while_open",
        "recall_line",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM recall WHERE recall.id = NEW.recall_id AND recall.state = 'open')",
        "a copy joins a recall only while it is open",
    )
    guard("recall_begins", "recall", "INSERT", "NEW.state <> 'open'", "a recall begins as open")
    ways = (("open", "reconciled"), ("reconciled", "open"), ("reconciled", "closed"))
    known = " OR ".join(f"(OLD.state = '{old}' AND NEW.state = '{new}')" for old, new in ways)
    guard(
        "recall_takes_a_known_path",
        "recall",
        "UPDATE",
        f"OLD.state <> NEW.state AND NOT ({known})",
        "a recall cannot go from its state to that one",
    )
    words = differs("number", "year", "held_on", "basis", "participants", "issued", "returned", "destroyed")
    words += " OR " + differs("archived", "lost", "content_hash", "head_sequence", "head_hash")
    guard(
        "recall_words_are_frozen",
        "recall",
        "UPDATE",
        f"OLD.state = 'closed' OR {differs('id', 'decision_id', 'due_on', 'opened_at')} "
        f"OR (OLD.state = 'reconciled' AND NEW.state <> 'open' AND ({words}))",
        "minutes that were signed never change",
    )
    guard(
        "recall_balances",
        "recall",
        "UPDATE",
        f"OLD.state <> NEW.state AND NEW.state <> 'open' AND (EXISTS (SELECT 1 {LINES} AND {HELD}) "
        f"OR NEW.issued IS DISTINCT FROM (SELECT count(*) {LINES}) "
        f"OR NEW.lost IS DISTINCT FROM (SELECT count(*) {LINES} AND controlled_copy.state = 'lost') "
        "OR EXISTS (SELECT 1 FROM distribution WHERE distribution.revision_id IN "
        f"(SELECT controlled_copy.revision_id {LINES}) AND distribution.issued <> (SELECT count(*) FROM controlled_copy "
        "WHERE controlled_copy.revision_id = distribution.revision_id)))",
        "issued must be returned, destroyed, archived and lost before the minutes close",
    )
