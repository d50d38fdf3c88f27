"""The legal watch: what a change of a law means for each document and procedure that cites it, and verdicts on citations."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import differs, guard, recheck

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SUBJECT = (
    "(CASE WHEN revision_id IS NULL THEN 0 ELSE 1 END + CASE WHEN decision_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN change_request_id IS NULL THEN 0 ELSE 1 END + CASE WHEN recall_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN legal_assessment_id IS NULL THEN 0 ELSE 1 END) = 1"
)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "citation_verdict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=220), nullable=False),
        sa.Column("label", sa.String(length=300), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("given_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("given_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("verdict IN ('confirmed', 'rejected')", name=op.f("ck_citation_verdict_verdict")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_citation_verdict_document_id")),
        sa.ForeignKeyConstraint(["given_by_id"], ["account.id"], name=op.f("fk_citation_verdict_given_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citation_verdict")),
    )
    op.create_index(op.f("ix_citation_verdict_document_id"), "citation_verdict", ["document_id"], unique=False)
    op.create_table(
        "legal_assessment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("external_document_id", sa.Integer(), nullable=False),
        sa.Column("cause_kind", sa.String(length=10), nullable=False),
        sa.Column("cause_number", sa.String(length=200), nullable=False),
        sa.Column("cause_key", sa.String(length=220), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("procedure_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("change_request_id", sa.Integer(), nullable=True),
        sa.Column("finished_on", sa.Date(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(length=60), nullable=False),
        sa.Column("workflow_version", sa.Integer(), nullable=False),
        sa.Column("created_at", docctl.database.Instant(length=27), nullable=False),
        sa.CheckConstraint(
            "(finished_on IS NOT NULL) = (state IN ('done', 'no_effect'))", name=op.f("ck_legal_assessment_finished")
        ),
        sa.CheckConstraint("state = 'open' OR finding <> ''", name=op.f("ck_legal_assessment_finding")),
        sa.CheckConstraint(
            "state IN ('open', 'must_change', 'done', 'no_effect')", name=op.f("ck_legal_assessment_state")
        ),
        sa.CheckConstraint("(document_id IS NULL) <> (procedure_id IS NULL)", name=op.f("ck_legal_assessment_subject")),
        sa.ForeignKeyConstraint(
            ["change_request_id"], ["change_request.id"], name=op.f("fk_legal_assessment_change_request_id")
        ),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_legal_assessment_document_id")),
        sa.ForeignKeyConstraint(
            ["external_document_id"], ["external_document.id"], name=op.f("fk_legal_assessment_external_document_id")
        ),
        sa.ForeignKeyConstraint(["procedure_id"], ["procedure.id"], name=op.f("fk_legal_assessment_procedure_id")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_legal_assessment_revision_id")),
        sa.ForeignKeyConstraint(
            ["workflow", "workflow_version"],
            ["workflow_version.name", "workflow_version.version"],
            name=op.f("fk_legal_assessment_workflow"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_assessment")),
    )
    op.create_index(op.f("ix_legal_assessment_deadline"), "legal_assessment", ["deadline"], unique=False)
    op.create_index(op.f("ix_legal_assessment_document_id"), "legal_assessment", ["document_id"], unique=False)
    op.create_index(op.f("ix_legal_assessment_procedure_id"), "legal_assessment", ["procedure_id"], unique=False)
    op.create_index(
        "uq_legal_assessment_document",
        "legal_assessment",
        ["external_document_id", "cause_key", "document_id"],
        unique=True,
    )
    op.create_index(
        "uq_legal_assessment_procedure",
        "legal_assessment",
        ["external_document_id", "cause_key", "procedure_id"],
        unique=True,
    )
    # Written alike for both engines: Alembic adds no foreign key to a table of SQLite.
    op.execute(
        "ALTER TABLE signature ADD COLUMN legal_assessment_id INTEGER "
        "CONSTRAINT fk_signature_legal_assessment_id REFERENCES legal_assessment (id)"
    )
    recheck("signature", "subject", SUBJECT)
    op.create_index(op.f("ix_signature_legal_assessment_id"), "signature", ["legal_assessment_id"], unique=False)
    guards()


def guards() -> None:
    """An assessment keeps its cause, its subject and its end; no effect needs a signature; a verdict never changes."""
    for table in ("legal_assessment", "citation_verdict"):
        guard(f"{table}_never_deleted", table, "DELETE", "1 = 1", f"{table} rows are never deleted")
        if op.get_bind().dialect.name == "sqlite":
            taken = f"EXISTS (SELECT 1 FROM {table} AS other WHERE other.id = NEW.id)"
            guard(f"{table}_never_replaced", table, "INSERT", taken, f"{table} rows are never replaced")
    guard("citation_verdict_never_changes", "citation_verdict", "UPDATE", "1 = 1", "verdicts are never changed")
    if op.get_bind().dialect.name == "sqlite":
        same = (
            "EXISTS (SELECT 1 FROM legal_assessment AS other WHERE other.external_document_id = NEW.external_document_id "
            "AND other.cause_key = NEW.cause_key "
            "AND (other.document_id = NEW.document_id OR other.procedure_id = NEW.procedure_id))"
        )
        says = "a change of a law is assessed once for each document"
        guard("legal_assessment_is_the_only_one", "legal_assessment", "INSERT", same, says)
    says = "an assessment begins as open"
    guard("legal_assessment_begins_open", "legal_assessment", "INSERT", "NEW.state <> 'open'", says)
    fixed = differs(
        *("id", "external_document_id", "cause_kind", "cause_number", "cause_key", "effective_from", "deadline"),
        *("document_id", "revision_id", "procedure_id", "created_at", "workflow", "workflow_version"),
    )
    says = "an assessment keeps its cause, its subject and its deadline"
    guard("legal_assessment_keeps_its_cause", "legal_assessment", "UPDATE", fixed, says)
    guard(
        "legal_assessment_ends_once",
        "legal_assessment",
        "UPDATE",
        "OLD.state IN ('done', 'no_effect') AND (" + differs("state", "finding", "finished_on", "round") + ")",
        "an assessment that has ended stays as it is",
    )
    guard(
        "legal_assessment_no_effect_is_signed",
        "legal_assessment",
        "UPDATE",
        "OLD.state <> NEW.state AND NEW.state = 'no_effect' AND NOT EXISTS (SELECT 1 FROM signature "
        "WHERE signature.legal_assessment_id = NEW.id AND signature.round = NEW.round AND signature.meaning = 'assessed')",
        "no effect needs a signature of this round",
    )
