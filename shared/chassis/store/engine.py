"""One service's database: reads on the event loop, writes that share a durable commit.

SQLite by default, PostgreSQL (a schema for each service) when the URL says so; the same code runs
on both. Reads are short and synchronous: on SQLite, threads make them slower. Writes go through one
writer: those that arrive while a commit runs share the next one, each in a savepoint of its own, so
that one that fails leaves the others as they are. A write that is alone needs no savepoint.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError

from chassis.rpc import errors
from chassis.store.migrate import migrate
from chassis.store.statements import RawRow, Statement

log = structlog.get_logger()

T = TypeVar("T")
MAX_BATCH = 256
CONNECT_SECONDS = 5
"""Time limit for a connection to PostgreSQL, whose client has none by default."""
FRESH_SECONDS = 2.5
"""Time for which a successful call shows that the database answers."""
_RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)


@dataclass
class _Write:
    work: Callable[[Connection], Any]
    done: "asyncio.Future[Any]"
    outcome: Any = None
    error: Exception | None = field(default=None)


class Store:
    """A service's tables.

    `migrations` is the folder with the service's Alembic revisions; they are applied by `open`.
    Methods raise Unavailable while the database does not answer.
    """

    def __init__(self, service: str, url: str, migrations: Path) -> None:
        self.service = service
        self._url = make_url(url)
        self._migrations = migrations
        self._reader: Engine | None = None
        self._writer: Engine | None = None
        self._version: Connection | None = None
        self._driver: sqlite3.Connection | None = None
        """The driver's own connection behind `_version`; None if the database is not SQLite."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._waiting: list[_Write] = []
        self._flushing: asyncio.Task[None] | None = None
        self._answered = -FRESH_SECONDS
        """Time of the database's last answer, by the monotonic clock."""
        self._commits = 0
        self._committed = asyncio.Event()
        """Set at the next commit, and then replaced."""

    @property
    def is_sqlite(self) -> bool:
        """True if the database is a SQLite file."""
        return self._url.get_backend_name() == "sqlite"

    async def open(self) -> None:
        """Connects and migrates; tries again, with growing pauses, until the database answers."""
        loop = asyncio.get_running_loop()
        for attempt in range(10**9):
            try:
                # Not on the loop: health has to be answered meanwhile.
                await loop.run_in_executor(self._thread, self._connect)
                return
            except OperationalError as error:
                pause = _RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)]
                log.warning("the database does not answer", error=str(error.orig), retry_in=pause)
                await asyncio.sleep(pause)

    def _connect(self) -> None:
        if self.is_sqlite and self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
        writer = self._engine()
        migrate(writer, self._migrations, self.service)
        reader = self._engine(isolation_level="AUTOCOMMIT")
        if self.is_sqlite:
            # On a connection that never writes, data_version moves with every commit of others.
            self._version = reader.connect()
            driver = self._version.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            self._driver = driver
        self._reader, self._writer = reader, writer

    def _engine(self, **options: Any) -> Engine:
        if not self.is_sqlite:
            arguments = {
                "options": f"-csearch_path={self.service}",
                "connect_timeout": CONNECT_SECONDS,
            }
            return create_engine(self._url, connect_args=arguments, pool_pre_ping=True, **options)
        engine = create_engine(self._url, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        if "isolation_level" not in options:
            event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    def read(self, work: Callable[[Connection], T]) -> T:
        """Returns the result of `work`, which sees every write that was acknowledged before."""
        if self._reader is None:
            raise self._away("is not open yet")
        try:
            with self._reader.connect() as connection:
                result = work(connection)
        except OperationalError as error:
            raise self._away(str(error.orig)) from error
        self._answered = time.monotonic()
        return result

    def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[RawRow]:
        """Returns the rows that a statement finds; they show every write that was acknowledged."""
        if self._driver is None:
            return self.read(lambda connection: statement.rows(connection, values))
        assert self._reader is not None
        try:
            rows: list[RawRow] = self._driver.execute(
                *statement.bound(self._reader.dialect, values)
            ).fetchall()
        except sqlite3.OperationalError as error:
            raise self._away(str(error)) from error
        self._answered = time.monotonic()
        return rows

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a transaction and returns its result once that is on disk.

        What `work` raises is raised here and undoes its own changes only. The write is carried
        through even if the caller stops waiting.
        """
        if self._writer is None:
            raise self._away("is not open yet")
        write = _Write(work, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        result: T = await asyncio.shield(write.done)
        return result

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            await loop.run_in_executor(self._thread, self._commit, batch)
            self._commits += 1
            self._committed.set()
            self._committed = asyncio.Event()
            for write in batch:
                if write.error is None:
                    write.done.set_result(write.outcome)
                else:
                    write.done.set_exception(write.error)
                    # Nobody may be left to hear of it.
                    write.done.exception()

    def _commit(self, batch: list[_Write]) -> None:
        assert self._writer is not None
        try:
            with self._writer.begin() as connection:
                if len(batch) == 1:
                    # If it fails, the transaction is undone, which is all of its own.
                    batch[0].outcome = batch[0].work(connection)
                else:
                    _run_each(batch, connection)
            self._answered = time.monotonic()
        except Exception as error:
            refused = self._away(str(error.orig)) if isinstance(error, OperationalError) else error
            for write in batch:
                write.error = refused

    def frozen(self) -> Connection:
        """A connection that reads the store as it is now, whatever is written after; to be closed.

        May be called from the writer's thread.
        """
        if self._reader is None:
            raise self._away("is not open yet")
        if self.is_sqlite:
            connection = self._reader.connect()
            connection.exec_driver_sql("BEGIN")
            # The picture is taken by the first read.
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
            return connection
        connection = self._reader.connect().execution_options(isolation_level="REPEATABLE READ")
        connection.execute(text("SELECT 1"))
        return connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Gives a `frozen` connection to a block, and closes it."""
        try:
            with self.frozen() as connection:
                yield connection
        except OperationalError as error:
            raise self._away(str(error.orig)) from error
        self._answered = time.monotonic()

    def version(self) -> Hashable | None:
        """Changes whenever anything was committed; None if the database cannot tell."""
        if self._driver is None:
            return None
        try:
            [[version]] = self._driver.execute("PRAGMA data_version").fetchall()
        except sqlite3.OperationalError as error:
            raise self._away(str(error)) from error
        return int(version)

    @property
    def commits(self) -> int | None:
        """Number of commits so far; None if other processes may write to the database as well.

        As long as it does not change, reading again finds nothing new.
        """
        return self._commits if self.is_sqlite else None

    async def next_commit(self, seconds: float) -> None:
        """Returns after the next commit of this process, at the latest after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._committed.wait()

    def answers(self) -> bool:
        """Tells whether the database answers. It is asked only if no recent call has shown it."""
        if time.monotonic() - self._answered < FRESH_SECONDS:
            return True
        try:
            return bool(self.read(lambda connection: connection.scalar(text("SELECT 1"))))
        except errors.Unavailable:
            return False

    async def close(self) -> None:
        """Finishes what is being written and lets go of the database."""
        if self._flushing is not None:
            await self._flushing
        self._thread.shutdown()
        if self._version is not None:
            self._version.close()
            self._driver = None
        for engine in (self._reader, self._writer):
            if engine is not None:
                engine.dispose()

    def _away(self, why: str) -> errors.Unavailable:
        self._answered = -FRESH_SECONDS
        return errors.Unavailable(
            f"the database of service {self.service!r} does not answer: {why}",
            reason="STORE_UNAVAILABLE",
            service=self.service,
        )


def _run_each(batch: list[_Write], connection: Connection) -> None:
    for write in batch:
        try:
            with connection.begin_nested():
                write.outcome = write.work(connection)
        except OperationalError:
            raise
        except Exception as error:
            write.error = error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions are begun by us, so that a write takes the lock at once and not half-way.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=5000",
    ):
        connection.execute(f"PRAGMA {pragma}")
