"""Figures of the studio as a whole: start, stop, memory, idle CPU, command, cost of the client."""

import asyncio
import time
from collections.abc import Callable

from benchmarks.bench.catalogue import wanted
from benchmarks.bench.client_cost import client_cost
from benchmarks.bench.results import Figure, Run
from benchmarks.bench.settings import Settings
from benchmarks.bench.studio import MeasuredStudio

FIGURES = {
    "up-new": ("fts up on a new home, until everything serves", "s"),
    "up-existing": ("fts up on a home with data", "s"),
    "down": ("fts down with nothing running", "s"),
    "memory": ("memory of all processes, idle", "MiB PSS"),
    "idle": ("CPU of all processes, idle", "% of a core"),
    "fts-help": ("fts --help", "s"),
    "fts-datasets-list": ("fts datasets list", "s"),
    "client-get": ("GetPrompt, CPU of the client", "of the stub's"),
    "client-list": ("all prompts as a list, CPU of the client", "of the stub's"),
    "async-client-get": ("GetPrompt, CPU of the client for asyncio", "of the stub's"),
    "async-client-list": ("all prompts as a list, the same", "of the stub's"),
}
"""Title and unit by name."""
COMMANDS = {"fts-help": ["--help"], "fts-datasets-list": ["datasets", "list"]}


class Figures:
    """The figures of a run whose names fit one of the patterns; all if there are none."""

    def __init__(
        self, run: Run, settings: Settings, patterns: list[str], say: Callable[[str], None]
    ) -> None:
        self._run = run
        self._settings = settings
        self._say = say
        self.wanted = {
            name: Figure(name=name, title=title, unit=unit)
            for name, (title, unit) in FIGURES.items()
            if wanted(name, patterns)
        }
        run.figures = list(self.wanted.values())

    def add(self, name: str, value: float) -> None:
        """Adds a value to a figure if it is wanted."""
        if name in self.wanted:
            self.wanted[name].values.append(value)

    async def starts(self, studio: MeasuredStudio) -> None:
        """Starts a studio with data in its home as often as the settings say, and looks at it.

        It is left running. Raises CommandFailed.
        """
        repeated = self.wanted.keys() & {"up-existing", "down", "memory", "idle"}
        number = self._settings.starts_of_studio if repeated else 1
        for turn in range(number):
            if turn:
                self.add("down", studio.down())
            self.add("up-existing", studio.up())
            if self.wanted.keys() & {"memory", "idle"}:
                await self._idle(studio)
            self._say(f"start {turn + 1} of {number} on a home with data")
        for _ in range(self._settings.commands):
            for name, arguments in COMMANDS.items():
                if name in self.wanted:
                    self.add(name, studio.seconds_of(*arguments))

    async def client(self, address: str, prompt_id: str) -> None:
        """Compares the studio's clients with gRPC's own stub."""
        if not any("client-" in name for name in self.wanted):
            return
        for _ in range(self._settings.commands):
            for name, ratio in (await client_cost(address, prompt_id)).items():
                self.add(name, ratio)

    async def _idle(self, studio: MeasuredStudio) -> None:
        processes = studio.processes()
        await processes.quiet(seconds=20)
        before, begin = sum(processes.cpu_seconds().values()), time.monotonic()
        await asyncio.sleep(self._settings.idle_seconds)
        used = sum(processes.cpu_seconds().values()) - before
        self.add("idle", used / (time.monotonic() - begin) * 100)
        memory = processes.pss_mib()
        self.add("memory", sum(memory.values()))
        if "memory" in self.wanted:
            for name, mib in memory.items():
                self._run.memory.setdefault(name, []).append(mib)
