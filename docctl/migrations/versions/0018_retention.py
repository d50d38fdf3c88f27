"""Holds, disposals and the tombstones of contents that were disposed of."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import differs, guard, recheck

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SUBJECT = (
    "(CASE WHEN revision_id IS NULL THEN 0 ELSE 1 END + CASE WHEN decision_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN change_request_id IS NULL THEN 0 ELSE 1 END + CASE WHEN recall_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN legal_assessment_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN disposal_id IS NULL THEN 0 ELSE 1 END) = 1"
)
WAYS = (("draft", "agreed"), ("draft", "cancelled"), ("agreed", "draft"), ("agreed", "executed"))
LIVING = (
    "EXISTS (SELECT 1 FROM revision WHERE revision.file_sha256 = NEW.sha256 AND NOT EXISTS (SELECT 1 FROM disposal_line "
    "JOIN disposal ON disposal.id = disposal_line.disposal_id WHERE disposal_line.revision_id = revision.id "
    "AND disposal.state = 'executed'))"
)


def upgrade() -> None:
    """Apply the change."""
    instant = docctl.database.Instant(length=27)
    op.create_table(
        "retention_hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_at", instant, nullable=False),
        sa.Column("placed_by_id", sa.Integer(), nullable=False),
        sa.Column("released_at", instant, nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_retention_hold_reason")),
        sa.CheckConstraint("(released_at IS NULL) = (release_reason = '')", name=op.f("ck_retention_hold_release")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_retention_hold_document_id")),
        sa.ForeignKeyConstraint(["placed_by_id"], ["account.id"], name=op.f("fk_retention_hold_placed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_hold")),
    )
    op.create_index(
        "uq_retention_hold_open",
        "retention_hold",
        ["document_id"],
        unique=True,
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_table(
        "disposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("basis", "council", "method", "done_by", "witness")),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(length=60), nullable=False),
        sa.Column("workflow_version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("drafted_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("executed_at", instant, nullable=True),
        sa.Column("head_sequence", sa.Integer(), nullable=True),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'agreed', 'executed', 'cancelled')", name=op.f("ck_disposal_state")),
        sa.CheckConstraint(
            "state NOT IN ('agreed', 'executed') OR (number <> '' AND held_on IS NOT NULL AND basis <> '' AND council <> '' "
            "AND method <> '' AND done_by <> '' AND witness <> '' AND content_hash IS NOT NULL)",
            name=op.f("ck_disposal_complete"),
        ),
        sa.CheckConstraint("(state = 'executed') = (executed_at IS NOT NULL)", name=op.f("ck_disposal_executed")),
        sa.ForeignKeyConstraint(["drafted_by_id"], ["account.id"], name=op.f("fk_disposal_drafted_by_id")),
        sa.ForeignKeyConstraint(
            ["workflow", "workflow_version"],
            ["workflow_version.name", "workflow_version.version"],
            name=op.f("fk_disposal_workflow"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposal")),
    )
    op.create_index(
        "uq_disposal_number",
        "disposal",
        ["year", "number"],
        unique=True,
        sqlite_where=sa.text("state IN ('agreed', 'executed')"),
        postgresql_where=sa.text("state IN ('agreed', 'executed')"),
    )
    op.create_table(
        "disposal_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("disposal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("keep_until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["disposal_id"], ["disposal.id"], name=op.f("fk_disposal_line_disposal_id")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_disposal_line_revision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposal_line")),
        sa.UniqueConstraint("disposal_id", "position", name=op.f("uq_disposal_line_disposal_id_position")),
        sa.UniqueConstraint("disposal_id", "revision_id", name=op.f("uq_disposal_line_disposal_id_revision_id")),
    )
    op.create_index(op.f("ix_disposal_line_revision_id"), "disposal_line", ["revision_id"], unique=False)
    op.create_table(
        "disposed_content",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("disposal_id", sa.Integer(), nullable=False),
        sa.Column("disposed_at", instant, nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["content.sha256"], name=op.f("fk_disposed_content_sha256")),
        sa.ForeignKeyConstraint(["disposal_id"], ["disposal.id"], name=op.f("fk_disposed_content_disposal_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_disposed_content")),
    )
    op.create_index(op.f("ix_disposed_content_disposal_id"), "disposed_content", ["disposal_id"], unique=False)
    op.execute(
        "ALTER TABLE signature ADD COLUMN disposal_id INTEGER "
        "CONSTRAINT fk_signature_disposal_id REFERENCES disposal (id)"
    )
    recheck("signature", "subject", SUBJECT)
    op.create_index(op.f("ix_signature_disposal_id"), "signature", ["disposal_id"], unique=False)
    guards()


def guards() -> None:
    """Nothing is disposed of that is in force, held or used; minutes are signed by two; a tombstone stays for good."""
    for table, key in (
        ("retention_hold", "id"),
        ("disposal", "id"),
        ("disposal_line", "id"),
        ("disposed_content", "sha256"),
    ):
        guard(f"{table}_never_deleted", table, "DELETE", "1 = 1", f"{table} rows are never deleted")
        taken = f"EXISTS (SELECT 1 FROM {table} AS other WHERE other.{key} = NEW.{key})"
        guard(f"{table}_never_replaced", table, "INSERT", taken, f"{table} rows are never replaced")
    for table in ("disposal_line", "disposed_content"):
        guard(f"{table}_never_changes", table, "UPDATE", "1 = 1", f"{table} rows are never changed")
    guard(
        "retention_hold_only_ends",
        "retention_hold",
        "UPDATE",
        f"OLD.released_at IS NOT NULL OR {differs('id', 'document_id', 'reason', 'placed_at', 'placed_by_id')}",
        "a hold can be released once, and do nothing else",
    )
    guard(
        "disposal_line_only_in_a_draft",
        "disposal_line",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM disposal WHERE disposal.id = NEW.disposal_id AND disposal.state = 'draft')",
        "the lines of a disposal are those of its draft",
    )
    signed = (
        "EXISTS (SELECT 1 FROM signature WHERE signature.disposal_id = NEW.id AND signature.round = NEW.round "
        "AND signature.meaning = '{meaning}' AND signature.content_hash = NEW.content_hash{more})"
    )
    other = (
        " AND signature.account_id NOT IN (SELECT first.account_id FROM signature AS first "
        "WHERE first.disposal_id = NEW.id AND first.round = NEW.round AND first.meaning = 'recorded')"
    )
    guard(
        "disposal_is_signed",
        "disposal",
        "UPDATE",
        f"OLD.state <> NEW.state AND ((NEW.state IN ('agreed', 'executed') AND NOT {signed.format(meaning='recorded', more='')}) "
        f"OR (NEW.state = 'executed' AND NOT {signed.format(meaning='witnessed', more=other)}))",
        "minutes need the signatures of two different people on what they say",
    )
    guard("disposal_begins", "disposal", "INSERT", "NEW.state <> 'draft'", "a disposal begins as a draft")
    known = " OR ".join(f"(OLD.state = '{old}' AND NEW.state = '{new}')" for old, new in WAYS)
    guard(
        "disposal_takes_a_known_path",
        "disposal",
        "UPDATE",
        f"OLD.state <> NEW.state AND NOT ({known})",
        "a disposal cannot go from its state to that one",
    )
    words = differs("number", "year", "held_on", "basis", "council", "method", "done_by", "witness")
    guard(
        "disposal_words_are_frozen",
        "disposal",
        "UPDATE",
        f"OLD.state IN ('executed', 'cancelled') OR {differs('id', 'drafted_by_id', 'created_at')} "
        f"OR (OLD.state <> 'draft' AND ({words}))",
        "minutes that were signed never change",
    )
    lines = "FROM disposal_line JOIN revision ON revision.id = disposal_line.revision_id WHERE disposal_line.disposal_id = NEW.id"
    guard(
        "disposal_spares_what_is_in_force_or_held",
        "disposal",
        "UPDATE",
        "OLD.state <> NEW.state AND NEW.state = 'executed' AND (EXISTS (SELECT 1 "
        f"{lines} AND (revision.effective_to IS NULL OR revision.effective_to > NEW.executed_at)) "
        f"OR EXISTS (SELECT 1 {lines} AND EXISTS (SELECT 1 FROM retention_hold "
        "WHERE retention_hold.document_id = revision.document_id AND retention_hold.released_at IS NULL)))",
        "what is in force or on hold is not disposed of",
    )
    guard(
        "disposed_content_is_used_by_nothing",
        "disposed_content",
        "INSERT",
        f"{LIVING} OR NOT EXISTS (SELECT 1 FROM disposal WHERE disposal.id = NEW.disposal_id AND disposal.state = 'executed')",
        "a content that something living uses is not disposed of",
    )
