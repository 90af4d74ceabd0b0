"""Which run of a job does its work.

A workspace may start a job twice: a request to start it that was taken for lost may be served after
all. So a run's first act is to claim the job; a second run finds the claim and ends before it costs
anything. The studio reads from the claim which run it was.
"""

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

CLAIM_FILE = "claim-{attempt}.json"


def claim(folder: Path, environment: Mapping[str, str]) -> bool:
    """Whether this run is the one that works; true again for the same run after a restart.

    The platform says which run it is (`CDSW_ENGINE_ID`; without it, as when a script is run by
    hand, nothing is claimed), the studio which attempt at the job.
    """
    run = environment.get("CDSW_ENGINE_ID")
    if not run:
        return True
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / CLAIM_FILE.format(attempt=attempt(environment))
    temporary = folder / f".claim-{uuid.uuid4()}"
    temporary.write_text(json.dumps({"run": run}))
    try:
        # Whole or not there, and one of any number gets it: rename would replace another's.
        os.link(temporary, target)
    except FileExistsError:
        return _holder(target) == run
    finally:
        temporary.unlink()
    return True


def attempt(environment: Mapping[str, str]) -> int:
    """Which attempt at the job this is, counted from 1."""
    number = environment.get("FTS_ATTEMPT", "")
    return int(number) if number.isdecimal() else 1


def _holder(file: Path) -> str:
    held = json.loads(file.read_text())
    return str(held.get("run"))
