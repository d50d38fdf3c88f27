"""A content is disposed of only when nothing refers to it: the guard names every reference, and each is indexed."""

from alembic import op

from docctl.migrations.guarding import guard, unguard

revision = "0024"
down_revision = "0022"
branch_labels = None
depends_on = None

INDEXED = (
    ("change_request", "file_sha256"),
    ("decision_scan", "sha256"),
    ("nonconformity_evidence", "sha256"),
    ("obligation", "sha256"),
    ("rendition", "sha256"),
)
LIVING = (
    "EXISTS (SELECT 1 FROM revision WHERE revision.file_sha256 = NEW.sha256 AND NOT EXISTS (SELECT 1 FROM disposal_line "
    "JOIN disposal ON disposal.id = disposal_line.disposal_id WHERE disposal_line.revision_id = revision.id "
    "AND disposal.state = 'executed')) "
    "OR EXISTS (SELECT 1 FROM change_request WHERE change_request.file_sha256 = NEW.sha256) "
    "OR EXISTS (SELECT 1 FROM decision_scan WHERE decision_scan.sha256 = NEW.sha256) "
    "OR EXISTS (SELECT 1 FROM nonconformity_evidence WHERE nonconformity_evidence.sha256 = NEW.sha256) "
    "OR EXISTS (SELECT 1 FROM obligation WHERE obligation.sha256 = NEW.sha256)"
)


def upgrade() -> None:
    """Apply the change."""
    for table, column in INDEXED:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
    unguard("disposed_content_is_used_by_nothing", "disposed_content")
    guard(
        "disposed_content_is_used_by_nothing",
        "disposed_content",
        "INSERT",
        f"{LIVING} OR NOT EXISTS (SELECT 1 FROM disposal WHERE disposal.id = NEW.disposal_id AND disposal.state = 'executed')",
        "a content that something living uses is not disposed of",
    )
