"""The base class of all tables, and the queries that every domain needs."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Delete,
    Select,
    String,
    Table,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

from chassis.rpc import errors, rules
from chassis.rpc.domain_request import RequestKey
from chassis.store.convert import time_of
from chassis.store.engine import Store
from chassis.store.forms import M, MessageForm
from chassis.store.idempotency import IdempotencyStore
from chassis.store.statements import Fetch, Statement, fetch_on

NO_REQUEST = RequestKey()
TIMES = ("created_at", "updated_at")
"""Times of a row's creation and of its last change."""


def now() -> datetime:
    """The time, in UTC and without an offset, as tables keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


class Record(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """A table of a domain: instances are plain records, queries are Core statements.

    The contract's columns come first, in the contract's order, then the studio's own.
    """

    id: Mapped[str] = mapped_column(String, unique=True, nullable=False, sort_order=-1)
    seq: Mapped[int] = mapped_column(primary_key=True, init=False, sort_order=1000)
    """Order of arrival, for lists that are stable."""
    created_at: Mapped[datetime] = mapped_column(default_factory=now, sort_order=1001)
    updated_at: Mapped[datetime] = mapped_column(default_factory=now, sort_order=1002)

    RESOURCE: ClassVar[str] = "record"
    """Name of one record in messages."""
    LOCATIONS: ClassVar[tuple[str, ...]] = ()
    """Columns that hold paths."""
    NOT_EXPORTED: ClassVar[tuple[str, ...]] = ()
    """Columns that mean nothing, or must not be known, outside of this studio."""
    OUTCOMES: ClassVar[tuple[str, ...]] = ()
    """Columns that the studio fills in by itself, later than the row was made."""
    INDEXED: ClassVar[tuple[str, ...]] = ()
    """Columns with texts by which lists of any size can be filtered and sorted, see
    `chassis.store.indexes`."""
    OWNER_ID: ClassVar[str] = ""
    """Column with the id of the row that this one is about and is exported and imported with; it is
    in the table that the service names before this one."""

    @classmethod
    def table(cls) -> Table:
        """The table behind the class."""
        table = cls.__table__
        assert isinstance(table, Table)
        return table

    def values(self) -> dict[str, Any]:
        """Column values to insert."""
        return {key: getattr(self, key) for key in self._inserted()}

    @classmethod
    @cache
    def _inserted(cls) -> tuple[str, ...]:
        return tuple(column.key for column in cls.table().columns if column.key != "seq")

    @classmethod
    def moving(cls) -> frozenset[str]:
        """Columns that change without anybody having written: an import does not compare them."""
        return frozenset((*TIMES, *cls.OUTCOMES))

    @classmethod
    def kept(cls) -> frozenset[str]:
        """Columns that an import never replaces."""
        return frozenset(("id", *cls.moving()))

    @classmethod
    def listed_by(cls) -> frozenset[str]:
        """Columns with the indexes of `chassis.store.indexes`."""
        return frozenset(("id", *TIMES, *cls.INDEXED))

    @classmethod
    def exported(cls) -> Select[Any]:
        """Rows that an export has, oldest first."""
        table = cls.table()
        return select(table).order_by(table.c.seq)

    @classmethod
    def complete(cls, place: str, values: dict[str, Any], found: errors.Violations) -> None:
        """Fills in what an imported row lacks and must not get by default, and checks what is more
        than a column's type. `place` names the row; empty columns are not in `values`."""


Row = TypeVar("Row", bound=Record)


