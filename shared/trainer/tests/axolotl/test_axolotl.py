"""Fine-tuning with Axolotl: its config, and a real training where it is installed."""

import hashlib
import importlib.util
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import yaml
from peft import PeftModel
from safetensors.torch import save_file

from ft.api import PromptMetadata
from rows import canonical
from trainer.axolotl.resolve import LEARNING_RATE, PLUGIN, JobPaths, resolve_config
from trainer.errors import ModelError, SettingsError
from trainer.model.hardware import Hardware
from trainer.model.loading import load_model, load_tokenizer, weight_type
from trainer.model.saving import save_copy
from trainer.serving import trained_answers
from trainer.tests.studio import Studio
from trainer.tests.support import Run, gone, until

CONFIG = """
adapter: qlora
load_in_4bit: true
datasets: [{path: mine/data, name: sub, type: alpaca, split: validation}]
val_set_size: 0.5
output_dir: elsewhere
plugins: [axolotl.integrations.liger.LigerPlugin]
micro_batch_size: 4
learning_rate: 2e-3
bf16: auto
"""
STARTER = Path(__file__).parents[2] / "starter"
PLACES = JobPaths(
    base_model="/project/base",
    train=Path("/job/train.jsonl"),
    held_out=Path("/job/held_out.jsonl"),
    output=Path("/job/axolotl"),
    prepared=Path("/job/prepared"),
    checkpoint="/job/axolotl/checkpoint-8",
)
INSTALLED = importlib.util.find_spec("axolotl") is not None
needs_axolotl = pytest.mark.skipif(
    not INSTALLED, reason="Axolotl is not installed in this environment: make env-axolotl"
)


def put(changes: dict[str, Any], *, on_gpu: bool) -> tuple[dict[str, Any], list[str]]:
    told: list[str] = []
    config = {**yaml.safe_load(CONFIG), **changes}
    return resolve_config(config, PLACES, on_gpu=on_gpu, notify=told.append), told


def test_studio_settings_are_put_into_the_users_config() -> None:
    found, told = put({}, on_gpu=True)
    assert told == []
    assert found["base_model"] == "/project/base"
    rows = {"type": "alpaca", "ds_type": "json", "split": "train"}
    assert found["datasets"] == [{**rows, "path": "/job/train.jsonl"}]
    assert found["test_datasets"] == [{**rows, "path": "/job/held_out.jsonl"}]
    assert (found["val_set_size"], found["output_dir"]) == (0, "/job/axolotl")
    assert found["resume_from_checkpoint"] == "/job/axolotl/checkpoint-8"
    assert found["plugins"] == ["axolotl.integrations.liger.LigerPlugin", PLUGIN]
    # All else is the user's.
    assert (found["adapter"], found["load_in_4bit"], found["bf16"]) == ("qlora", True, "auto")
    assert found["learning_rate"] == "2e-3"
    assert found["seed"] == 42
    assert put({"seed": 7}, on_gpu=True)[0]["seed"] == 7


def test_null_is_as_good_as_not_set() -> None:
    dataset = {"path": None, "name": None, "type": "alpaca"}
    empty = dict.fromkeys(("base_model", "output_dir", "num_epochs", "sequence_len", "bf16"))
    found, told = put({**empty, "datasets": [dataset], "learning_rate": None}, on_gpu=True)
    assert (found["base_model"], found["output_dir"]) == ("/project/base", "/job/axolotl")
    assert found["datasets"][0]["path"] == "/job/train.jsonl"
    assert not {"num_epochs", "sequence_len"} & set(found)
    # Axolotl itself takes null for this one.
    assert found["bf16"] is None
    assert found["learning_rate"] == LEARNING_RATE
    assert told == ["The Axolotl config says no learning_rate: 0.0002 is used."]


def test_rows_are_held_out_of_an_evaluation_that_nobody_asked_for() -> None:
    found, _ = put({"val_set_size": 0}, on_gpu=True)
    assert "test_datasets" not in found


