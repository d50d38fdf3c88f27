"""Makes triggers that refuse, alike on SQLite and PostgreSQL, for the migrations after the first."""

from alembic import op


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


def differs(*columns: str) -> str:
    """Return the condition that one of the columns changes."""
    return " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
