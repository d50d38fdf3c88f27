"""Change requests: the front door of every change, with the opinions on it, signed."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import differs, guard, recheck

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KINDS = "('new', 'amend', 'withdraw', 'adopt')"
STATES = "('draft', 'in_review', 'in_approval', 'accepted', 'in_decision', 'done', 'returned', 'cancelled')"
PATHS = (
    ("draft", "in_review"),
    ("draft", "cancelled"),
    ("in_review", "in_approval"),
    ("in_review", "draft"),
    ("in_review", "cancelled"),
    ("in_approval", "accepted"),
    ("in_approval", "returned"),
    ("in_approval", "draft"),
    ("in_approval", "cancelled"),
    ("accepted", "in_decision"),
    ("accepted", "cancelled"),
    ("in_decision", "accepted"),
    ("in_decision", "done"),
)
WORDS = (
    *("kind", "unit_id", "type_id", "code", "title", "edition", "amendment", "effective_on", "why", "affected"),
    *("replaced_by_id", "drafter_id", "draft_due", "file_sha256", "file_name", "legal_basis", "law_effective_on"),
    "requester_id",
)
SUBJECT = (
    "(CASE WHEN revision_id IS NULL THEN 0 ELSE 1 END + CASE WHEN decision_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN change_request_id IS NULL THEN 0 ELSE 1 END) = 1"
)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "change_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(length=60), nullable=False),
        sa.Column("workflow_version", sa.Integer(), nullable=False),
        sa.Column("requester_id", sa.Integer(), nullable=False),
        sa.Column("requester_unit_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column("type_id", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=True),
        sa.Column("amendment", sa.Integer(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("affected", sa.Text(), nullable=False),
        sa.Column("replaced_by_id", sa.Integer(), nullable=True),
        sa.Column("drafter_id", sa.Integer(), nullable=True),
        sa.Column("draft_due", sa.Date(), nullable=True),
        sa.Column("file_sha256", sa.String(length=64), nullable=True),
        sa.Column("file_name", sa.String(length=400), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("law_effective_on", sa.Date(), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.Column("created_at", docctl.database.Instant(length=27), nullable=False),
        sa.CheckConstraint(f"kind IN {KINDS}", name=op.f("ck_change_request_kind")),
        sa.CheckConstraint(f"state IN {STATES}", name=op.f("ck_change_request_state")),
        sa.CheckConstraint("number > 0", name=op.f("ck_change_request_number")),
        sa.CheckConstraint(
            "state IN ('draft', 'cancelled') OR content_hash IS NOT NULL", name=op.f("ck_change_request_content")
        ),
        sa.CheckConstraint(
            "state NOT IN ('in_decision', 'done') OR decision_id IS NOT NULL", name=op.f("ck_change_request_decision")
        ),
        sa.CheckConstraint(
            "kind IN ('new', 'adopt') OR state IN ('draft', 'cancelled') OR document_id IS NOT NULL",
            name=op.f("ck_change_request_document"),
        ),
        sa.ForeignKeyConstraint(
            ["workflow", "workflow_version"],
            ["workflow_version.name", "workflow_version.version"],
            name=op.f("fk_change_request_workflow"),
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.{key}"], name=op.f(f"fk_change_request_{column}"))
            for column, table, key in (
                ("requester_id", "account", "id"),
                ("requester_unit_id", "unit", "id"),
                ("unit_id", "unit", "id"),
                ("document_id", "document", "id"),
                ("type_id", "document_type", "id"),
                ("replaced_by_id", "document", "id"),
                ("drafter_id", "account", "id"),
                ("file_sha256", "content", "sha256"),
                ("revision_id", "revision", "id"),
                ("decision_id", "decision", "id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_request")),
        sa.UniqueConstraint("year", "number", name=op.f("uq_change_request_year_number")),
    )
    for column in ("state", "requester_id", "unit_id", "document_id", "drafter_id", "decision_id"):
        op.create_index(op.f(f"ix_change_request_{column}"), "change_request", [column], unique=False)
    op.create_index(
        "uq_change_request_revision",
        "change_request",
        ["revision_id"],
        unique=True,
        sqlite_where=sa.text("revision_id IS NOT NULL"),
        postgresql_where=sa.text("revision_id IS NOT NULL"),
    )
    op.create_table(
        "request_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change_request_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(length=300), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_request_id"], ["change_request.id"], name=op.f("fk_request_row_change_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_row")),
    )
    op.create_index(op.f("ix_request_row_change_request_id"), "request_row", ["change_request_id"], unique=False)
    # Written alike for both engines: Alembic adds no foreign key to a table of SQLite.
    op.execute(
        "ALTER TABLE signature ADD COLUMN change_request_id INTEGER "
        "CONSTRAINT fk_signature_change_request_id REFERENCES change_request (id)"
    )
    recheck("signature", "subject", SUBJECT)
    op.create_index("uq_signature_request_seat", "signature", ["change_request_id", "round", "seat"], unique=True)
    op.create_table(
        "opinion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change_request_id", sa.Integer(), nullable=False),
        sa.Column("signature_id", sa.Integer(), nullable=False),
        sa.Column("conclusion", sa.String(length=10), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.CheckConstraint("conclusion IN ('agree', 'disagree')", name=op.f("ck_opinion_conclusion")),
        sa.CheckConstraint("conclusion = 'agree' OR length(remark) > 0", name=op.f("ck_opinion_remark")),
        sa.ForeignKeyConstraint(
            ["change_request_id"], ["change_request.id"], name=op.f("fk_opinion_change_request_id")
        ),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_opinion_signature_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinion")),
        sa.UniqueConstraint("signature_id", name=op.f("uq_opinion_signature_id")),
    )
    op.create_index(op.f("ix_opinion_change_request_id"), "opinion", ["change_request_id"], unique=False)
    guards()


def guards() -> None:
    """A request keeps its words from submission on, its way, and its signatures; an opinion never changes."""
    says = "change requests and opinions are never deleted or replaced"
    for table in ("change_request", "opinion"):
        guard(f"{table}_never_deleted", table, "DELETE", "1 = 1", says)
    guard("opinion_never_changes", "opinion", "UPDATE", "1 = 1", "opinions are never changed")
    taken = "EXISTS (SELECT 1 FROM {table} AS other WHERE {condition})"
    same = "other.id = NEW.id OR (other.year = NEW.year AND other.number = NEW.number)"
    drafted = "(other.revision_id IS NOT NULL AND other.revision_id = NEW.revision_id)"
    for name, event, table, condition in (
        ("change_request_takes_no_other_place_insert", "INSERT", "change_request", f"{same} OR {drafted}"),
        (
            "change_request_takes_no_other_place_update",
            "UPDATE",
            "change_request",
            f"other.id <> OLD.id AND ({same} OR {drafted})",
        ),
        (
            "opinion_takes_no_other_place",
            "INSERT",
            "opinion",
            "other.id = NEW.id OR other.signature_id = NEW.signature_id",
        ),
        (
            "signature_takes_no_other_place_on_request",
            "INSERT",
            "signature",
            "other.change_request_id = NEW.change_request_id AND other.round = NEW.round AND other.seat = NEW.seat",
        ),
    ):
        guard(name, table, event, taken.format(table=table, condition=condition), says)
    guard(
        "change_request_begins_as_draft",
        "change_request",
        "INSERT",
        "NEW.state <> 'draft'",
        "a change request begins as a draft",
    )
    known = " OR ".join(f"(OLD.state = '{old}' AND NEW.state = '{new}')" for old, new in PATHS)
    guard(
        "change_request_takes_a_known_path",
        "change_request",
        "UPDATE",
        f"OLD.state <> NEW.state AND NOT ({known})",
        "a change request cannot go from its state to that one",
    )
    guard(
        "change_request_words_are_frozen",
        "change_request",
        "UPDATE",
        f"(OLD.state <> 'draft' OR NEW.state <> 'draft') AND ({differs(*WORDS)} "
        "OR (OLD.document_id IS NOT NULL AND OLD.document_id IS DISTINCT FROM NEW.document_id) "
        "OR (OLD.revision_id IS NOT NULL AND OLD.revision_id IS DISTINCT FROM NEW.revision_id))",
        "the words of a change request change only in a draft",
    )
    guard(
        "change_request_stays_what_it_is",
        "change_request",
        "UPDATE",
        differs("id", "year", "number", "workflow", "workflow_version", "requester_unit_id", "created_at"),
        "a change request keeps its number and its workflow",
    )
    guard(
        "change_request_acceptance_is_signed",
        "change_request",
        "UPDATE",
        "OLD.state <> NEW.state AND NEW.state = 'accepted' AND NOT EXISTS (SELECT 1 FROM signature "
        "WHERE signature.change_request_id = NEW.id AND signature.round = NEW.round "
        "AND signature.meaning = 'accepted' AND signature.content_hash = NEW.content_hash "
        "AND signature.account_id <> NEW.requester_id)",
        "a change request is accepted by the signature of another than its requester",
    )
    for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        guard(
            f"request_row_is_frozen_{event.lower()}",
            "request_row",
            event,
            f"EXISTS (SELECT 1 FROM change_request WHERE change_request.id = {row}.change_request_id "
            "AND change_request.state <> 'draft')",
            "the rows of a change request change only in a draft",
        )
    guard(
        "request_row_is_not_taken_away",
        "request_row",
        "UPDATE",
        "EXISTS (SELECT 1 FROM change_request WHERE change_request.id = OLD.change_request_id "
        "AND change_request.state <> 'draft')",
        "the rows of a change request change only in a draft",
    )
