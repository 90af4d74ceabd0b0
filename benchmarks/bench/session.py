"""One run: starts what is measured, measures it, and ends it."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from grpc import aio

from benchmarks.bench.catalogue import LARGE, SMALL, entries, wanted
from benchmarks.bench.connection import Connection
from benchmarks.bench.figures import FIGURES, Figures
from benchmarks.bench.results import Line, Run
from benchmarks.bench.rounds import Measured, reason, run_rounds
from benchmarks.bench.rows import Filling
from benchmarks.bench.settings import ANSWER_SIZES, Settings
from benchmarks.bench.studio import CommandFailed, MeasuredStudio
from benchmarks.bench.workloads.null import NullCall, NullServers, null_name
from benchmarks.bench.workloads.subject import Subject


def names() -> list[str]:
    """Names of all lines and figures."""
    nulls = [null_name(hops, size) for hops in (1, 2) for size in ANSWER_SIZES]
    return [*nulls, *(entry.name for entry in entries(Settings(), [])), *FIGURES]


class Session:
    """Measures the lines and figures that fit the patterns; all if there are none."""

    def __init__(
        self,
        run: Run,
        settings: Settings,
        patterns: list[str],
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        self._run = run
        self._settings = settings
        self._patterns = patterns
        self._folder = folder
        self._say = say
        self._end = time.monotonic() + settings.minutes * 60
        self._figures = Figures(run, settings, patterns, say)
        self._entries = entries(settings, patterns)
        self._studios: list[MeasuredStudio] = []
        self._connections: list[Connection] = []

    async def measure(self) -> None:
        """Measures. What cannot be measured is among the faults of the run."""
        async with AsyncExitStack() as ends:
            ends.push_async_callback(self._stop)
            servers = NullServers(self._folder)
            ends.callback(servers.stop)
            nulls = self._nulls(servers)
            lines = [one for one in nulls if wanted(one.line.name, self._patterns)]
            faulty: list[Line] = []
            try:
                lines += await self._studio_lines()
            except (CommandFailed, aio.AioRpcError) as error:
                self._run.faults.append(reason(error))
                self._say(self._run.faults[-1])
                fault = "there is no studio to measure"
                faulty = [
                    Line(name=entry.name, callers=callers, title=entry.title, fault=fault)
                    for entry in self._entries
                    for callers in entry.callers
                ]
            await run_rounds(self._run, lines, nulls, self._settings, self._end, self._say)
            self._run.lines += faulty

    async def _stop(self) -> None:
        for connection in self._connections:
            await connection.close()
        for studio in self._studios:
            try:
                studio.end()
            except CommandFailed as failed:
                self._run.faults.append(reason(failed))

    def _nulls(self, servers: NullServers) -> list[Measured]:
        direct, through = self._connect(servers.answering), self._connect(servers.forwarding)
        return [
            Measured(NullCall(servers, connection, hops, size), callers)
            for size in ANSWER_SIZES
            for hops, connection in ((1, direct), (2, through))
            for callers in self._settings.callers
        ]

    async def _studio_lines(self) -> list[Measured]:
        """Starts the studios that are needed; their lines."""
        named = {entry.studio for entry in self._entries}
        if self._figures.wanted:
            named.add(SMALL)
        settings = self._settings
        rows = {LARGE: (settings.large_rows, 0), SMALL: (settings.small_rows, settings.jobs)}
        fillings = {
            name: await self._filled(name, *rows[name]) for name in (LARGE, SMALL) if name in named
        }
        # Starts are measured while no other studio runs.
        if SMALL in fillings:
            await self._figures.starts(fillings[SMALL].studio)
            filling = fillings[SMALL]
            await self._figures.client(filling.studio.address, filling.prompt.id)
        if LARGE in fillings:
            fillings[LARGE].studio.up()
        subjects = {name: self._subject(filling) for name, filling in fillings.items()}
        return [
            Measured(
                entry.make(entry.name, entry.title, subjects[entry.studio]), callers, entry.share
            )
            for entry in self._entries
            for callers in entry.callers
        ]

    async def _filled(self, name: str, prompts: int, jobs: int) -> Filling:
        """A studio that is down, with so many prompts and jobs in its home."""
        studio = MeasuredStudio(self._folder / name)
        studio.prepare()
        self._studios.append(studio)
        self._figures.add("up-new", studio.up())
        filling = Filling(studio)
        connection = Connection(studio.address)
        await filling.register(connection)
        await connection.close()
        await studio.processes().quiet()
        self._figures.add("down", studio.down())
        filling.insert(prompts, jobs)
        self._say(f"a studio with {prompts:,} prompts and {jobs:,} jobs")
        return filling

    def _subject(self, filling: Filling) -> Subject:
        return Subject(
            connection=self._connect(filling.studio.address),
            processes=filling.studio.processes(),
            settings=self._settings,
            prompt=filling.prompt,
            job_id=filling.job_id,
            start=filling.start,
            token=filling.studio.token,
        )

    def _connect(self, address: str) -> Connection:
        connection = Connection(address)
        self._connections.append(connection)
        return connection
