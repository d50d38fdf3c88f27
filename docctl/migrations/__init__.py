"""The schema's history (Alembic): tables, and the triggers that make the database the last guard."""
