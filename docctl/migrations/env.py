"""Runs the migrations on the connection that `docctl.database.upgrade` hands over."""

from alembic import context

from docctl.database import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=False
)
with context.begin_transaction():
    context.run_migrations()