class Records(Generic[Row]):
    """Reads and writes one table by id."""

    def __init__(self, store: Store, kind: type[Row]) -> None:
        self.store = store
        self.kind = kind
        self.table = kind.table()
        self.requests = IdempotencyStore(store)
        # Statements of writes are built once: building one takes longer than executing it.
        self._insert = insert(self.table)
        self._change = update(self.table).where(self.table.c.id == bindparam("changed_id"))
        self._removals: dict[tuple[str, ...], Delete] = {}
        """By the columns that they compare."""
        self._holders: dict[tuple[str, ...], CompoundSelect[Any]] = {}
        """Queries for the ids of those who have a value, by column."""
        self._oldest: dict[tuple[tuple[str, bool], ...], Statement] = {}
        """Statements of `one`, by the columns that they compare and whether with null."""
        columns = self.table.columns
        self._times = [one.key for one in columns if one.type.python_type is datetime]

    def all(self, **equal: object) -> list[Row]:
        """Records whose columns equal the given values, oldest first."""
        return self.matching(select(self.table).filter_by(**equal).order_by(self.table.c.seq))

    def matching(self, query: Select[Any]) -> list[Row]:
        """Records that a query on the table's rows finds, in its order."""
        return self.store.read(lambda c: [self.record(r) for r in c.execute(query).mappings()])

    def among(self, allowed: Mapping[str, Collection[Any]]) -> list[ColumnElement[bool]]:
        """Conditions that each of these columns has one of its values."""
        return [self.table.c[name].in_(values) for name, values in allowed.items()]

    def one(self, **equal: object) -> Row | None:
        """The oldest record whose columns equal the given values, if there is one."""
        return self._oldest_of(self.store.fetch, equal)

    def _oldest_of(self, fetch: Fetch, equal: Mapping[str, object]) -> Row | None:
        shape = tuple((name, value is None) for name, value in equal.items())
        if shape not in self._oldest:
            table = self.table
            same = [
                table.c[name].is_(None) if is_null else table.c[name] == bindparam(name)
                for name, is_null in shape
            ]
            self._oldest[shape] = Statement(
                select(table).where(*same).order_by(table.c.seq).limit(1)
            )
        for row in fetch(self._oldest[shape], equal):
            values = dict(zip(self.table.columns.keys(), row, strict=True))
            return self.record(values | {name: time_of(values[name]) for name in self._times})
        return None

    def get(self, id: str, resource: str = "") -> Row:
        """The record with that id. Raises NotFound, which calls the record a `resource`."""
        record = self.one(id=id)
        if record is None:
            raise self._missing(id, resource)
        return record

    def message(self, form: MessageForm[M], id: str, resource: str = "") -> M:
        """The message of the record with that id. Raises NotFound, as `get` does."""
        for row in self.store.fetch(form.by_id, {"id": id}):
            return form.message(row)
        raise self._missing(id, resource)

    def _missing(self, id: str, resource: str) -> errors.NotFound:
        name = resource or self.kind.RESOURCE
        return errors.NotFound(
            f"{name} {id!r} does not exist", resource=name, id=id, rule=rules.EXISTS.id
        )

    def added_by(self, key: RequestKey) -> Row | None:
        """The record that the request has added; None if the request is new or the record is gone.

        Raises InvalidArgument if another request has the same id.
        """
        return self.store.read(lambda connection: self._added_by(connection, key)) if key else None

    async def add(
        self,
        record: Row,
        unique: Mapping[str, str] | None = None,
        key: RequestKey = NO_REQUEST,
    ) -> Row:
        """Stores a new record, and returns it.

        If the request with that key has been sent twice at the same time, the record that the
        other one has added is returned instead. `unique` maps columns to the request's fields.
        Raises AlreadyExists, with the id of the holder, if the value of one of these columns (or
        the record's id) is taken.
        """

        def work(connection: Connection) -> Row:
            self.lock(connection)
            if (added := self._added_by(connection, key)) is not None:
                return added
            fields = {"id": "id", **(unique or {})}
            values = {column: getattr(record, column) for column in fields}
            self._require_free(connection, fields, values)
            self.insert(connection, [record])
            self.requests.save(connection, key, record.id)
            return record

        return await self.store.write(work)

    def require_free(
        self, fields: Mapping[str, str], key: RequestKey = NO_REQUEST, **equal: str
    ) -> None:
        """Raises AlreadyExists, with the id of the holder, if a column's value is taken now.

        A value that the same request has taken meanwhile is free. `fields` maps columns to the
        request's fields. This is a cheap check before costly work; only `add` excludes other
        writers.
        """

        def check(connection: Connection) -> None:
            if self._added_by(connection, key) is None:
                self._require_free(connection, {name: fields[name] for name in equal}, equal)

        self.store.read(check)

    def _added_by(self, connection: Connection, key: RequestKey) -> Row | None:
        id = self.requests.find(connection, key)
        return None if id is None else self._oldest_of(fetch_on(connection), {"id": id})

    def _require_free(
        self, connection: Connection, fields: Mapping[str, str], values: Mapping[str, Any]
    ) -> None:
        """Raises AlreadyExists for the first column whose value is taken, in one query."""
        columns = tuple(fields)
        if columns not in self._holders:
            table = self.table.c
            self._holders[columns] = union_all(
                *(
                    select(literal_column(str(place)).label("place"), table.id).where(
                        table[column] == bindparam(column)
                    )
                    for place, column in enumerate(columns)
                )
            )
        taken = connection.execute(self._holders[columns], {name: values[name] for name in columns})
        if found := sorted(taken.all()):
            place, holder = found[0]
            column = columns[place]
            raise errors.AlreadyExists(
                f"{fields[column]}: {values[column]!r} is taken by {holder} in {self.table.name}",
                reason=f"{column.upper()}_TAKEN",
                field=fields[column],
                holder_id=holder,
                rule=rules.UNIQUE.id,
            )

    async def change(self, id: str, **values: object) -> None:
        """Sets columns of one record; an unknown id changes nothing."""
        given = {**values, "changed_id": id, "updated_at": now()}
        await self.store.write(lambda c: c.execute(self._change, given))

    async def remove(self, **equal: str) -> None:
        """Removes the records whose columns equal the given values; none is fine."""
        columns = tuple(equal)
        if columns not in self._removals:
            same = (self.table.c[column] == bindparam(column) for column in columns)
            self._removals[columns] = delete(self.table).where(*same)
        await self.store.write(lambda c: c.execute(self._removals[columns], equal))

    def lock(self, connection: Connection) -> None:
        """Keeps others from writing the table until the transaction under way has ended.

        For writes that depend on what the table does not hold yet.
        """
        if not self.store.is_sqlite:
            # SQLite has one writer at a time; PostgreSQL may have other replicas.
            lock = f"LOCK TABLE {self.table.name} IN SHARE ROW EXCLUSIVE MODE"
            connection.execute(text(lock))

    def insert(self, connection: Connection, records: Iterable[Row]) -> None:
        """Inserts within a transaction that is under way."""
        rows = [record.values() for record in records]
        if rows:
            connection.execute(self._insert, rows)

    def record(self, row: Mapping[Any, Any]) -> Row:
        """A record from a row of the table."""
        values = dict(row)
        seq = values.pop("seq")
        record = self.kind(**values)
        record.seq = seq
        return record
