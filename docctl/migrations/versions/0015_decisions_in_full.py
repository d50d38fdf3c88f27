"""Decisions in full: lines that keep, the signing block, the scan, what is owed afterwards, and corrections of form."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import differs, guard, recheck

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ACTION = "(action = 'issue' AND revision_id IS NOT NULL) OR (action IN ('withdraw', 'keep') AND revision_id IS NULL)"


def upgrade() -> None:
    """Apply the change."""
    recheck("decision_line", "action", ACTION)
    op.add_column("decision", sa.Column("signing_block", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "decision_scan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=400), nullable=False),
        sa.Column("attached_by_id", sa.Integer(), nullable=False),
        sa.Column("attached_at", docctl.database.Instant(length=27), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_decision_scan_decision_id")),
        sa.ForeignKeyConstraint(["sha256"], ["content.sha256"], name=op.f("fk_decision_scan_sha256")),
        sa.ForeignKeyConstraint(["attached_by_id"], ["account.id"], name=op.f("fk_decision_scan_attached_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_scan")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_decision_scan_decision_id")),
    )
    op.create_table(
        "obligation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name_vi", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("file_name", sa.String(length=400), nullable=False),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(done_on IS NULL) = (closed_by_id IS NULL) AND (done_on IS NULL OR length(evidence) > 0)",
            name=op.f("ck_obligation_closed"),
        ),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_obligation_decision_id")),
        sa.ForeignKeyConstraint(["sha256"], ["content.sha256"], name=op.f("fk_obligation_sha256")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["account.id"], name=op.f("fk_obligation_closed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
        sa.UniqueConstraint("decision_id", "kind", name=op.f("uq_obligation_decision_id_kind")),
    )
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("wrong", sa.Text(), nullable=False),
        sa.Column("corrected", sa.Text(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("made_at", docctl.database.Instant(length=27), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_correction_decision_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["account.id"], name=op.f("fk_correction_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_decision_id"), "correction", ["decision_id"], unique=False)
    guards()


def guards() -> None:
    """A scan and a correction never change, an obligation is closed once, a signed decision keeps its block."""
    for table in ("decision_scan", "obligation", "correction"):
        guard(f"{table}_never_deleted", table, "DELETE", "1 = 1", f"{table} rows are never deleted")
    for table, condition in (
        ("decision_scan", "other.id = NEW.id OR other.decision_id = NEW.decision_id"),
        ("obligation", "other.id = NEW.id OR (other.decision_id = NEW.decision_id AND other.kind = NEW.kind)"),
        ("correction", "other.id = NEW.id"),
    ):
        taken = f"EXISTS (SELECT 1 FROM {table} AS other WHERE {condition})"
        guard(f"{table}_takes_no_other_place", table, "INSERT", taken, f"a {table} never takes the place of another")
    for table in ("decision_scan", "correction"):
        guard(f"{table}_never_changes", table, "UPDATE", "1 = 1", f"{table} rows are never changed")
    for table, states in (
        ("decision_scan", "('signed', 'executed')"),
        ("obligation", "('executed')"),
        ("correction", "('executed')"),
    ):
        guard(
            f"{table}_belongs_to_a_decision_made",
            table,
            "INSERT",
            f"NOT EXISTS (SELECT 1 FROM decision WHERE decision.id = NEW.decision_id AND decision.state IN {states})",
            f"a {table} belongs to a decision that is signed or executed",
        )
    fixed = differs("id", "decision_id", "kind", "name_vi", "name_en", "due_on")
    guard(
        "obligation_only_closes",
        "obligation",
        "UPDATE",
        f"({fixed}) OR OLD.done_on IS NOT NULL",
        "an obligation can be closed once, and do nothing else",
    )
    guard(
        "decision_keeps_its_signing_block",
        "decision",
        "UPDATE",
        "OLD.state IN ('signed', 'executed', 'cancelled') AND OLD.signing_block IS DISTINCT FROM NEW.signing_block",
        "a signed decision keeps its signing block",
    )
