"""Alembic's entry: one transaction for all steps, one migrating process at a time, short waits for locks."""

from alembic import context
from sqlalchemy import NullPool, create_engine, text

from hotline.storage.tables import Base

# The number only has to be the same in every process that migrates.
MIGRATION_LOCK = 12345_002


def run_migrations() -> None:
    """Migrate over a connection of our own.

    A migration that waits for a table lock makes everybody behind it wait too, so it gives up after five seconds
    and leaves the database as it was.
    """
    # No pool: a connection kept after a failure would keep the migration lock, and everybody else would wait for it.
    engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.commit()
        context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=False)
        with context.begin_transaction():
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            context.run_migrations()
        connection.commit()
    engine.dispose()


run_migrations()
