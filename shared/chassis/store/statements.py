"""Queries that are compiled once, and give rows as the driver returns them.

Making and compiling a query with SQLAlchemy takes some 40 times as long as a read of one row by its
id. Here both happen once; a call passes the SQL text and the parameters to the driver.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.selectable import SelectBase

RawRow = tuple[Any, ...]
"""A row of the driver. SQLite has times as texts."""
Fetch = Callable[["Statement", Mapping[str, Any]], list[RawRow]]
"""Runs a statement with values for its parameters."""


class Statement:
    """A query with named parameters. No parameter may be an expanding one."""

    def __init__(self, query: SelectBase) -> None:
        self._query = query
        self._sql = ""
        self._dialect = ""
        """The kind of database that the text is for."""
        self._positions: Sequence[str] | None = None
        self._fixed: dict[str, Any] = {}
        self._processors: dict[str, Callable[[Any], Any]] = {}

    def bound(self, dialect: Dialect, values: Mapping[str, Any]) -> tuple[str, Any]:
        """Returns the SQL text, and the parameters as the driver takes them."""
        if dialect.name != self._dialect:
            self._compile(dialect)
        given = {**self._fixed, **values}
        for name, process in self._processors.items():
            given[name] = process(given[name])
        if self._positions is None:
            return self._sql, given
        return self._sql, tuple([given[name] for name in self._positions])

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[RawRow]:
        """Returns the rows that the query finds on a connection."""
        result = connection.exec_driver_sql(*self.bound(connection.dialect, values))
        # Past the result, which would make a row object of each row.
        rows = list(result.cursor.fetchall())
        result.close()
        return rows

    def _compile(self, dialect: Dialect) -> None:
        compiled: Any = self._query.compile(dialect=dialect)
        self._dialect = dialect.name
        self._fixed = {
            name: bind.value for name, bind in compiled.binds.items() if not bind.required
        }
        self._processors = {}
        for name, bind in compiled.binds.items():
            process = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if process is not None:
                self._processors[name] = process
        self._positions = compiled.positiontup if compiled.positional else None
        self._sql = compiled.string


def fetch_on(connection: Connection) -> Fetch:
    """Returns what runs statements on a connection."""
    return lambda statement, values: statement.rows(connection, values)
