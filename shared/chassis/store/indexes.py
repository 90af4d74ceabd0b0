"""Indexes for lists: rows by a field, in the orders that lists offer.

Rows with the same value are listed as they arrived, whichever way the values go. Therefore a field
has an index for each direction, except for the id, whose values do not repeat.
"""

from collections.abc import Iterable

from alembic import op

from chassis.store.fields import SORTED_CHARACTERS
from chassis.store.records import TIMES


def create_indexes(table: str, texts: Iterable[str]) -> None:
    """Creates the indexes of the id, the times and of columns with texts, in a migration.

    The expressions must stay those of `chassis.store.fields.Field`.
    """
    collation = "BINARY" if op.get_bind().dialect.name == "sqlite" else '"C"'

    def beginning(name: str) -> str:
        shown = f"substr(coalesce(\"{name}\", ''), 1, {SORTED_CHARACTERS})"
        return f"({shown} COLLATE {collation})"

    keys = {**{name: name for name in TIMES}, **{name: beginning(name) for name in texts}}
    down = {f"{name}_down": f"{key} DESC" for name, key in keys.items()}
    for name, key in {"id": beginning("id"), **keys, **down}.items():
        op.execute(f'CREATE INDEX "list_{table}_{name}" ON "{table}" ({key}, seq)')
