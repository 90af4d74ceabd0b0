"""Processes are killed in the middle of an import: afterwards all of it is there, or none."""

import json
import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import grpc
import pytest

from chassis.domains import DECIDER, DOMAIN_SERVICES, TABLE_OF
from chassis.testing.services import ServiceProcess
from ft.proto.fine_tuning_studio_database_pb2 import ImportDocumentRequest
from ft.proto.fine_tuning_studio_database_pb2_grpc import FineTuningStudioDatabaseStub
from tests.processes import starts_processes
from tests.support import until

ROUNDS = int(os.environ.get("FTS_FAULT_ROUNDS", "10"))
ROWS = 20
SETTLED_SECONDS = 30.0
DESCRIBED = [domain for domain in TABLE_OF if not TABLE_OF[domain].endswith("_jobs")]
"""Domains whose rows have a description."""


class Studio:
    """All processes but the workbench, with their state in one folder."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self.processes: dict[str, ServiceProcess] = {}
        for name in (*DOMAIN_SERVICES, "facade"):
            self.start(name)

    def start(self, name: str) -> None:
        listen = f"unix:{self.folder}/run/{name}.sock"
        process = ServiceProcess(self.folder, name, FTS_LISTEN=listen, FTS_IMPORT_GRACE_SECONDS="1")
        self.processes[name] = self._stack.enter_context(process)

    def kill_and_restart(self, name: str) -> None:
        self.processes[name].kill()
        self.start(name)

    def take(self, document: str, on_conflict: str = "") -> grpc.StatusCode:
        """Imports the document; how that ended for the caller."""
        with grpc.insecure_channel(self.processes["facade"].address) as channel:
            stub = FineTuningStudioDatabaseStub(channel)
            request = ImportDocumentRequest(exported_json=document, on_conflict=on_conflict)
            call = stub.ImportDocument.future(request, timeout=120, wait_for_ready=True)
            code: grpc.StatusCode = call.code()
            return code

    def there(self, domain: str, prefix: str) -> int:
        """How many rows of a round a domain has."""
        query = f"SELECT count(*) FROM {TABLE_OF[domain]} WHERE id LIKE ?"
        return self._count(domain, query, f"{prefix}%")

    def descriptions(self, domain: str) -> set[str]:
        """What the rows of `described` say."""
        query = f"SELECT description FROM {TABLE_OF[domain]} WHERE id LIKE 'r-%'"
        with closing(sqlite3.connect(f"file:{self.folder}/{domain}.db?mode=ro", uri=True)) as db:
            return {text for (text,) in db.execute(query)}

    def undecided(self) -> int:
        """How many imports any domain still keeps."""
        query = "SELECT count(*) FROM {}_imports WHERE state IN ('STAGED', 'PREPARED')"
        return sum(self._count(domain, query.format(domain)) for domain in DOMAIN_SERVICES)

    def _count(self, domain: str, query: str, *values: str) -> int:
        with closing(sqlite3.connect(f"file:{self.folder}/{domain}.db?mode=ro", uri=True)) as db:
            count: int = db.execute(query, values).fetchone()[0]
            return count


@pytest.fixture
@starts_processes
def studio(tmp_path: Path) -> Iterator[Studio]:
    with ExitStack() as stack:
        studio = Studio(tmp_path, stack)
        until("the facade answers", lambda: studio.take("{}") is grpc.StatusCode.OK)
        yield studio


def document(prefix: str) -> str:
    rows = [{"id": f"{prefix}-{number}"} for number in range(ROWS)]
    return json.dumps({table: {"schema": "", "data": rows} for table in TABLE_OF.values()})


def described(text: str) -> str:
    """An export of this studio whose rows have all the same description."""
    row = {"description": text, "created_at": "2026-01-01T00:00:00"}
    rows = [{"id": f"r-{number}", **row} for number in range(ROWS)]
    return json.dumps({TABLE_OF[domain]: {"data": rows} for domain in DESCRIBED})


def test_killed_import_is_complete_or_absent(studio: Studio) -> None:
    dice = random.Random(7)
    outcomes = {"all": 0, "none": 0}
    for number in range(ROUNDS):
        # The one that decides and the one that asks are where it is hardest.
        victim = dice.choice([DECIDER, "facade", *DOMAIN_SERVICES])
        prefix = f"round-{number}"
        with ThreadPoolExecutor() as threads:
            taking = threads.submit(studio.take, document(prefix))
            time.sleep(dice.uniform(0.0, 0.12))  # no condition: the point is to hit any moment
            studio.kill_and_restart(victim)
            code = taking.result()

        def settled(prefix: str = prefix) -> set[int] | None:
            if studio.undecided():
                return None
            return {studio.there(domain, prefix) for domain in DOMAIN_SERVICES}

        found = until("the import is decided everywhere", settled, SETTLED_SECONDS)
        assert found in ({0}, {ROWS}), (victim, code, found)
        if code is grpc.StatusCode.OK:
            assert found == {ROWS}, (victim, "acknowledged, and lost")
        outcomes["all" if found == {ROWS} else "none"] += 1
    print(f"imports with a kill -9 in them: {outcomes}")


def test_killed_import_replaces_everything_or_nothing(studio: Studio) -> None:
    dice = random.Random(11)
    assert studio.take(described("0")) is grpc.StatusCode.OK
    there = "0"
    for number in range(1, ROUNDS // 2 + 1):
        victim = dice.choice([DECIDER, "facade", *TABLE_OF])
        with ThreadPoolExecutor() as threads:
            taking = threads.submit(studio.take, described(str(number)), "replace")
            time.sleep(dice.uniform(0.0, 0.12))  # no condition: the point is to hit any moment
            studio.kill_and_restart(victim)
            code = taking.result()
        until("it is decided everywhere", lambda: studio.undecided() == 0, SETTLED_SECONDS)
        [found] = {text for domain in DESCRIBED for text in studio.descriptions(domain)}
        assert found in (there, str(number)), (victim, code)
        if code is grpc.StatusCode.OK:
            assert found == str(number), (victim, "acknowledged, and lost")
        there = found


def test_domain_that_is_down_after_the_decision_completes_later(studio: Studio) -> None:
    # Stopped, not killed: it takes the rows and the preparation, and is gone at the commit.
    victim = studio.processes["models"]
    codes: list[grpc.StatusCode] = []
    seen = threading.Event()

    def stop_at_the_decision() -> None:
        query = "SELECT count(*) FROM models_imports WHERE state = 'PREPARED'"
        while not seen.is_set():
            if studio._count("models", query):
                victim.kill()
                seen.set()

    watching = threading.Thread(target=stop_at_the_decision)
    watching.start()
    for number in range(50):
        codes.append(studio.take(document(f"try-{number}")))
        if seen.is_set():
            break
    seen.set()
    watching.join()
    studio.start("models")
    until("it is decided everywhere", lambda: studio.undecided() == 0, SETTLED_SECONDS)
    last = f"try-{len(codes) - 1}"
    assert {studio.there(domain, f"{last}-") for domain in DOMAIN_SERVICES} in ({0}, {ROWS})
