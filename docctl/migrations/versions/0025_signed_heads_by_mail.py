"""Signed heads of the trail by mail: a letter with a file in it, made once for its occasion."""

from alembic import op

from docctl.migrations.guarding import recheck

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

KINDS = "kind IN ('waits', 'digest', 'found', 'reminder', 'head')"


def upgrade() -> None:
    """Apply the change."""
    for table in ("mail", "mail_refused"):
        recheck(table, "kind", KINDS)
    op.execute("ALTER TABLE mail ADD COLUMN occasion VARCHAR(80)")
    op.execute("ALTER TABLE mail ADD COLUMN enclosed_as VARCHAR(120)")
    # Written alike for both engines: Alembic adds no constraint to a table of SQLite.
    op.execute(
        "ALTER TABLE mail ADD COLUMN enclosed TEXT "
        "CONSTRAINT ck_mail_enclosed CHECK ((enclosed IS NOT NULL) = (kind = 'head'))"
    )
    op.create_index("uq_mail_occasion", "mail", ["account_id", "kind", "occasion"], unique=True)
