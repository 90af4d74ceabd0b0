"""One run of a job works, however many there are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trainer.job.claim import claim


@pytest.mark.starts_processes
def test_job_goes_to_one_of_many_runs(tmp_path: Path) -> None:
    code = "import os, sys; from pathlib import Path; from trainer.job.claim import claim; "
    code += "sys.stdin.read(); print(claim(Path(sys.argv[1]), os.environ))"
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**os.environ, "CDSW_ENGINE_ID": f"run-{number}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    for run in runs:
        assert run.stdin is not None
        run.stdin.close()
    answers = [run.stdout.read().strip() for run in runs if run.stdout]
    assert [run.wait() for run in runs] == [0] * len(runs)
    assert sorted(answers) == ["False"] * 7 + ["True"]


def test_claim_holds_for_the_same_run(tmp_path: Path) -> None:
    first, second = {"CDSW_ENGINE_ID": "a"}, {"CDSW_ENGINE_ID": "b"}
    assert claim(tmp_path, first)
    assert claim(tmp_path, first)
    assert not claim(tmp_path, second)


def test_attempts_are_claimed_separately(tmp_path: Path) -> None:
    assert claim(tmp_path, {"CDSW_ENGINE_ID": "a"})
    assert claim(tmp_path, {"CDSW_ENGINE_ID": "b", "FTS_ATTEMPT": "2"})


def test_run_without_a_name_claims_nothing(tmp_path: Path) -> None:
    assert claim(tmp_path, {})
    assert claim(tmp_path, {"CDSW_ENGINE_ID": "a"})
    assert [file.name for file in tmp_path.iterdir()] == ["claim-1.json"]
