"""What tests look at after a job."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from ft.api import AdapterMetadata

PROMPTS = ["### CUSTOMER: where is my parcel?\n### ACTION:", "### CUSTOMER: hi\n### ACTION:"]

OWN_FILES = ("job.log", "events.jsonl")
"""What a job writes for those who run the studio."""


@dataclass
class Run:
    """A job that has ended, and what it left in its folder."""

    status: int
    output: str
    folder: Path

    @property
    def events(self) -> list[dict[str, Any]]:
        lines = (self.folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def of(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]

    @property
    def log(self) -> str:
        return (self.folder / "job.log").read_text(encoding="utf-8")


def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    """Returns once the condition holds; fails at the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def gone(processes: Iterable[psutil.Process]) -> bool:
    """Whether all of them have ended; nobody may have asked for their exit status yet."""
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def written(source: str, project: Path, adapter: AdapterMetadata | None = None) -> list[str]:
    """What the model writes after the prompts, greedily."""
    from trainer.hardware import Hardware
    from trainer.model import load_adapter, load_model, load_tokenizer, weight_type
    from trainer.parity import Parity

    model = load_model(source, Hardware(1), weight_type(Hardware(1)), None)
    if adapter:
        model = load_adapter(model, adapter, project)
    return Parity.of(model, load_tokenizer(source), {"max_new_tokens": 6}, PROMPTS).expected


def naming(folder: Path, place: Path) -> Iterator[str]:
    """Files in a folder that name the place, binary ones among them."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name not in OWN_FILES:
            content = file.read_bytes()
            escaped = str(place).replace("/", "\\/").encode()
            if str(place).encode() in content or escaped in content:
                yield str(file.relative_to(folder))
