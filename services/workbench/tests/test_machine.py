"""What the machine has, and who gets it."""

from pathlib import Path

import pytest

from services.workbench.host.machine import Demand, Gpu, Holder, Machine, detect
from services.workbench.settings import WorkbenchSettings

TWO_KINDS = Machine(
    8,
    32,
    (Gpu("0", "NVIDIA A"), Gpu("1", "NVIDIA B"), Gpu("2", "NVIDIA A")),
    {"1": "NVIDIA B", "2": "NVIDIA A", "3": "NVIDIA C"},
)


def _nvidia_smi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = folder / "nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.starts_processes
def test_gpus_come_from_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _nvidia_smi(tmp_path, "echo '0, NVIDIA H100 80GB HBM3'; echo '1, NVIDIA A, rev 2'", monkeypatch)
    found = detect(WorkbenchSettings()).gpus
    assert found == (Gpu("0", "NVIDIA H100 80GB HBM3"), Gpu("1", "NVIDIA A, rev 2"))
    assert detect(WorkbenchSettings(workbench_gpus=1)).gpus == found[:1]


@pytest.mark.starts_processes
@pytest.mark.parametrize("script", ["echo No devices were found", "echo broken >&2; exit 9"])
def test_nvidia_smi_without_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    _nvidia_smi(tmp_path, script, monkeypatch)
    assert detect(WorkbenchSettings()).gpus == ()


def test_settings_override_the_machine() -> None:
    settings = WorkbenchSettings(workbench_cpu=0.5, workbench_memory_gib=0.25, workbench_gpus=0)
    assert detect(settings) == Machine(0.5, 0.25)


def test_label_narrows_the_gpus() -> None:
    assert TWO_KINDS.grant(Demand(1, 1, 2, "2"), [], []) == ["0", "2"]
    assert TWO_KINDS.grant(Demand(1, 1, 2, "2"), [], ["2"]) is None
    assert TWO_KINDS.shortfall(Demand(1, 1, 2, "1")) is not None
    assert "'1' (NVIDIA B)" in TWO_KINDS.wait(Demand(1, 1, 1, "1"), [Holder("run", gpus=("1",))])
    for none in ("3", "7", "unicorn"):
        assert TWO_KINDS.shortfall(Demand(1, 1, 1, none)) is not None
    assert TWO_KINDS.grant(Demand(1, 1, 3, "-1"), [], []) == ["0", "1", "2"]
    assert TWO_KINDS.most()["labels"] == {"1": 1, "2": 2}


@pytest.mark.parametrize(
    ("asked", "fits"),
    [(Demand(4, 16, 0), True), (Demand(4.1, 1, 0), False), (Demand(1, 16.1, 0), False)],
)
def test_resources_in_use_are_not_free(asked: Demand, fits: bool) -> None:
    held = [Demand(3, 10, 0), Demand(1, 6, 0)]
    assert (TWO_KINDS.grant(asked, held, []) is not None) == fits


def test_tenths_of_a_cpu_add_up() -> None:
    small = Demand(0.1, 0.1, 0)
    assert Machine(1.0, 8.0).grant(small, [small] * 9, []) == []


def test_workers_hold_their_multiple_or_share_what_there_is() -> None:
    assert TWO_KINDS.for_workers(Demand(2, 4, 1), 3) == Demand(6, 12, 3)
    assert TWO_KINDS.for_workers(Demand(6, 30, 0), 2) == Demand(8, 32, 0)
    assert TWO_KINDS.shortfall(TWO_KINDS.for_workers(Demand(1, 1, 2), 2)) is not None
    too_much = Demand(9, 1, 0)
    assert TWO_KINDS.for_workers(too_much, 2) == too_much
