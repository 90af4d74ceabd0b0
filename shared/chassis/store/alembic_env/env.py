"""Alembic's environment for every service; `chassis.store.migrate` hands in the connection."""

from alembic import context

given = context.config.attributes
context.configure(
    connection=given["connection"], version_table=given["version_table"], render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
