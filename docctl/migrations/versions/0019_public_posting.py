"""What is posted of each type of document, and the records that decisions were posted."""

import sqlalchemy as sa
from alembic import op

import docctl.database
from docctl.migrations.guarding import guard

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change; of the types that are there nothing is posted until somebody says so."""
    op.execute(
        "ALTER TABLE document_type ADD COLUMN posting VARCHAR(10) NOT NULL DEFAULT 'nothing' "
        "CONSTRAINT ck_document_type_posting CHECK (posting IN ('nothing', 'listed', 'content'))"
    )
    op.create_table(
        "posting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("on_show", "gone", "withheld")),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("posted_at", docctl.database.Instant(length=27), nullable=False),
        sa.Column("posted_by_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("head_sequence", sa.Integer(), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "on_show >= 0 AND gone >= 0 AND withheld >= 0 AND on_show + gone > 0", name=op.f("ck_posting_counts")
        ),
        sa.CheckConstraint("length(content_hash) = 64", name=op.f("ck_posting_hash")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_posting_decision_id")),
        sa.ForeignKeyConstraint(["posted_by_id"], ["account.id"], name=op.f("fk_posting_posted_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_posting_decision_id")),
    )
    guard("posting_never_changes", "posting", "UPDATE", "1 = 1", "postings are never changed")
    guard("posting_never_deleted", "posting", "DELETE", "1 = 1", "posting rows are never deleted")
    if op.get_bind().dialect.name == "sqlite":
        taken = "EXISTS (SELECT 1 FROM posting AS other WHERE other.id = NEW.id OR other.decision_id = NEW.decision_id)"
        guard("posting_never_replaced", "posting", "INSERT", taken, "posting rows are never replaced")
    guard(
        "posting_of_an_executed_decision",
        "posting",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM decision WHERE decision.id = NEW.decision_id AND decision.state = 'executed')",
        "only an executed decision is posted",
    )
