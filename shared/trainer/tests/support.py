"""Helpers to examine a job's results."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from ft.api import AdapterMetadata

PROMPTS = ["### CUSTOMER: where is my parcel?\n### ACTION:", "### CUSTOMER: hi\n### ACTION:"]

OWN_FILES = ("job.log", "events.jsonl")
"""What a job writes for those who run the studio."""


GREEDY = json.dumps({"do_sample": False, "max_new_tokens": 12}, separators=(",", ":"))


def evaluation_flags(**values: Any) -> str:
    """Arguments of an evaluation of the starter model."""
    base = {
        "base_model_id": "model",
        "dataset_id": "dataset",
        "prompt_id": "prompt",
        "adapter_id": "",
        "result_dir": "mlflow_results/eval-1",
        "generation_config": GREEDY,
        "eval_dataset_fraction": 0.05,
        "job_id": "parent",
        "run_number": 1,
    }
    return " ".join(f"--{name} {value}" for name, value in (base | values).items())


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


def until(condition: Callable[[], Any], seconds: float = 120.0) -> None:
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
    from trainer.export.parity import Parity
    from trainer.model.hardware import Hardware
    from trainer.model.loading import load_adapter, load_model, load_tokenizer, weight_type

    model = load_model(source, Hardware(1), weight_type(Hardware(1)), None)
    if adapter:
        model = load_adapter(model, adapter, project)
    return Parity.of(model, load_tokenizer(source), {"max_new_tokens": 6}, PROMPTS).expected


def naming(folder: Path, place: Path) -> Iterator[str]:
    """Files in a folder that name the place, or another of this machine; binary ones as well."""
    here = {place, Path.home(), Path(sys.prefix), Path(__file__).parents[2]}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name not in OWN_FILES:
            content = file.read_bytes()
            if file.name == "MLmodel" or file.suffix in (".yaml", ".yml"):
                # YAML may break a text into lines, and write its characters otherwise.
                content += json.dumps(yaml.safe_load(content), ensure_ascii=False).encode()
            if any(spelling in content for one in here for spelling in _spellings(one)):
                yield str(file.relative_to(folder))


def _spellings(place: Path) -> Iterator[bytes]:
    """How a path may stand in a file: as it is, in JSON, in YAML, in an address."""
    yield os.fsencode(place)
    for text in (str(place), json.dumps(str(place))[1:-1], place.as_uri().removeprefix("file://")):
        yield text.encode()
        yield text.replace("/", "\\/").encode()