def test_gpu_settings_are_replaced_without_a_gpu_and_reported() -> None:
    changes = {
        "flash_attention": True,
        "optimizer": "paged_adamw_8bit",
        "attn_implementation": "flash_attention_2",
    }
    found, told = put(changes, on_gpu=False)
    assert (found["adapter"], found["load_in_4bit"], found["bf16"]) == ("lora", False, False)
    assert (found["optimizer"], found["attn_implementation"]) == ("adamw_torch", "sdpa")
    assert found["lora_mlp_kernel"] is False
    assert sorted(one.split()[0] for one in told) == [
        "adapter",
        "attn_implementation",
        "flash_attention",
        "load_in_4bit",
        "optimizer",
    ]


def test_additional_datasets_stay_and_are_reported() -> None:
    more = {"path": "hub/other", "type": "oasst"}
    found, told = put({"datasets": [{"type": "alpaca"}, more]}, on_gpu=True)
    assert found["datasets"][1] == more
    assert "1 more datasets" in told[0]


def test_config_without_an_adapter_is_refused() -> None:
    with pytest.raises(SettingsError, match="names no adapter"):
        put({"adapter": None}, on_gpu=True)


def test_adapter_alone_is_kept_of_a_training(tmp_path: Path) -> None:
    source, target = tmp_path / "trained", tmp_path / "adapters" / "one"
    source.mkdir()
    with pytest.raises(ModelError, match="no adapter in trained"):
        save_copy(source, "starter/model", target)
    for name in ("tokenizer.json", "debug.log", "config.json"):
        (source / name).write_text("{}")
    (source / "adapter_config.json").write_text('{"base_model_name_or_path": "/tmp/x"}')
    save_file({"lora_B": torch.tensor([1.0, torch.nan])}, source / "adapter_model.safetensors")
    with pytest.raises(ModelError, match="weight has numbers that are not finite"):
        save_copy(source, "starter/model", target)
    assert not target.exists()
    save_file({"lora_B": torch.ones(2)}, source / "adapter_model.safetensors")
    save_copy(source, "starter/model", target)
    names = sorted(file.name for file in target.iterdir())
    assert names == ["adapter_config.json", "adapter_model.safetensors", "tokenizer.json"]
    config = json.loads((target / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "starter/model"


SHORT = """
adapter: lora
lora_r: 8
lora_alpha: 16
lora_target_linear: true
datasets: [{type: alpaca}]
val_set_size: 0.1
sequence_len: 128
micro_batch_size: 8
max_steps: 4
save_steps: 2
learning_rate: 2e-3
logging_steps: 2
special_tokens: {pad_token: "<|pad|>"}
comet_api_key: a-secret
"""
PROMPT = PromptMetadata(
    id="prompt",
    name="alpaca",
    dataset_id="dataset",
    prompt_template="<Instruction>: {instruction}\n<Output>: {output}",
    input_template="<Instruction>: {instruction}\n<Output>:",
    completion_template=" {output}",
)


@pytest.fixture
def flags(
    fine_tune_flags: Callable[..., str], studio: Studio, project: Path
) -> Callable[[str], str]:
    """Arguments of a job with Axolotl, its config and rows of the format `alpaca`."""
    lines = (project / "starter/intents/train.jsonl").read_text().splitlines()[:100]
    rows = [json.loads(line) for line in lines]
    (project / "alpaca.jsonl").write_text(
        "".join(
            json.dumps({"instruction": row["customer"], "input": "", "output": row["action"]})
            + "\n"
            for row in rows
        )
    )
    studio.dataset.type = "project_jsonl"
    studio.dataset.location = "alpaca.jsonl"
    studio.prompt.CopyFrom(PROMPT)

    def made(config: str) -> str:
        studio.config.config = config
        return fine_tune_flags(
            finetuning_framework_type="axolotl", axolotl_config_id="config", dist_cpu="1"
        )

    return made


@pytest.mark.skipif(INSTALLED, reason="Axolotl is installed in this environment")
def test_missing_axolotl_is_reported_by_the_job(
    run_job: Callable[..., Run], flags: Callable[[str], str]
) -> None:
    run = run_job("fine_tune.py", flags(SHORT), "outputs/job-1")
    assert run.status == 1
    assert run.events[-1]["kind"] == "USER_ERROR"
    assert "Axolotl is not installed" in run.events[-1]["reason"]


@needs_axolotl
def test_axolotl_trains_and_its_adapter_is_registered(
    run_job: Callable[..., Run], flags: Callable[[str], str], studio: Studio, project: Path
) -> None:
    run = run_job("fine_tune.py", flags(SHORT), "outputs/job-1")

    assert run.status == 0, run.output
    names = [event["event"] for event in run.events]
    assert names[-4:] == ["manifest", "saved", "registered", "finished"]
    [started] = run.of("started")
    assert (started["total_steps"], started["train_rows"], started["eval_rows"]) == (4, 90, 10)
    assert [p["step"] for p in run.of("progress") if "loss" in p] == [2, 4]
    assert (project / "adapters/job-1/adapter_model.safetensors").is_file()
    assert studio.adapters[0].location == "adapters/job-1"
    _is_described(run, project / "adapters/job-1")
    assert (run.folder / "axolotl/checkpoint-2/complete.json").is_file()

    (run.folder / "axolotl/checkpoint-4/complete.json").unlink()
    again = run_job("fine_tune.py", flags(SHORT), "outputs/job-1", FTS_ATTEMPT="2")

    assert again.status == 0, again.output
    assert [event["checkpoint"] for event in again.of("resumed")] == ["checkpoint-2"]
    first, second = (
        [e["loss"] for e in again.of("progress") if e["attempt"] == n and "loss" in e]
        for n in (1, 2)
    )
    assert second == pytest.approx(first[1:], abs=1e-6)


def _is_described(run: Run, adapter: Path) -> None:
    """What it came from lies beside the adapter, and what whoever serves it verifies."""
    told = json.loads((adapter / "manifest.json").read_text())
    assert [event["manifest"] for event in run.of("manifest")] == [told]
    weights = hashlib.sha256((adapter / "adapter_model.safetensors").read_bytes()).hexdigest()
    assert told["adapter"]["sha256"] == weights
    assert (told["data"]["train_rows"], told["data"]["eval_rows"]) == (90, 10)
    rows = [json.loads(line) for line in (run.folder / "train.jsonl").read_text().splitlines()]
    assert told["data"]["train_sha256"] == canonical.digest(rows)
    assert told["versions"].keys() >= {"axolotl", "torch", "transformers", "trl", "peft"}
    assert told["axolotl_config"]["lora_r"] == told["lora_config"]["r"] == 8
    assert "comet_api_key" not in told["axolotl_config"]
    assert (told["training_arguments"]["learning_rate"], told["seed"]) == (2e-3, 42)
    assert (told["workers"], told["hardware"]["dtype"]) == (1, "float32")
    assert str(run.folder.parents[1]) not in json.dumps(told)
    answers = json.loads((adapter / "parity.json").read_text())
    assert answers["input_template"] == PROMPT.input_template
    assert len(answers["samples"]) == 4
    tokenizer = load_tokenizer(str(STARTER / "model"))
    model = load_model(str(STARTER / "model"), Hardware(1), weight_type(Hardware(1)), None)
    notices: list[str] = []
    trained_answers.check(
        adapter, PeftModel.from_pretrained(model, adapter), tokenizer, notices.append
    )
    assert notices == ["Answers to 4 prompts are those of the trained model."]


@needs_axolotl
def test_refusal_of_the_axolotl_schema_is_the_reason(
    run_job: Callable[..., Run], flags: Callable[[str], str]
) -> None:
    config = SHORT.replace("lora_r: 8", "lora_r: eight")
    run = run_job("fine_tune.py", flags(config), "outputs/job-1")
    assert run.status == 1
    failed = run.events[-1]
    assert (failed["event"], failed["kind"]) == ("failed", "USER_ERROR")
    assert failed["reason"].startswith("axolotl_config_id: lora_r: Input should be a valid integer")


@needs_axolotl
def test_axolotl_ends_with_its_job(
    start: Callable[..., subprocess.Popen[str]], flags: Callable[[str], str], project: Path
) -> None:
    process = start("fine_tune.py", flags(SHORT.replace("max_steps: 4", "max_steps: 100000")))
    children: list[psutil.Process] = []

    def begun() -> bool:
        children[:] = [
            child
            for child in psutil.Process(process.pid).children(recursive=True)
            if "trainer.axolotl.process" in child.cmdline()
        ]
        return bool(children)

    until(begun, 300.0)
    told = children[0].environ()
    assert (told["OMP_NUM_THREADS"], told["AXOLOTL_DATASET_NUM_PROC"]) == ("1", "1")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    assert process.returncode == 143
    until(lambda: gone(children), 10.0)
