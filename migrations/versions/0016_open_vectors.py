"""Vectors of open tickets apart, so that they are found among thousands and not among all that ever were.

Revision: 0016
"""

import sqlalchemy as sa
from alembic import op

from hotline.storage.vector_type import Vector

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

IS_OPEN = """
CREATE FUNCTION is_open(state text, merged_into_id bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT merged_into_id IS NULL
       AND state IN ('received', 'awaiting_dispatch', 'awaiting_sign', 'handling', 'replied', 'awaiting_followup')
$$
"""
# Triggers keep the table, since every move of a ticket may matter to it and none needs to know.
OF_A_TICKET = """
CREATE FUNCTION keep_open_vector_of_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF is_open(NEW.state, NEW.merged_into_id) THEN
        INSERT INTO open_vector (ticket_id, version, embedding, received_at)
        SELECT ticket_id, version, embedding, received_at FROM ticket_vector WHERE ticket_id = NEW.id
        ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM open_vector WHERE ticket_id = NEW.id;
    END IF;
    RETURN NULL;
END $$
"""
ON_TICKET = """
CREATE TRIGGER keep_open_vector AFTER UPDATE OF state, merged_into_id ON ticket FOR EACH ROW
WHEN (is_open(OLD.state, OLD.merged_into_id) <> is_open(NEW.state, NEW.merged_into_id))
EXECUTE FUNCTION keep_open_vector_of_ticket()
"""
OF_A_VECTOR = """
CREATE FUNCTION keep_open_vector_of_vector() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO open_vector (ticket_id, version, embedding, received_at)
    SELECT NEW.ticket_id, NEW.version, NEW.embedding, NEW.received_at FROM ticket
    WHERE id = NEW.ticket_id AND is_open(state, merged_into_id)
    ON CONFLICT (ticket_id) DO UPDATE
    SET version = excluded.version, embedding = excluded.embedding, received_at = excluded.received_at;
    RETURN NULL;
END $$
"""
ON_VECTOR = """
CREATE TRIGGER keep_open_vector AFTER INSERT OR UPDATE ON ticket_vector FOR EACH ROW
EXECUTE FUNCTION keep_open_vector_of_vector()
"""
FILL = """
INSERT INTO open_vector (ticket_id, version, embedding, received_at)
SELECT v.ticket_id, v.version, v.embedding, v.received_at FROM ticket_vector v JOIN ticket t ON t.id = v.ticket_id
WHERE is_open(t.state, t.merged_into_id)
"""


def upgrade() -> None:
    op.create_table(
        "open_vector",
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("embedding", Vector(256), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket_vector.ticket_id"], name=op.f("fk_open_vector_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_open_vector")),
    )
    op.execute(IS_OPEN)
    op.execute(FILL)
    op.create_index(
        "ix_open_vector_embedding",
        "open_vector",
        ["embedding"],
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
    )
    for statement in (OF_A_TICKET, ON_TICKET, OF_A_VECTOR, ON_VECTOR):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_open_vector ON ticket_vector")
    op.execute("DROP TRIGGER keep_open_vector ON ticket")
    op.execute("DROP FUNCTION keep_open_vector_of_vector")
    op.execute("DROP FUNCTION keep_open_vector_of_ticket")
    op.execute("DROP FUNCTION is_open")
    op.drop_table("open_vector")
