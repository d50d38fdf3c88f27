"""Internal audits: draws, samples, the answers of the walk, and findings with their corrective-action slips."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import differs, guard, recheck

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

SUBJECT = (
    "(CASE WHEN revision_id IS NULL THEN 0 ELSE 1 END + CASE WHEN decision_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN change_request_id IS NULL THEN 0 ELSE 1 END + CASE WHEN recall_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN legal_assessment_id IS NULL THEN 0 ELSE 1 END + CASE WHEN disposal_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN internal_audit_id IS NULL THEN 0 ELSE 1 END "
    "+ CASE WHEN nonconformity_id IS NULL THEN 0 ELSE 1 END) = 1"
)
TABLES = (
    *("internal_audit", "audit_draw", "audit_sample", "checklist_answer", "nonconformity"),
    "nonconformity_evidence",
)
AUDIT_WAYS = (("planned", "under_way"), ("planned", "cancelled"), ("under_way", "reported"))
SLIP_WAYS = (("open", "answered"), ("open", "cancelled"), ("answered", "closed"), ("answered", "open"))


def upgrade() -> None:
    """Apply the change."""
    instant = docctl.database.Instant(length=27)
    op.create_table(
        "internal_audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("criteria", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("team", "plan", "conclusion")),
        sa.Column("checklist", sa.String(length=20), nullable=False),
        *_moving(),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("opened_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("reported_at", instant, nullable=True),
        sa.Column("head_sequence", sa.Integer(), nullable=True),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        _check("internal_audit", "state", "state IN ('planned', 'under_way', 'reported', 'cancelled')"),
        _check("internal_audit", "days", "last_day IS NULL OR first_day IS NULL OR last_day >= first_day"),
        _check("internal_audit", "reported", "(state = 'reported') = (reported_at IS NOT NULL)"),
        _check(
            "internal_audit",
            "complete",
            "state <> 'reported' OR (conclusion <> '' AND content_hash IS NOT NULL AND head_sequence IS NOT NULL)",
        ),
        _key("internal_audit", "opened_by_id", "account.id"),
        _follows("internal_audit"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_internal_audit")),
        sa.UniqueConstraint("year", "number", name=op.f("uq_internal_audit_year_number")),
    )
    op.create_table(
        "audit_draw",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("internal_audit_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(length=60), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("within", sa.String(length=200), nullable=False),
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column("drawn_at", instant, nullable=False),
        sa.Column("drawn_by_id", sa.Integer(), nullable=False),
        _check("audit_draw", "size", "size > 0"),
        _check("audit_draw", "seed", "seed <> ''"),
        _key("audit_draw", "internal_audit_id", "internal_audit.id"),
        _key("audit_draw", "drawn_by_id", "account.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_draw")),
    )
    op.create_index("uq_audit_draw_position", "audit_draw", ["internal_audit_id", "position"], unique=True)
    op.create_table(
        "audit_sample",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("internal_audit_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("draw_id", sa.Integer(), nullable=True),
        sa.Column("taken_at", instant, nullable=False),
        sa.Column("walked_at", instant, nullable=True),
        sa.Column("walked_by_id", sa.Integer(), nullable=True),
        _check("audit_sample", "walked", "(walked_at IS NULL) = (walked_by_id IS NULL)"),
        _key("audit_sample", "internal_audit_id", "internal_audit.id"),
        _key("audit_sample", "document_id", "document.id"),
        _key("audit_sample", "revision_id", "revision.id"),
        _key("audit_sample", "draw_id", "audit_draw.id"),
        _key("audit_sample", "walked_by_id", "account.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_sample")),
        sa.UniqueConstraint("internal_audit_id", "position", name=op.f("uq_audit_sample_internal_audit_id_position")),
        sa.UniqueConstraint(
            "internal_audit_id", "document_id", name=op.f("uq_audit_sample_internal_audit_id_document_id")
        ),
    )
    op.create_index(op.f("ix_audit_sample_document_id"), "audit_sample", ["document_id"], unique=False)
    op.create_index(op.f("ix_audit_sample_revision_id"), "audit_sample", ["revision_id"], unique=False)
    op.create_table(
        "checklist_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("audit_sample_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("point", sa.String(length=20), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        _check("checklist_answer", "verdict", "verdict IN ('', 'conforms', 'nonconforming', 'not_applicable')"),
        _check("checklist_answer", "note", "verdict <> 'nonconforming' OR note <> ''"),
        _key("checklist_answer", "audit_sample_id", "audit_sample.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist_answer")),
        sa.UniqueConstraint("audit_sample_id", "position", name=op.f("uq_checklist_answer_audit_sample_id_position")),
        sa.UniqueConstraint("audit_sample_id", "point", name=op.f("uq_checklist_answer_audit_sample_id_point")),
    )
    op.create_table(
        "nonconformity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("internal_audit_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("audit_sample_id", sa.Integer(), nullable=True),
        sa.Column("point", sa.String(length=20), nullable=False),
        sa.Column("grade", sa.String(length=12), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("requirement", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("cause", "correction", "remedy", "proof", "verification")
        ),
        *_moving(),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("raised_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", instant, nullable=True),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", instant, nullable=True),
        _check("nonconformity", "state", "state IN ('open', 'answered', 'closed', 'cancelled')"),
        _check("nonconformity", "grade", "grade IN ('major', 'minor', 'observation')"),
        _check("nonconformity", "statement", "statement <> ''"),
        _check(
            "nonconformity",
            "answered",
            "(state IN ('answered', 'closed')) = (answered_by_id IS NOT NULL) AND (state NOT IN ('answered', 'closed') "
            "OR (cause <> '' AND remedy <> '' AND proof <> '' AND content_hash IS NOT NULL AND answered_at IS NOT NULL))",
        ),
        _check(
            "nonconformity",
            "closed",
            "(state = 'closed') = (closed_by_id IS NOT NULL) AND (state <> 'closed' OR (verification <> '' "
            "AND closed_at IS NOT NULL AND closed_by_id <> answered_by_id))",
        ),
        _key("nonconformity", "internal_audit_id", "internal_audit.id"),
        _key("nonconformity", "audit_sample_id", "audit_sample.id"),
        _key("nonconformity", "unit_id", "unit.id"),
        *(_key("nonconformity", f"{who}_by_id", "account.id") for who in ("raised", "answered", "closed")),
        _follows("nonconformity"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nonconformity")),
        sa.UniqueConstraint("internal_audit_id", "position", name=op.f("uq_nonconformity_internal_audit_id_position")),
    )
    op.create_index(op.f("ix_nonconformity_audit_sample_id"), "nonconformity", ["audit_sample_id"], unique=False)
    op.create_index("ix_nonconformity_open", "nonconformity", ["unit_id", "state", "due_on"], unique=False)
    op.create_table(
        "nonconformity_evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("nonconformity_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.Column("entry_sequence", sa.Integer(), nullable=True),
        sa.Column("entry_hash", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("file_name", sa.String(length=400), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added_by_id", sa.Integer(), nullable=False),
        sa.Column("added_at", instant, nullable=False),
        _check("nonconformity_evidence", "side", "side IN ('finding', 'proof')"),
        _check(
            "nonconformity_evidence",
            "one",
            "(CASE WHEN revision_id IS NULL THEN 0 ELSE 1 END + CASE WHEN decision_id IS NULL THEN 0 ELSE 1 END "
            "+ CASE WHEN entry_sequence IS NULL THEN 0 ELSE 1 END + CASE WHEN sha256 IS NULL THEN 0 ELSE 1 END) = 1",
        ),
        _key("nonconformity_evidence", "nonconformity_id", "nonconformity.id"),
        _key("nonconformity_evidence", "revision_id", "revision.id"),
        _key("nonconformity_evidence", "decision_id", "decision.id"),
        _key("nonconformity_evidence", "sha256", "content.sha256"),
        _key("nonconformity_evidence", "added_by_id", "account.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nonconformity_evidence")),
    )
    op.create_index(
        op.f("ix_nonconformity_evidence_nonconformity_id"),
        "nonconformity_evidence",
        ["nonconformity_id"],
        unique=False,
    )
    for table in ("internal_audit", "nonconformity"):
        op.execute(
            f"ALTER TABLE signature ADD COLUMN {table}_id INTEGER "
            f"CONSTRAINT fk_signature_{table}_id REFERENCES {table} (id)"
        )
    recheck("signature", "subject", SUBJECT)
    for table in ("internal_audit", "nonconformity"):
        op.create_index(op.f(f"ix_signature_{table}_id"), "signature", [f"{table}_id"], unique=False)
    guards()


def guards() -> None:
    """Nothing vanishes; what was reported or closed never changes; a correction is verified by another than who answers for it."""
    for table in TABLES:
        guard(f"{table}_never_deleted", table, "DELETE", "1 = 1", f"{table} rows are never deleted")
        taken = f"EXISTS (SELECT 1 FROM {table} AS other WHERE other.id = NEW.id)"
        guard(f"{table}_never_replaced", table, "INSERT", taken, f"{table} rows are never replaced")
    for table in ("audit_draw", "nonconformity_evidence"):
        guard(f"{table}_never_changes", table, "UPDATE", "1 = 1", f"{table} rows are never changed")
    _guard_audits()
    _guard_slips()


def _guard_audits() -> None:
    guard("internal_audit_begins", "internal_audit", "INSERT", "NEW.state <> 'planned'", "an audit begins planned")
    guard(
        "internal_audit_takes_a_known_path",
        "internal_audit",
        "UPDATE",
        f"OLD.state <> NEW.state AND NOT ({_ways(AUDIT_WAYS)})",
        "an audit cannot go from its state to that one",
    )
    guard(
        "internal_audit_is_frozen",
        "internal_audit",
        "UPDATE",
        f"OLD.state IN ('reported', 'cancelled') OR {differs('id', 'year', 'number', 'checklist', 'opened_by_id', 'created_at')}",
        "an audit that has ended never changes",
    )
    guard(
        "internal_audit_is_signed",
        "internal_audit",
        "UPDATE",
        "OLD.state <> NEW.state AND NEW.state = 'reported' AND (NOT EXISTS (SELECT 1 FROM signature "
        "WHERE signature.internal_audit_id = NEW.id AND signature.round = NEW.round AND signature.meaning = 'reported' "
        "AND signature.content_hash = NEW.content_hash) OR EXISTS (SELECT 1 FROM audit_sample JOIN checklist_answer "
        "ON checklist_answer.audit_sample_id = audit_sample.id WHERE audit_sample.internal_audit_id = NEW.id "
        "AND checklist_answer.verdict = ''))",
        "a report needs a signature, and the answer to every point",
    )
    over = "NOT EXISTS (SELECT 1 FROM internal_audit WHERE internal_audit.id = NEW.internal_audit_id AND {states})"
    living, walking = "internal_audit.state IN ('planned', 'under_way')", "internal_audit.state = 'under_way'"
    for table in ("audit_draw", "audit_sample"):
        guard(
            f"{table}_only_before_the_report",
            table,
            "INSERT",
            over.format(states=living),
            "an audit that has ended takes no samples",
        )
    guard(
        "audit_sample_only_walks",
        "audit_sample",
        "UPDATE",
        f"{differs('id', 'internal_audit_id', 'position', 'document_id', 'revision_id', 'draw_id', 'taken_at')} "
        f"OR {over.format(states=walking)}",
        "a sample is walked while its audit is under way, and stays what it is",
    )
    of = (
        "NOT EXISTS (SELECT 1 FROM audit_sample JOIN internal_audit ON internal_audit.id = audit_sample.internal_audit_id "
        "WHERE audit_sample.id = NEW.audit_sample_id AND {states})"
    )
    guard(
        "checklist_answer_only_before_the_report",
        "checklist_answer",
        "INSERT",
        f"{of.format(states=living)} OR NEW.verdict <> ''",
        "answers begin empty, in an audit that has not ended",
    )
    guard(
        "checklist_answer_only_in_a_walk",
        "checklist_answer",
        "UPDATE",
        f"{differs('id', 'audit_sample_id', 'position', 'point')} OR {of.format(states=walking)}",
        "answers are given while the audit is under way",
    )


def _guard_slips() -> None:
    guard(
        "nonconformity_begins",
        "nonconformity",
        "INSERT",
        "NEW.state <> 'open' OR NOT EXISTS (SELECT 1 FROM internal_audit "
        "WHERE internal_audit.id = NEW.internal_audit_id AND internal_audit.state = 'under_way')",
        "a finding is raised open, by an audit under way",
    )
    guard(
        "nonconformity_takes_a_known_path",
        "nonconformity",
        "UPDATE",
        f"OLD.state <> NEW.state AND NOT ({_ways(SLIP_WAYS)})",
        "a slip cannot go from its state to that one",
    )
    finding = ("id", "internal_audit_id", "position", "audit_sample_id", "point", "grade", "unit_id", "requirement")
    words = differs("cause", "correction", "remedy", "proof")
    guard(
        "nonconformity_is_frozen",
        "nonconformity",
        "UPDATE",
        f"OLD.state IN ('closed', 'cancelled') OR {differs(*finding, 'statement', 'due_on', 'raised_by_id', 'created_at')} "
        f"OR (OLD.state <> 'open' AND ({words}))",
        "a finding never changes, nor does a corrective report that was signed",
    )
    signed = (
        "EXISTS (SELECT 1 FROM signature WHERE signature.nonconformity_id = NEW.id AND signature.round = NEW.round "
        "AND signature.meaning = '{meaning}' AND signature.content_hash = NEW.content_hash "
        "AND signature.account_id = NEW.{who})"
    )
    guard(
        "nonconformity_is_signed",
        "nonconformity",
        "UPDATE",
        "OLD.state <> NEW.state AND ((NEW.state = 'answered' AND NOT "
        f"{signed.format(meaning='answered', who='answered_by_id')}) OR (NEW.state = 'closed' AND NOT "
        f"({signed.format(meaning='answered', who='answered_by_id')} AND "
        f"{signed.format(meaning='verified', who='closed_by_id')})))",
        "a slip needs the signature of the unit, and that of somebody else who verified it",
    )
    guard(
        "nonconformity_evidence_only_of_a_pending_slip",
        "nonconformity_evidence",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM nonconformity WHERE nonconformity.id = NEW.nonconformity_id "
        "AND (nonconformity.state = 'open' OR (nonconformity.state = 'answered' AND NEW.side = 'finding')))",
        "proof is added before it is signed, and nothing to a slip that has ended",
    )


def _moving() -> list[sa.Column]:  # type: ignore[type-arg]  # Columns of several types.
    return [
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("lock", sa.Integer(), nullable=False),
        sa.Column("workflow", sa.String(length=60), nullable=False),
        sa.Column("workflow_version", sa.Integer(), nullable=False),
    ]


def _follows(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workflow", "workflow_version"],
        ["workflow_version.name", "workflow_version.version"],
        name=op.f(f"fk_{table}_workflow"),
    )


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_{table}_{column}"))


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _ways(pairs: tuple[tuple[str, str], ...]) -> str:
    return " OR ".join(f"(OLD.state = '{old}' AND NEW.state = '{new}')" for old, new in pairs)
