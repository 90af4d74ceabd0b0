"""Records in a database: engine, migrations, queries, pages, lists, repeated requests."""
