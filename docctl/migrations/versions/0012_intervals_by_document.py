"""Intervals by document: the index that answers what is in force on a date without reading every revision."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_index(
        "ix_revision_document_interval", "revision", ["document_id", "effective_from", "effective_to"], unique=False
    )
