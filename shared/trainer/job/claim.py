"""Claims an attempt at a job for the first run that works on it.

A workspace may start a job twice: a request to start it that was taken for lost may be served after
all. So a run's first act is to claim the attempt; a second run finds the claim and ends before it
costs anything. The studio reads from the claim which run it was.
"""

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from ft.job_protocol.files import CLAIM_RUN, claim_file
from ft.job_protocol.variables import ATTEMPT, RUN_ID


def claim(folder: Path, environment: Mapping[str, str]) -> bool:
    """Claims the attempt. Returns False if another run has it; True again for the same run.

    Claims nothing for a script that is run by hand, outside of a workspace.
    """
    run = environment.get(RUN_ID)
    if not run:
        return True
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / claim_file(attempt(environment))
    temporary = folder / f".claim-{uuid.uuid4()}"
    temporary.write_text(json.dumps({CLAIM_RUN: run}))
    try:
        # Whole or not there, and one of any number gets it: rename would replace another's.
        os.link(temporary, target)
    except FileExistsError:
        return bool(json.loads(target.read_text()).get(CLAIM_RUN) == run)
    finally:
        temporary.unlink()
    return True


def attempt(environment: Mapping[str, str]) -> int:
    """Number of the attempt at the job, from 1."""
    number = environment.get(ATTEMPT, "")
    return int(number) if number.isdecimal() else 1
