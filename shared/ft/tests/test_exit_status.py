"""How a process ended."""

import signal
import subprocess
import sys

import pytest

from ft.job_protocol.exit_status import describe_exit, signal_of


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "ended with exit status 0"),
        (3, "ended with exit status 3"),
        (255, "ended with exit status 255"),
        (-9, "was ended by SIGKILL, as happens where memory runs out"),
        (137, "was ended by SIGKILL, as happens where memory runs out"),
        (-11, "was ended by SIGSEGV"),
        (-(signal.SIGRTMIN + 1), f"was ended by signal {signal.SIGRTMIN + 1}"),
    ],
)
def test_exit_statuses_all_have_a_description(status: int, words: str) -> None:
    assert describe_exit(status) == words


@pytest.mark.starts_processes
def test_signal_without_a_name_is_described() -> None:
    number = signal.SIGRTMIN + 3
    done = subprocess.run([sys.executable, "-c", f"import os; os.kill(os.getpid(), {number})"])
    assert signal_of(done.returncode) == number
    assert str(number) in describe_exit(done.returncode)
