"""Training goes on from the newest checkpoint that is not damaged."""

import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from trainer.tests.support import Run
from trainer.training.checkpoints import COMPLETE_FILE, mark_complete, newest_usable

Damage = Callable[[Path], object]


def cut(name: str, share: float = 0.5) -> Damage:
    def damage(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share)])

    return damage


def flipped(name: str) -> Damage:
    def damage(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 0xFF
        (folder / name).write_bytes(bytes(content))

    return damage


def removed(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


WEIGHTS = "adapter_model.safetensors"
FILES = (WEIGHTS, "optimizer.pt", "scheduler.pt", "trainer_state.json", "rng_state.pth")
DAMAGES = [
    *((f"{name} cut", cut(name)) for name in FILES),
    *((f"{name} empty", cut(name, 0)) for name in FILES),
    *((f"{name} flipped", flipped(name)) for name in FILES),
    *((f"{name} gone", removed(name)) for name in FILES),
    ("mark cut", cut(COMPLETE_FILE)),
    ("mark gone", removed(COMPLETE_FILE)),
]


def poisoned(folder: Path) -> None:
    """As a training that broke would have saved it."""
    tensors = load_file(folder / WEIGHTS)
    first = next(iter(tensors))
    tensors[first] = torch.full_like(tensors[first], float("nan"))
    save_file(tensors, folder / WEIGHTS, {"format": "pt"})
    mark_complete(folder, "same")


def two_checkpoints(train: Callable[..., Run], folder: Path) -> None:
    """Checkpoints 1 and 2 of a training, marked anew as of an identity that the test knows."""
    run = train(training={"max_steps": 2, "save_steps": 1, "logging_steps": 10})
    # A job of fewer steps than are between two logs has its loss all the same.
    assert [event["step"] for event in run.of("progress") if "loss" in event] == [2]
    for number in (1, 2):
        target = folder / f"checkpoint-{number}"
        shutil.copytree(run.folder / f"checkpoint-{number}", target)
        mark_complete(target, "same")


def test_damaged_checkpoint_is_skipped_with_a_notice(
    train: Callable[..., Run], tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    two_checkpoints(train, whole)
    told: list[str] = []
    assert newest_usable(whole, "same", told.append) == whole / "checkpoint-2"
    assert told == []
    for what, damage in [*DAMAGES, ("not finite", poisoned)]:
        output = tmp_path / "output"
        shutil.copytree(whole, output)
        damage(output / "checkpoint-2")
        told.clear()
        assert newest_usable(output, "same", told.append) == output / "checkpoint-1", what
        assert told[0].startswith("checkpoint-2 is not used: "), what
        assert told[1:] == ["Training goes on from the older checkpoint-1."], what
        damage(output / "checkpoint-1")
        assert newest_usable(output, "same", told.append) is None, what
        shutil.rmtree(output)


def test_checkpoint_of_an_earlier_version_is_checked(
    train: Callable[..., Run], tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    two_checkpoints(train, whole)
    for folder in whole.iterdir():
        (folder / COMPLETE_FILE).write_text('{"identity": "same"}')
    assert newest_usable(whole, "same", lambda _: None) == whole / "checkpoint-2"
    for name in FILES:
        for damage in (cut(name), cut(name, 0)):
            output = tmp_path / "output"
            shutil.copytree(whole, output)
            damage(output / "checkpoint-2")
            assert newest_usable(output, "same", lambda _: None) == output / "checkpoint-1", name
            shutil.rmtree(output)


def test_job_goes_on_from_the_older_checkpoint(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str], project: Path
) -> None:
    training = {"max_steps": 4, "save_steps": 1}
    first = run_job("accel_fine_tune.py", fine_tune_flags(training=training), "outputs/job-1")
    assert first.status == 0, first.output
    cut("optimizer.pt")(project / "outputs/job-1/checkpoint-4")
    again = run_job(
        *("accel_fine_tune.py", fine_tune_flags(training=training), "outputs/job-1"),
        FTS_ATTEMPT="2",
    )
    assert again.status == 0, again.output
    assert [event["checkpoint"] for event in again.of("resumed")] == ["checkpoint-3"]
    notices = [event["message"] for event in again.of("notice")]
    assert "checkpoint-4 is not used: its optimizer.pt is damaged." in notices
