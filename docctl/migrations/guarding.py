"""Makes triggers that refuse, alike on SQLite and PostgreSQL, for the migrations after the first."""

from alembic import op
from sqlalchemy import text


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


def unguard(name: str, table: str) -> None:
    """Remove a guard, so that one of the same name can take its place."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {name}")
        return
    op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute(f"DROP FUNCTION {name}()")


def differs(*columns: str) -> str:
    """Return the condition that one of the columns changes."""
    return " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)


def recheck(table: str, name: str, condition: str) -> None:
    """Put another condition into the CHECK constraint `ck_<table>_<name>`.

    SQLite has no ALTER for it, and making the table anew would drop its triggers; the rows stay as they are, so the
    statement that made the table is edited, as SQLite's own page on ALTER TABLE describes for such changes.
    """
    constraint = f"ck_{table}_{name}"
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({condition})")
        return
    query = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    made = str(bind.execute(query, {"table": table}).scalar_one())
    begins = made.index(f"CONSTRAINT {constraint} CHECK (")
    opened = made.index("(", begins)
    ends = opened + _closing(made[opened:])
    changed = f"{made[:begins]}CONSTRAINT {constraint} CHECK ({condition}){made[ends + 1 :]}"
    version = int(bind.execute(text("PRAGMA schema_version")).scalar_one())
    bind.execute(text("PRAGMA writable_schema = ON"))
    edit = text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table")
    bind.execute(edit, {"sql": changed, "table": table})
    bind.execute(text(f"PRAGMA schema_version = {version + 1}"))
    bind.execute(text("PRAGMA writable_schema = RESET"))


def _closing(text_from_bracket: str) -> int:
    """Return where the bracket closes that a text begins with."""
    depth = 0
    for place, character in enumerate(text_from_bracket):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return place
    raise ValueError(text_from_bracket)
