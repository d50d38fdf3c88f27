"""The guard of status pages looks its token up: it read every revision for each new one, whatever their number."""

from docctl.migrations.guarding import guard, unguard

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

NAME = "revision_takes_no_other_status_token"


def upgrade() -> None:
    """Apply the change."""
    unguard(NAME, "revision")
    # Said of the other row too, for only so is the index known to hold it: it leaves out those without a token.
    same = "other.status_token = NEW.status_token AND other.status_token <> ''"
    guard(
        NAME,
        "revision",
        "INSERT",
        f"NEW.status_token <> '' AND EXISTS (SELECT 1 FROM revision AS other WHERE {same})",
        "two revisions never share a status page",
    )
