"""Jobs are started, cancelled and removed while every process is killed and the workspace's answers
get lost: afterwards each acknowledged job is there once, and nothing else is.

`FTS_FAULT_STARTS` and `FTS_FAULT_KILLS` say how long that goes on; `make test-faults` is long.
"""

import asyncio
import math
import os
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ft.enums import JobState
from ft.proto.fine_tuning_studio_pb2 import ListEvaluationJobsRequest, ListFineTuningJobsRequest
from jobs.execution.dispatch import ATTEMPT
from jobs.testing import WorkbenchProcess, until
from tests.faults.clients import Clients
from tests.faults.proxy import Proxy
from tests.faults.studio import (
    FAILS,
    TABLES,
    WAITS,
    WORKSPACE_SECONDS,
    Studio,
    bare_python,
    running,
)
from tests.processes import starts_processes

STARTS = int(os.environ.get("FTS_FAULT_STARTS", "70"))
KILLS = int(os.environ.get("FTS_FAULT_KILLS", "10"))
SEED = int(os.environ.get("FTS_FAULT_SEED", "7"))
CLIENTS = 16
SHARE = 0.05
"""Of requests to the workspace that meet a fault."""
FOREIGN = 250
"""Other people's jobs: more than a page has."""
KILL_SECONDS = 0.5
"""Until the next kill, on the average."""
SERVED = 0.7
"""Share of kills after which whoever was killed comes to answer first: without, a busy machine
would do nothing but start processes."""
SETTLED_SECONDS = 180.0
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Outcome:
    """What there is when all has come to rest."""

    records: dict[str, Any]
    jobs: Counter[str]
    """Names of the workspace's jobs, and how many have each."""
    worked: dict[str, list[str]]
    by_request: dict[str, set[str]]
    """Ids of the records with each request id."""
    second_runs: int
    """Runs beside the first one of an attempt at a job."""


@pytest.fixture
@starts_processes
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    workbench = WorkbenchProcess(tmp_path, FTS_WORKBENCH_PYTHON=bare_python(tmp_path))
    dice = random.Random(SEED)
    with workbench:
        async with (
            Proxy(lambda: workbench.url, dice, 0.0, WORKSPACE_SECONDS) as proxy,
            running(tmp_path, proxy, workbench) as studio,
        ):
            await records_of(studio)
            yield studio


async def records_of(studio: Studio) -> dict[str, Any]:
    """Every job that the studio knows, by its id."""
    tuned = await studio.certainly("ListFineTuningJobs", ListFineTuningJobsRequest())
    scored = await studio.certainly("ListEvaluationJobs", ListEvaluationJobsRequest())
    return {job.id: job for job in (*tuned.fine_tuning_jobs, *scored.evaluation_jobs)}


async def kill(studio: Studio, clients: Clients, dice: random.Random) -> int:
    """Kills one process after the other until there were enough kills and starts; how many.

    Starts keep pace with kills, however slow the machine is.
    """
    kills = 0
    while kills < KILLS or clients.ledger.starts < STARTS:
        for _ in range(math.ceil(STARTS / KILLS)):
            clients.turns.release()
        victim = dice.choice(studio.victims)
        await studio.kill(victim, dice.choice([0.0, 0.0, 0.5]))
        kills += 1
        if dice.random() < SERVED:
            await studio.back(victim)
        await asyncio.sleep(dice.uniform(0, 2 * KILL_SECONDS))
    clients.enough.set()
    for _ in range(CLIENTS):
        clients.turns.release()
    return kills


async def come_to_rest(studio: Studio, clients: Clients) -> None:
    """Ends what would not end by itself, and waits until nothing is under way any more."""
    await clients.finished()
    for id, job in (await records_of(studio)).items():
        waits = getattr(job, "adapter_name", "") or job.adapter_id
        if waits.startswith(WAITS) and not JobState(job.status.state).ended:
            kind = "fine_tuning" if hasattr(job, "adapter_name") else "evaluation"
            await clients.cancel(kind, id)
    await until("everything is at rest", lambda: at_rest(studio), SETTLED_SECONDS)


def at_rest(studio: Studio) -> bool:
    ended = ", ".join(f"'{state}'" for state in JobState if state.ended)
    for kind, table in TABLES.items():
        history = "fine_tuning_job_events" if kind == "fine_tuning" else "evaluation_job_events"
        open_jobs = f"SELECT 1 FROM {table} WHERE state NOT IN ({ended}) OR sent_at IS NOT NULL"
        if studio.query(kind, f"{open_jobs} UNION SELECT 1 FROM {history} WHERE kind = 'REMOVED'"):
            return False
    return True


async def outcome_of(studio: Studio) -> Outcome:
    jobs = await asyncio.to_thread(studio.workbench.jobs)
    names = Counter(str(job.name) for job in jobs)
    attempt = f"coalesce(json_extract(environment, '$.{ATTEMPT}'), 1)"
    runs = f"SELECT count(*) - count(DISTINCT job_id || ' ' || {attempt}) FROM job_runs"
    [(second_runs,)] = studio.query("workbench", runs)
    by_request: dict[str, set[str]] = defaultdict(set)
    for kind, table in TABLES.items():
        query = f"SELECT request_id, id FROM {table} WHERE request_id IS NOT NULL"
        for request_id, id in studio.query(kind, query):
            by_request[request_id].add(id)
    return Outcome(await records_of(studio), names, studio.worked(), by_request, second_runs)


