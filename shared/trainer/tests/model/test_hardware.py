"""Settings that the granted hardware does not have are replaced, and it is told."""

import pytest

from trainer.errors import UnsupportedError
from trainer.model.hardware import Hardware, detect, fit_quantisation, fit_training

CPU = Hardware(cpus=2)
OLD_GPU = Hardware(cpus=2, gpus=1)
GPU = Hardware(cpus=2, gpus=1, bf16=True, bitsandbytes=True)


def fit(settings: dict[str, object], hardware: Hardware) -> tuple[dict[str, object], list[str]]:
    notices: list[str] = []
    return fit_training(settings, hardware, notices.append), notices


def test_gpu_settings_become_cpu_settings_one_line_each() -> None:
    fitted, notices = fit({"optim": "paged_adamw_32bit", "fp16": True, "tf32": True}, CPU)

    assert fitted == {
        "optim": "adamw_torch",
        "bf16": False,
        "activation_checkpointing": False,
        "use_cpu": True,
    }
    assert [notice.split()[0] for notice in notices] == ["optim", "fp16", "tf32"]
    assert all("no GPU" in notice for notice in notices)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("adamw_8bit", "adamw_torch"),
        ("adamw_bnb_8bit", "adamw_torch"),
        ("paged_lion_8bit", "adamw_torch"),
        ("rmsprop_bnb_8bit", "rmsprop"),
    ],
)
def test_gpu_optimisers_all_have_a_counterpart(asked: str, given: str) -> None:
    assert fit({"optim": asked}, CPU)[0]["optim"] == given


def test_settings_that_a_cpu_supports_stay() -> None:
    settings = {"optim": "adafactor", "bf16": True, "gradient_checkpointing": True}

    fitted, notices = fit(settings, CPU)

    assert fitted == {**settings, "use_cpu": True}
    assert notices == []


def test_gpu_keeps_its_settings() -> None:
    settings = {"optim": "paged_adamw_32bit", "fp16": True}

    assert fit(settings, GPU) == ({**settings, "bf16": False}, [])
    assert fit({}, GPU) == ({"bf16": True}, [])


def test_old_gpu_gets_what_it_can_do() -> None:
    fitted, notices = fit({"bf16": True, "optim": "adamw_8bit"}, OLD_GPU)

    assert fitted == {"bf16": False, "fp16": True, "optim": "adamw_torch"}
    assert len(notices) == 2


def test_quantisation_needs_a_gpu_and_its_package() -> None:
    notices: list[str] = []
    config = {"load_in_4bit": True}

    assert fit_quantisation(config, CPU, notices.append) is None
    assert notices == ["4-bit quantisation is replaced by 32-bit weights: the job has no GPU."]
    assert fit_quantisation({"load_in_4bit": False}, GPU, notices.append) is None
    assert fit_quantisation(config, GPU, notices.append) == config
    assert len(notices) == 1
    with pytest.raises(UnsupportedError, match="bitsandbytes"):
        fit_quantisation({"load_in_8bit": True}, OLD_GPU, notices.append)


def test_gpu_is_not_used_unless_granted() -> None:
    assert detect(cpus=3, gpus=0) == Hardware(cpus=3)
