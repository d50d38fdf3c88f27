"""No row takes the place of another: SQLite's REPLACE deletes what is in its way, and no delete trigger need hear of it."""

from collections.abc import Iterable

from alembic import op

from docctl.migrations.guarding import guard

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPEN = "('draft', 'in_review', 'in_approval', 'approved')"
SIGNED = "('signed', 'executed')"

# For each table what makes a row the only one of its kind, as conditions on another row.
ONLY_ONE = {
    "account": ("other.id = NEW.id", "other.name = NEW.name"),
    "document": (
        "other.id = NEW.id",
        "other.unit_id = NEW.unit_id AND other.field = NEW.field AND other.code_key = NEW.code_key "
        "AND NOT other.code_clash AND NOT NEW.code_clash",
    ),
    "revision": (
        "other.id = NEW.id",
        "other.document_id = NEW.document_id AND other.edition = NEW.edition AND other.amendment = NEW.amendment "
        "AND other.state <> 'discarded' AND NEW.state <> 'discarded'",
        f"other.document_id = NEW.document_id AND other.state IN {OPEN} AND NEW.state IN {OPEN}",
        "other.document_id = NEW.document_id AND other.effective_from IS NOT NULL AND other.effective_to IS NULL "
        "AND NEW.effective_from IS NOT NULL AND NEW.effective_to IS NULL",
    ),
    "decision": (
        "other.id = NEW.id",
        "other.year = NEW.year AND other.number_key = NEW.number_key "
        f"AND other.state IN {SIGNED} AND NEW.state IN {SIGNED}",
    ),
}
# Rows that are never updated need the guard at their birth only.
BORN_ONLY = {
    "signature": (
        "other.revision_id = NEW.revision_id AND other.round = NEW.round AND other.seat = NEW.seat",
        "other.revision_id = NEW.revision_id AND other.round = NEW.round AND other.account_id = NEW.account_id",
    ),
    "workflow_version": ("other.name = NEW.name AND other.version = NEW.version",),
    "audit_entry": ("other.hash = NEW.hash",),
}


def upgrade() -> None:
    """Apply the change."""
    if op.get_bind().dialect.name == "sqlite":  # PostgreSQL has no REPLACE: a unique index refuses, and that is all.
        for table, conditions in (ONLY_ONE | BORN_ONLY).items():
            only_one(table, "INSERT", conditions)
        for table, conditions in ONLY_ONE.items():
            only_one(table, "UPDATE", [f"other.id <> OLD.id AND {condition}" for condition in conditions])
    for table, owner, says in (
        ("change_row", "revision", "the change table changes only in a draft"),
        ("decision_line", "decision", "the lines of a decision change only in a draft"),
    ):
        frozen = f"EXISTS (SELECT 1 FROM {owner} WHERE {owner}.id = OLD.{owner}_id AND {owner}.state <> 'draft')"
        guard(f"{table}_is_not_taken_away", table, "UPDATE", frozen, says)


def only_one(table: str, event: str, conditions: Iterable[str]) -> None:
    """Refuse a row that would take the place of another one; each condition finds the other by an index."""
    taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} AS other WHERE {condition})" for condition in conditions)
    name = f"{table}_takes_no_other_place_{event.lower()}"
    guard(name, table, event, taken, f"a {table} never takes the place of another")
