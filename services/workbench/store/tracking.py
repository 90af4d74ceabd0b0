"""MLflow's tracking store of the jobs: its SQLite file is read by SQL, and never written.

The tables are those of the trainer's MLflow, without the columns that are not needed.
"""

import os
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from sqlalchemy import BigInteger, Engine, NullPool, StaticPool, create_engine, make_url
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from chassis.rpc import errors

T = TypeVar("T")
STORE_VARIABLE = "MLFLOW_TRACKING_URI"
STORE_FILE = "mlflow.db"
"""Name of the store in the project's folder, unless a variable names another store."""
ACTIVE = "active"
"""Stage of experiments and runs that were not deleted."""
_LOCK_SECONDS = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Milliseconds(TypeDecorator[datetime]):
    """A time that is stored as milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """Type of its values."""
        return datetime

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        """To milliseconds."""
        return None if value is None else (value - _EPOCH) // timedelta(milliseconds=1)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        """To UTC with an offset."""
        return None if value is None else _EPOCH + timedelta(milliseconds=value)


class Tracked(DeclarativeBase):
    """A record of the store."""


class ExperimentRow(Tracked):
    """An experiment."""

    __tablename__ = "experiments"

    seq: Mapped[int] = mapped_column("experiment_id", primary_key=True)
    name: Mapped[str]
    artifact_location: Mapped[str | None]
    lifecycle_stage: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column("creation_time", Milliseconds)
    updated_at: Mapped[datetime | None] = mapped_column("last_update_time", Milliseconds)


class RunRow(Tracked):
    """A run of an experiment."""

    __tablename__ = "runs"

    seq: Mapped[int] = mapped_column("rowid", primary_key=True)
    """Order of creation, which SQLite keeps."""
    id: Mapped[str] = mapped_column("run_uuid")
    experiment_id: Mapped[int]
    name: Mapped[str | None]
    user_id: Mapped[str | None]
    status: Mapped[str]
    lifecycle_stage: Mapped[str | None]
    artifact_uri: Mapped[str | None]
    start_time: Mapped[datetime | None] = mapped_column(Milliseconds)
    end_time: Mapped[datetime | None] = mapped_column(Milliseconds)


class _Measured:
    seq: Mapped[int] = mapped_column("rowid", primary_key=True)
    run_id: Mapped[str] = mapped_column("run_uuid")
    key: Mapped[str]
    value: Mapped[float]
    is_nan: Mapped[bool]
    step: Mapped[int]
    timestamp: Mapped[datetime | None] = mapped_column(Milliseconds)


class MetricRow(_Measured, Tracked):
    """One value of a metric."""

    __tablename__ = "metrics"


class LatestMetricRow(_Measured, Tracked):
    """The last value of a metric."""

    __tablename__ = "latest_metrics"


class ParamRow(Tracked):
    """A parameter of a run."""

    __tablename__ = "params"

    run_id: Mapped[str] = mapped_column("run_uuid", primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class TagRow(Tracked):
    """A tag of a run."""

    __tablename__ = "tags"

    run_id: Mapped[str] = mapped_column("run_uuid", primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str | None]


class ExperimentTagRow(Tracked):
    """A tag of an experiment."""

    __tablename__ = "experiment_tags"

    experiment_id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str | None]


def read(project: Path, environment: Mapping[str, str], work: Callable[[Session], T]) -> T:
    """Returns the result of `work` for the store of the jobs of `project`, whose variables are
    given.

    A store that does not exist yet is read as an empty one. Raises FailedPrecondition if it is not
    an SQLite file of MLflow, and Unavailable while it is locked.
    """
    path = _path(project, environment)
    if not path.exists():
        return _read(_empty(), work)
    try:
        return _read(_open(path), work)
    except OperationalError as error:
        if "no such table" in str(error.orig):
            return _read(_empty(), work)  # MLflow is making it
        if "locked" in str(error.orig):
            raise errors.Unavailable(f"MLflow's store {path} is locked: {error.orig}") from None
        raise _unreadable(path, error) from None
    except DatabaseError as error:
        raise _unreadable(path, error) from None


def _path(project: Path, environment: Mapping[str, str]) -> Path:
    uri = environment.get(STORE_VARIABLE) or os.environ.get(STORE_VARIABLE)
    if not uri:
        return project / STORE_FILE
    try:
        url = make_url(uri)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "sqlite" or not url.database:
        scheme = uri.partition(":")[0]
        raise errors.FailedPrecondition(
            f"{STORE_VARIABLE}: jobs report to a store of the kind {scheme}, which the workbench "
            "cannot read; open its experiments on the server that serves them"
        )
    return project / url.database


def _open(path: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        address = f"file:{quote(str(path.absolute()))}?mode=ro"
        return sqlite3.connect(address, uri=True, timeout=_LOCK_SECONDS)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _empty() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Tracked.metadata.create_all(engine)
    return engine


def _read(engine: Engine, work: Callable[[Session], T]) -> T:
    try:
        with Session(engine) as session:
            return work(session)
    finally:
        engine.dispose()


def _unreadable(path: Path, error: DatabaseError) -> errors.FailedPrecondition:
    return errors.FailedPrecondition(f"MLflow's store {path} cannot be read: {error.orig}")
