"""How Hotline keeps its data in PostgreSQL: the engine, the tables and the report queries."""
