"""The whole life of a document: its tables, and the guards that no program can walk past."""

import sqlalchemy as sa
from alembic import op

import docctl.database

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    tables()
    guards()


def tables() -> None:
    """Make the tables."""
    op.create_table(
        "audit_entry",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("actor_title", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("noun", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_entry_hash")),
    )
    op.create_index(op.f("ix_audit_entry_action"), "audit_entry", ["action"], unique=False)
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_index(op.f("ix_audit_entry_document_id"), "audit_entry", ["document_id"], unique=False)
    op.create_index("ix_audit_entry_record", "audit_entry", ["noun", "record_id"], unique=False)
    op.create_table(
        "content",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("stored_at", docctl.database.Instant(length=27), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_content_sha256")),
        sa.CheckConstraint("size > 0", name=op.f("ck_content_size")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_content")),
    )
    op.create_table(
        "document_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name_vi", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("code_pattern", sa.String(length=80), nullable=False),
        sa.Column("workflow", sa.String(length=60), nullable=False),
        sa.Column("review_months", sa.Integer(), nullable=True),
        sa.Column("retention_years", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_type")),
        sa.UniqueConstraint("code", name=op.f("uq_document_type_code")),
    )
    op.create_table(
        "failed_sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", docctl.database.Instant(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_sign_in")),
    )
    op.create_index(op.f("ix_failed_sign_in_address"), "failed_sign_in", ["address"], unique=False)
    op.create_index(op.f("ix_failed_sign_in_name"), "failed_sign_in", ["name"], unique=False)
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_vi", sa.String(length=300), nullable=False),
        sa.Column("name_en", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("successor_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_unit_period")),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("fk_unit_parent_id")),
        sa.ForeignKeyConstraint(["successor_id"], ["unit.id"], name=op.f("fk_unit_successor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("code", name=op.f("uq_unit_code")),
    )
    op.create_table(
        "workflow_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("registered_at", docctl.database.Instant(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_version")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_workflow_version_name_version")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("title_vi", sa.String(length=200), nullable=False),
        sa.Column("title_en", sa.String(length=200), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("locale", sa.String(length=5), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("created_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("disabled_at", docctl.database.Instant(length=27), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_account_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
    op.create_table(
        "content_text",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("reason_vi", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("extracted_at", docctl.database.Instant(length=27), nullable=True),
        sa.CheckConstraint("status IN ('waiting', 'extracted', 'unavailable')", name=op.f("ck_content_text_status")),
        sa.ForeignKeyConstraint(["sha256"], ["content.sha256"], name=op.f("fk_content_text_sha256")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_content_text")),
    )
    op.create_index(op.f("ix_content_text_status"), "content_text", ["status"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("number_key", sa.String(length=80), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("signer_id", sa.Integer(), nullable=True),
        sa.Column("signer_form", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(length=60), nullable=False),
        sa.Column("workflow_version", sa.Integer(), nullable=False),
        sa.Column("checked_hash", sa.String(length=64), nullable=True),
        sa.Column("drafted_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("executed_at", docctl.database.Instant(length=27), nullable=True),
        sa.CheckConstraint("(executed_at IS NOT NULL) = (state = 'executed')", name=op.f("ck_decision_executed")),
        sa.CheckConstraint(
            "state IN ('draft', 'checked', 'signed', 'executed', 'cancelled')", name=op.f("ck_decision_state")
        ),
        sa.CheckConstraint(
            "state NOT IN ('signed', 'executed') OR (signer_id IS NOT NULL AND number <> '' AND signed_on IS NOT NULL AND effective_from IS NOT NULL)",
            name=op.f("ck_decision_signer"),
        ),
        sa.ForeignKeyConstraint(["drafted_by_id"], ["account.id"], name=op.f("fk_decision_drafted_by_id")),
        sa.ForeignKeyConstraint(["signer_id"], ["account.id"], name=op.f("fk_decision_signer_id")),
        sa.ForeignKeyConstraint(
            ["workflow", "workflow_version"],
            ["workflow_version.name", "workflow_version.version"],
            name=op.f("fk_decision_workflow"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(
        "uq_decision_number",
        "decision",
        ["year", "number_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('signed', 'executed')"),
        postgresql_where=sa.text("state IN ('signed', 'executed')"),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("code_key", sa.String(length=80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("type_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column("code_clash", sa.Boolean(), nullable=False),
        sa.Column("created_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(code) > 0", name=op.f("ck_document_code")),
        sa.CheckConstraint("length(title) > 0", name=op.f("ck_document_title")),
        sa.ForeignKeyConstraint(["created_by_id"], ["account.id"], name=op.f("fk_document_created_by_id")),
        sa.ForeignKeyConstraint(["type_id"], ["document_type.id"], name=op.f("fk_document_type_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_document_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    op.create_index(op.f("ix_document_code_key"), "document", ["code_key"], unique=False)
    op.create_index(op.f("ix_document_unit_id"), "document", ["unit_id"], unique=False)
    op.create_index(
        "uq_document_code",
        "document",
        ["unit_id", "field", "code_key"],
        unique=True,
        sqlite_where=sa.text("NOT code_clash"),
        postgresql_where=sa.text("NOT code_clash"),
    )
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "role IN ('author', 'reviewer', 'format_reviewer', 'approver', 'controller', 'staff', 'auditor', 'admin')",
            name=op.f("ck_role_grant_role"),
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_from IS NULL OR valid_to >= valid_from", name=op.f("ck_role_grant_period")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_role_grant_account_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_role_grant_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    op.create_index(op.f("ix_role_grant_account_id"), "role_grant", ["account_id"], unique=False)
    op.create_index("uq_role_grant_unit", "role_grant", ["account_id", "role", "unit_id"], unique=True)
    op.create_table(
        "sign_in",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("seen_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("ended_at", docctl.database.Instant(length=27), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_sign_in_account_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in")),
    )
    op.create_index(op.f("ix_sign_in_account_id"), "sign_in", ["account_id"], unique=False)
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("amendment", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(length=60), nullable=False),
        sa.Column("workflow_version", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=True),
        sa.Column("file_name", sa.String(length=400), nullable=False),
        sa.Column("change_summary", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("effective_from", docctl.database.Instant(length=27), nullable=True),
        sa.Column("effective_to", docctl.database.Instant(length=27), nullable=True),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.Column("withdrawn_by_id", sa.Integer(), nullable=True),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("origin_decision", sa.String(length=200), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("cover_date", sa.Date(), nullable=True),
        sa.Column("created_at", docctl.database.Instant(length=27), nullable=False),
        sa.CheckConstraint(
            "(effective_from IS NOT NULL) = (state IN ('issued', 'withdrawn'))", name=op.f("ck_revision_effective")
        ),
        sa.CheckConstraint("origin IN ('workflow', 'import')", name=op.f("ck_revision_origin")),
        sa.CheckConstraint("state <> 'withdrawn' OR effective_to IS NOT NULL", name=op.f("ck_revision_withdrawn")),
        sa.CheckConstraint(
            "state IN ('draft', 'discarded') OR (file_sha256 IS NOT NULL AND content_hash IS NOT NULL)",
            name=op.f("ck_revision_content"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'in_review', 'in_approval', 'approved', 'issued', 'withdrawn', 'discarded')",
            name=op.f("ck_revision_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('issued', 'withdrawn') OR origin = 'import' OR decision_id IS NOT NULL",
            name=op.f("ck_revision_decision"),
        ),
        sa.CheckConstraint("edition >= 0 AND amendment >= 0", name=op.f("ck_revision_edition")),
        sa.CheckConstraint("effective_to IS NULL OR effective_to >= effective_from", name=op.f("ck_revision_interval")),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_revision_author_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_revision_decision_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_revision_document_id")),
        sa.ForeignKeyConstraint(["file_sha256"], ["content.sha256"], name=op.f("fk_revision_file_sha256")),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["decision.id"], name=op.f("fk_revision_withdrawn_by_id")),
        sa.ForeignKeyConstraint(
            ["workflow", "workflow_version"],
            ["workflow_version.name", "workflow_version.version"],
            name=op.f("fk_revision_workflow"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
    )
    op.create_index(op.f("ix_revision_author_id"), "revision", ["author_id"], unique=False)
    op.create_index(op.f("ix_revision_decision_id"), "revision", ["decision_id"], unique=False)
    op.create_index(op.f("ix_revision_document_id"), "revision", ["document_id"], unique=False)
    op.create_index(op.f("ix_revision_file_sha256"), "revision", ["file_sha256"], unique=False)
    op.create_index("ix_revision_interval", "revision", ["effective_from", "effective_to"], unique=False)
    op.create_index(op.f("ix_revision_state"), "revision", ["state"], unique=False)
    op.create_index(
        "uq_revision_edition",
        "revision",
        ["document_id", "edition", "amendment"],
        unique=True,
        sqlite_where=sa.text("state <> 'discarded'"),
        postgresql_where=sa.text("state <> 'discarded'"),
    )
    op.create_index(
        "uq_revision_in_force",
        "revision",
        ["document_id"],
        unique=True,
        sqlite_where=sa.text("effective_from IS NOT NULL AND effective_to IS NULL"),
        postgresql_where=sa.text("effective_from IS NOT NULL AND effective_to IS NULL"),
    )
    op.create_index(
        "uq_revision_open",
        "revision",
        ["document_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('draft', 'in_review', 'in_approval', 'approved')"),
        postgresql_where=sa.text("state IN ('draft', 'in_review', 'in_approval', 'approved')"),
    )
    op.create_table(
        "change_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(length=300), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_change_row_revision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_row")),
    )
    op.create_index(op.f("ix_change_row_revision_id"), "change_row", ["revision_id"], unique=False)
    op.create_table(
        "decision_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("replaced_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(action = 'issue' AND revision_id IS NOT NULL) OR (action = 'withdraw' AND revision_id IS NULL)",
            name=op.f("ck_decision_line_action"),
        ),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_decision_line_decision_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_decision_line_document_id")),
        sa.ForeignKeyConstraint(["replaced_by_id"], ["document.id"], name=op.f("fk_decision_line_replaced_by_id")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_decision_line_revision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_line")),
        sa.UniqueConstraint("decision_id", "position", name=op.f("uq_decision_line_decision_id_position")),
    )
    op.create_index(op.f("ix_decision_line_decision_id"), "decision_line", ["decision_id"], unique=False)
    op.create_index(op.f("ix_decision_line_document_id"), "decision_line", ["document_id"], unique=False)
    op.create_index(op.f("ix_decision_line_revision_id"), "decision_line", ["revision_id"], unique=False)
    op.create_table(
        "signature",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("seat", sa.String(length=40), nullable=False),
        sa.Column("meaning", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("signed_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("(revision_id IS NULL) <> (decision_id IS NULL)", name=op.f("ck_signature_subject")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_signature_account_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_signature_decision_id")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_signature_revision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature")),
    )
    op.create_index(op.f("ix_signature_decision_id"), "signature", ["decision_id"], unique=False)
    op.create_index("ix_signature_revision", "signature", ["revision_id", "round"], unique=False)
    op.create_index("uq_signature_person", "signature", ["revision_id", "round", "account_id"], unique=True)
    op.create_index("uq_signature_seat", "signature", ["revision_id", "round", "seat"], unique=True)


REVISION_PATHS = (
    ("draft", "in_review"),
    ("draft", "discarded"),
    ("in_review", "in_approval"),
    ("in_review", "draft"),
    ("in_approval", "approved"),
    ("in_approval", "draft"),
    ("approved", "issued"),
    ("approved", "draft"),
    ("issued", "withdrawn"),
)
DECISION_PATHS = (
    ("draft", "checked"),
    ("draft", "cancelled"),
    ("checked", "signed"),
    ("checked", "draft"),
    ("checked", "cancelled"),
    ("signed", "executed"),
    ("signed", "cancelled"),
)


def guards() -> None:
    """Make the triggers: what no verb may do, no other program that opens the database can do either."""
    for table in ("audit_entry", "signature", "workflow_version", "content"):
        guard(f"{table}_never_changes", table, "UPDATE", "1 = 1", f"{table} rows are never changed")
    for table in (
        "audit_entry",
        "signature",
        "workflow_version",
        "content",
        "document",
        "revision",
        "decision",
        "account",
    ):
        guard(f"{table}_never_deleted", table, "DELETE", "1 = 1", f"{table} rows are never deleted")
    for table, key in (("signature", "id"), ("workflow_version", "id"), ("content", "sha256"), ("revision", "id")):
        # Without recursive_triggers, INSERT OR REPLACE would delete the old row and no trigger would hear of it.
        taken = f"EXISTS (SELECT 1 FROM {table} AS other WHERE other.{key} = NEW.{key})"
        guard(f"{table}_never_replaced", table, "INSERT", taken, f"{table} rows are never replaced")
    guard(
        "audit_entry_follows_the_last",
        "audit_entry",
        "INSERT",
        "NEW.sequence <> 1 + coalesce((SELECT max(sequence) FROM audit_entry), 0) OR NEW.prev_hash <> "
        f"coalesce((SELECT hash FROM audit_entry ORDER BY sequence DESC LIMIT 1), '{'0' * 64}')",
        "an audit entry must follow the last one",
    )
    revision_guards()
    decision_guards()


def revision_guards() -> None:
    """Guard states, contents, signatures and intervals of revisions."""
    guard(
        "revision_begins_as_draft",
        "revision",
        "INSERT",
        "NEW.state <> 'draft' AND NOT (NEW.origin = 'import' AND NEW.state = 'issued')",
        "a revision begins as a draft, or is imported as issued elsewhere",
    )
    guard(
        "revision_takes_a_known_path",
        "revision",
        "UPDATE",
        f"OLD.state <> NEW.state AND NOT ({paths(REVISION_PATHS)})",
        "a revision cannot go from its state to that one",
    )
    guard(
        "revision_content_is_frozen",
        "revision",
        "UPDATE",
        "(OLD.state <> 'draft' OR NEW.state <> 'draft') AND ("
        + differs(
            "file_sha256", "file_name", "title", "edition", "amendment", "change_summary", "cover_date", "author_id"
        )
        + ")",
        "the content of a revision changes only in a draft",
    )
    guard(
        "revision_stays_what_it_is",
        "revision",
        "UPDATE",
        differs(
            "id", "document_id", "workflow", "workflow_version", "origin", "origin_decision", "source", "created_at"
        ),
        "a revision keeps its document, its workflow and its origin",
    )
    for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        guard(
            f"change_row_is_frozen_{event.lower()}",
            "change_row",
            event,
            f"EXISTS (SELECT 1 FROM revision WHERE revision.id = {row}.revision_id AND revision.state <> 'draft')",
            "the change table changes only in a draft",
        )
    guard(
        "revision_approval_is_signed",
        "revision",
        "UPDATE",
        "OLD.state <> NEW.state AND NEW.state = 'approved' AND NOT EXISTS (SELECT 1 FROM signature "
        "WHERE signature.revision_id = NEW.id AND signature.round = NEW.round AND signature.meaning = 'approved' "
        "AND signature.content_hash = NEW.content_hash AND signature.account_id <> NEW.author_id)",
        "an approval needs the signature, in this round and on this content, of somebody who is not the author",
    )
    guard(
        "revision_is_issued_by_decision",
        "revision",
        "UPDATE",
        "OLD.state <> NEW.state AND NEW.state = 'issued' AND NOT EXISTS (SELECT 1 FROM decision_line "
        "JOIN decision ON decision.id = decision_line.decision_id WHERE decision.id = NEW.decision_id "
        "AND decision.state = 'executed' AND decision_line.action = 'issue' AND decision_line.revision_id = NEW.id)",
        "a revision is issued only by a line of an executed decision",
    )
    guard(
        "revision_is_withdrawn_by_decision",
        "revision",
        "UPDATE",
        "OLD.state <> NEW.state AND NEW.state = 'withdrawn' AND NOT EXISTS (SELECT 1 FROM decision_line "
        "JOIN decision ON decision.id = decision_line.decision_id WHERE decision.id = NEW.withdrawn_by_id "
        "AND decision.state = 'executed' AND decision_line.action = 'withdraw' "
        "AND decision_line.document_id = NEW.document_id)",
        "a revision is withdrawn only by a line of an executed decision",
    )
    guard(
        "revision_interval_only_shortens",
        "revision",
        "UPDATE",
        "(OLD.effective_from IS NOT NULL AND OLD.effective_from IS DISTINCT FROM NEW.effective_from) OR "
        "(OLD.effective_to IS NOT NULL AND (NEW.effective_to IS NULL OR NEW.effective_to > OLD.effective_to))",
        "an interval can end earlier, and do nothing else",
    )
    overlaps = (
        "NEW.effective_from IS NOT NULL AND (NEW.effective_to IS NULL OR NEW.effective_to > NEW.effective_from) "
        "AND EXISTS (SELECT 1 FROM revision AS other WHERE other.document_id = NEW.document_id AND other.id <> NEW.id "
        "AND (other.effective_to IS NULL OR other.effective_to > other.effective_from) "
        "AND (other.effective_to IS NULL OR NEW.effective_from < other.effective_to) "
        "AND (NEW.effective_to IS NULL OR other.effective_from < NEW.effective_to) AND other.effective_from IS NOT NULL)"
    )
    for event in ("INSERT", "UPDATE"):
        guard(
            f"revision_intervals_never_overlap_{event.lower()}",
            "revision",
            event,
            overlaps,
            "two revisions of a document cannot be in force at once",
        )


def decision_guards() -> None:
    """Guard states, words and lines of decisions."""
    guard("decision_begins_as_draft", "decision", "INSERT", "NEW.state <> 'draft'", "a decision begins as a draft")
    guard(
        "decision_takes_a_known_path",
        "decision",
        "UPDATE",
        f"OLD.state <> NEW.state AND NOT ({paths(DECISION_PATHS)})",
        "a decision cannot go from its state to that one",
    )
    guard(
        "decision_words_are_frozen",
        "decision",
        "UPDATE",
        "OLD.state <> 'draft' AND ("
        + differs("number", "year", "signed_on", "title", "effective_from", "signer_form", "drafted_by_id")
        + ")",
        "what a decision says changes only in a draft",
    )
    guard(
        "decision_keeps_its_signer",
        "decision",
        "UPDATE",
        "OLD.state IN ('signed', 'executed', 'cancelled') AND (" + differs("signer_id", "checked_hash") + ")",
        "a signed decision keeps its signer",
    )
    guard(
        "decision_is_signed",
        "decision",
        "UPDATE",
        "OLD.state <> NEW.state AND NEW.state = 'signed' AND NOT EXISTS (SELECT 1 FROM signature "
        "WHERE signature.decision_id = NEW.id AND signature.round = NEW.round AND signature.meaning = 'signed' "
        "AND signature.account_id = NEW.signer_id AND signature.content_hash = NEW.checked_hash)",
        "a decision needs the signature of its signer on the lines that were checked",
    )
    for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        guard(
            f"decision_line_is_frozen_{event.lower()}",
            "decision_line",
            event,
            f"EXISTS (SELECT 1 FROM decision WHERE decision.id = {row}.decision_id AND decision.state <> 'draft')",
            "the lines of a decision change only in a draft",
        )


def guard(name: str, table: str, event: str, refuses: str, says: str) -> None:
    """Refuse an event on a table's rows while a condition, portable SQL over OLD and NEW, holds."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {refuses} "
            f"BEGIN SELECT RAISE(ABORT, '{says}'); END"
        )
        return
    kept = "OLD" if event == "DELETE" else "NEW"
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {refuses} THEN "
        f"RAISE EXCEPTION '{says}' USING ERRCODE = 'check_violation'; END IF; RETURN {kept}; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def paths(pairs: tuple[tuple[str, str], ...]) -> str:
    """Return the condition that OLD and NEW states are one of the pairs."""
    return " OR ".join(f"(OLD.state = '{old}' AND NEW.state = '{new}')" for old, new in pairs)


def differs(*columns: str) -> str:
    """Return the condition that one of the columns changes."""
    return " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
