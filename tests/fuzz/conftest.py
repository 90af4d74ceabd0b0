"""A studio to throw requests at, with things in it that requests can refer to."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio, serving
from tests.processes import starts_processes
from tests.support import REPOSITORY

EXAMPLES = int(os.environ.get("FTS_FUZZ_EXAMPLES", "1500"))
"""How many requests are sent; `make fuzz` sends more."""


@pytest.fixture(scope="session")
@starts_processes
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio whose jobs end at once: what is said to run them is no interpreter."""
    home = tmp_path_factory.mktemp("fuzzed")
    python = tmp_path_factory.mktemp("jobs") / "python"
    about = {"version": "3.11.0", "trainer": [str(REPOSITORY / "shared/trainer")], "lacks": []}
    python.write_text(f"#!/bin/sh\ntest \"$1\" = -c && echo '{json.dumps(about)}'\n")
    python.chmod(0o755)
    variables = {"HUGGINGFACE_ACCESS_TOKEN": "hf_plantedtoken_of_the_studio"}
    with serving(home, trainer_python=str(python), **variables) as studio:
        furnish(studio.project)
        yield studio


def furnish(project: Path) -> None:
    """Files of every kind that a location can lead to."""
    (project / "rows.csv").write_text("customer,action\nhello,greet\n")
    (project / "rows.json").write_text('[{"customer": "hello", "action": "greet"}]')
    (project / "broken.csv").write_bytes(b"a,b\n1\n\xff\xfe")
    (project / "empty.csv").write_text("")
    (project / "outside").symlink_to("/etc")
    (project / "loop").symlink_to("loop")
    os.mkfifo(project / "pipe.jsonl")