async def test_jobs_are_neither_lost_nor_run_twice(studio: Studio) -> None:
    dice = random.Random(SEED)
    clients = Clients(studio, dice)
    begun = time.monotonic()
    studio.proxy.share = SHARE
    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(clients.work())
        group.create_task(clients.meddle())
        group.create_task(clients.fill_pages(FOREIGN))
        killing = group.create_task(kill(studio, clients, dice))
    studio.proxy.share = 0.0
    await come_to_rest(studio, clients)
    outcome = await outcome_of(studio)
    wrong = [
        *wrong_jobs(clients, outcome),
        *wrong_starts(clients, outcome),
        *wrong_requests(clients, outcome),
        *wrong_processes(studio),
        *[line async for line in wrong_watches(clients, outcome)],
    ]
    print(figures(studio, clients, outcome, killing.result(), time.monotonic() - begun))
    assert not wrong, "\n".join(wrong)


def wrong_jobs(clients: Clients, outcome: Outcome) -> list[str]:
    """Whether the workspace has what the records say, and nobody else's job was touched."""
    ours = {name: count for name, count in outcome.jobs.items() if UUID.fullmatch(name)}
    return [
        *(f"{name}: {count} workspace jobs" for name, count in ours.items() if count > 1),
        *(
            f"{name}: a workspace job without a record"
            for name in ours
            if name not in outcome.records
        ),
        *(f"{name}: gone" for name in clients.ledger.foreign - set(outcome.jobs)),
        *(f"{id}: worked {w}" for id, w in outcome.worked.items() if len(attempts(w)) < len(w)),
    ]


def attempts(worked: list[str]) -> set[str]:
    """The attempts that have worked, of what the jobs wrote down about each run."""
    return {line.split()[0] for line in worked}


def wrong_starts(clients: Clients, outcome: Outcome) -> list[str]:
    """Whether each acknowledged start, cancel and removal is what it was said to be."""
    ledger, found = clients.ledger, []
    for id in ledger.removed & set(outcome.records):
        found.append(f"{id}: removed, and recorded")
    for id in set(ledger.started) - ledger.removed:
        job = outcome.records.get(id)
        if job is None:
            found.append(f"{id}: acknowledged, and lost")
        elif not outcome.jobs[id] and not (id in ledger.asked and stopped_before_it_ran(job)):
            found.append(f"{id}: {job.status}: acknowledged, and not in the workspace")
        elif id in ledger.resumed and job.status.attempt < 2:
            found.append(f"{id}: {job.status}: resumed, and not attempted again")
        elif id not in ledger.asked and not worked_once(job, outcome):
            found.append(f"{id}: {job.status}: acknowledged, and worked {outcome.worked.get(id)}")
    return found


def worked_once(job: Any, outcome: Outcome) -> bool:
    """Whether a job that was left alone has done its work, if need be at its second attempt."""
    wanted = 2 if getattr(job, "adapter_name", "").startswith(FAILS) else 1
    worked = attempts(outcome.worked.get(job.id, []))
    return bool(job.status.state == JobState.SUCCEEDED and len(worked) == wanted)


def stopped_before_it_ran(job: Any) -> bool:
    """Whether a job was cancelled before the workspace had it."""
    return bool(job.status.state == JobState.STOPPED and not job.status.started_at)


def wrong_requests(clients: Clients, outcome: Outcome) -> list[str]:
    """Whether one request id has started one set of jobs, however often it was asked with."""
    ledger, found = clients.ledger, []
    for request_id, answers in ledger.answers.items():
        answered = frozenset().union(*answers)
        # What was removed is forgotten with its request id, which then starts something new.
        if len(answers) > 1 and not answered & ledger.removed:
            found.append(f"request {request_id}: answered {answers}")
        if unknown := outcome.by_request.get(request_id, set()) - answered:
            found.append(f"request {request_id}: started {unknown}, and answered {answered}")
    return found


def wrong_processes(studio: Studio) -> list[str]:
    """Whether anything of any job is still at work."""
    return [f"process {pid} is still at work" for pid in studio.at_work()]


async def wrong_watches(clients: Clients, outcome: Outcome) -> AsyncIterator[str]:
    """Whether every watch has seen every event once."""
    for id, cursors in clients.ledger.cursors.items():
        if cursors != sorted(set(cursors)):
            yield f"{id}: events seen out of order or twice: {cursors}"
        if id not in outcome.records:
            continue
        listed = await clients.listed_cursors(id)
        # A watch ends with its job, which may be resumed after that.
        due = listed[: len(cursors)] if id in clients.ledger.resumed else listed
        if cursors != due:
            yield f"{id}: events seen {cursors}, not {due}"


def figures(studio: Studio, clients: Clients, outcome: Outcome, kills: int, seconds: float) -> str:
    """What was done and found, in numbers."""
    ledger = clients.ledger
    ours = [count for name, count in outcome.jobs.items() if UUID.fullmatch(name)]
    orphans = [n for n in outcome.jobs if UUID.fullmatch(n) and n not in outcome.records]
    retried = sum(
        getattr(job, "adapter_name", "").startswith(FAILS) and job.status.attempt > 1
        for job in outcome.records.values()
    )
    states = Counter(job.status.state for job in outcome.records.values())
    return (
        f"{seconds:.0f} s, seed {SEED}: {ledger.starts} starts, {len(ledger.started)} jobs "
        f"acknowledged, {len(ledger.cancelled)} cancelled, {len(ledger.removed)} removed, "
        f"{len(ledger.resumed)} resumed, {retried} tried again, {len(ledger.cursors)} watched; "
        f"{kills} kills; workspace: "
        f"{', '.join(f'{count} {fault}' for fault, count in studio.proxy.met.items())}; "
        f"{len(ledger.foreign)} jobs of others; refused starts {dict(ledger.codes)}; "
        f"records {dict(states)}; {outcome.second_runs} second runs; "
        f"duplicates {sum(ours) - len(ours)}, orphans {len(orphans)}"
    )
