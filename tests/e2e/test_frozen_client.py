"""The whole lifecycle runs through a client that is built of the frozen contract facts alone."""

import json
import sys
from pathlib import Path

from ft.services import STUDIO
from tests.e2e.conftest import Studio
from tests.support import run

CLIENT = Path(__file__).parent / "frozen_client.py"


def test_frozen_client_runs_the_whole_lifecycle(studio: Studio) -> None:
    # -I: neither the checkout nor the environment's variables are in what it can import.
    done = run(sys.executable, "-I", str(CLIENT), studio.address, str(studio.project))
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {method.name for method in STUDIO.methods}
