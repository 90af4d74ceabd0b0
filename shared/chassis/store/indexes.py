"""Indexes for lists: rows by a field, in the orders that lists offer.

Rows with the same value are listed as they arrived, whichever way the values go. Therefore a field
has an index for each direction, except for the id, whose values do not repeat.
"""

from collections.abc import Iterable

from alembic import op

from chassis.store.fields import SORTED_CHARACTERS
from chassis.store.records import TIMES


def create_indexes(table: str, names: Iterable[str]) -> None:
    """Creates the indexes of the id, of times and of columns with texts, in a migration.

    The expressions must stay those of `chassis.store.fields.Field`.
    """
    collation = "BINARY" if op.get_bind().dialect.name == "sqlite" else '"C"'
    for name in names:
        shown = f"substr(coalesce(\"{name}\", ''), 1, {SORTED_CHARACTERS})"
        key = name if name in TIMES else f"({shown} COLLATE {collation})"
        op.execute(f'CREATE INDEX "list_{table}_{name}" ON "{table}" ({key}, seq)')
        if name != "id":
            op.execute(f'CREATE INDEX "list_{table}_{name}_down" ON "{table}" ({key} DESC, seq)')
