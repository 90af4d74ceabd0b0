"""A studio that is measured: `fts up` in a home of its own, with jobs that do nothing."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.bench.processes import Processes, of_supervisor
from tests.e2e.conftest import FTS, Studio
from tests.support import TRAINER_PYTHON, run

JOB_PYTHON = """\
#!/bin/sh
# In place of the trainer's Python. A run keeps its token for the benchmark, and waits for the end.
case "$1 $2" in
    "-c "*find_spec*) exec {python} "$@" ;;
    -c*) exit 0 ;;
esac
printf %s "$FTS_JOB_TOKEN" > {tokens}/.new-$$ && mv {tokens}/.new-$$ "{tokens}/$FTS_JOB_ID"
while test -d {tokens}; do sleep 1; done
"""
"""The check that the trainer can be imported takes seconds of a core, so it is answered at once."""
UP_SECONDS = 900
"""A busy machine takes long to start everything; that is a figure, not a fault."""
SHOWN = 500
"""Characters that are shown of the end of a failed command's output."""
MORE_CALLS = {"FTS_MAX_CONCURRENT_RPCS": "4096"}
"""The limit of the studio is below the number of watchers."""


class CommandFailed(Exception):
    """An `fts` command has failed. The message has its output."""


class MeasuredStudio(Studio):
    """A studio with no other process of the machine in its figures but the processes of jobs."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.env |= MORE_CALLS
        self.tokens = home.parent / f"{home.name}-tokens"
        self._python = home.parent / f"{home.name}-python"

    def prepare(self) -> None:
        """Writes the interpreter of jobs."""
        self.tokens.mkdir(parents=True)
        text = JOB_PYTHON.format(python=TRAINER_PYTHON, tokens=self.tokens)
        self._python.write_text(text)
        self._python.chmod(0o755)

    def up(self) -> float:
        """Starts it; seconds until everything serves."""
        where = ("--listen", "127.0.0.1:0", "--trainer-python", str(self._python))
        return self.seconds_of("up", *where, "--wait", str(UP_SECONDS))

    def down(self) -> float:
        """Stops it; seconds until nothing runs."""
        return self.seconds_of("down")

    def end(self) -> None:
        """Stops it; by force, with CommandFailed, if it does not stop."""
        pid_file = self.home / "run" / "supervisord.pid"
        try:
            self.down()
        except CommandFailed:
            if pid_file.exists():
                self.processes().kill()
            raise

    def seconds_of(self, *arguments: str) -> float:
        """Runs an `fts` command; seconds until its end. Raises CommandFailed."""
        begin = time.perf_counter()
        done = run(FTS, *arguments, env=self.env, seconds=2 * UP_SECONDS)
        seconds = time.perf_counter() - begin
        if done.returncode:
            said = (done.stdout + done.stderr).strip()[-SHOWN:]
            raise CommandFailed(f"`fts {' '.join(arguments)}` ended with {done.returncode}: {said}")
        return seconds

    def processes(self) -> Processes:
        """Every process of the studio: its supervisor and what that has started."""
        return of_supervisor(int((self.home / "run" / "supervisord.pid").read_text()))

    def token(self, job_id: str) -> str:
        """Token of a job whose run has started; empty before that."""
        try:
            return (self.tokens / job_id).read_text()
        except FileNotFoundError:
            return ""

    def row(self, service: str, table: str, id: str) -> dict[str, Any]:
        """A row of a domain's table."""
        with closing(self._database(service)) as database:
            database.row_factory = sqlite3.Row
            return dict(database.execute(f"SELECT * FROM {table} WHERE id = ?", [id]).fetchone())

    def insert(self, service: str, table: str, rows: Iterator[Mapping[str, Any]]) -> None:
        """Adds rows with the same columns to a domain's table. The studio must be down."""
        first = next(rows)
        names, places = ", ".join(first), ", ".join(f":{name}" for name in first)
        with closing(self._database(service)) as database, database:
            statement = f"INSERT INTO {table} ({names}) VALUES ({places})"
            database.execute(statement, first)
            database.executemany(statement, rows)

    def _database(self, service: str) -> sqlite3.Connection:
        file = self.home / f"{service}.db"
        if not file.exists():
            raise CommandFailed(f"{file} does not exist")
        return sqlite3.connect(file)
