"""The user's Axolotl config with what the studio decides put into it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import SettingsError

PLUGIN = "trainer.axolotl.plugin.StudioPlugin"
CPU = {
    "bf16": False,
    "fp16": False,
    "tf32": False,
    "flash_attention": False,
    "sample_packing": False,
    "gradient_checkpointing": False,
    "load_in_4bit": False,
    "load_in_8bit": False,
    "lora_mlp_kernel": False,
    "lora_qkv_kernel": False,
    "lora_o_kernel": False,
}
"""What Axolotl turns on by itself or is often asked for, and that it cannot do without a GPU."""
SEED = 42
"""Where the config has none: Axolotl begins each training of it with other weights."""
LEARNING_RATE = 2e-4
"""Where the config has none: Axolotl has no default."""
NEVER_NULL = (
    "balance_labels",
    "base_model",
    "label_balance_window_optim_steps",
    "learning_rate",
    "lora_fp32_gradients",
    "nf4_backend",
    "num_epochs",
    "output_dir",
    "ple_cpu_offload",
    "quantize_moe_experts",
    "ray_num_workers",
    "resources_per_worker",
    "sequence_len",
    "sync_profiler_start_step",
    "use_ray",
)
"""Settings that Axolotl does not take null for, which here is the same as not set."""
OF_ROWS = ("data_files", "name", "path", "revision", "shards", "split", "ds_type")
"""Where the rows of a dataset come from."""


@dataclass(frozen=True)
class JobPaths:
    """Files and folders of the job."""

    base_model: str
    """A folder, or a name on the hub."""
    train: Path
    """JSON lines."""
    held_out: Path | None
    """None where there are no such rows."""
    output: Path
    prepared: Path
    commit: str = ""
    """Of a base model of the hub, which Axolotl is told to load."""
    checkpoint: str | None = None
    """What to go on from."""


def resolved(
    config: dict[str, Any], places: JobPaths, *, on_gpu: bool, notify: Callable[[str], None]
) -> dict[str, Any]:
    """The config to train with. The user is told of each wish that is not fulfilled.

    Raises SettingsError if the config trains no adapter.
    """
    if not config.get("adapter"):
        raise SettingsError("axolotl_config_id: the config names no adapter, such as lora.")
    if config.get("learning_rate") is None:
        notify(f"The Axolotl config says no learning_rate: {LEARNING_RATE} is used.")
    kept = {
        name: value
        for name, value in config.items()
        if name != "test_datasets" and not (value is None and name in NEVER_NULL)
    }
    return {
        "seed": SEED,
        "learning_rate": LEARNING_RATE,
        **kept,
        **({} if on_gpu else _for_cpu(config, notify)),
        **_rows(config, places, notify),
        "base_model": places.base_model,
        **({"revision_of_model": places.commit} if places.commit else {}),
        "output_dir": str(places.output),
        "dataset_prepared_path": str(places.prepared),
        "resume_from_checkpoint": places.checkpoint,
        "auto_resume_from_checkpoints": False,
        "plugins": [*(config.get("plugins") or []), PLUGIN],
    }


def _rows(
    config: dict[str, Any], places: JobPaths, notify: Callable[[str], None]
) -> dict[str, Any]:
    """What is trained on, and what is evaluated if the config asks for that."""
    first, *others = config["datasets"]
    if others:
        notify(f"{len(others)} more datasets of the Axolotl config are trained on as they are.")
    wanted = config.get("test_datasets") or config.get("val_set_size")
    held_out = [_from(places.held_out, first)] if wanted and places.held_out else None
    return {
        "datasets": [_from(places.train, first), *others],
        "val_set_size": 0,
        **({"test_datasets": held_out} if held_out else {}),
    }


def _from(rows: Path, dataset: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in dataset.items() if name not in OF_ROWS}
    return {**kept, "path": str(rows), "ds_type": "json", "split": "train"}


def _for_cpu(config: dict[str, Any], notify: Callable[[str], None]) -> dict[str, Any]:
    changed: dict[str, Any] = dict(CPU)
    if config.get("adapter") == "qlora":
        changed["adapter"] = "lora"
    optimizer = str(config.get("optimizer", "adamw_bnb_8bit"))
    if any(mark in optimizer for mark in ("8bit", "4bit", "paged", "bnb", "fused")):
        changed["optimizer"] = "adamw_torch"
    if "flash" in str(config.get("attn_implementation", "")):
        changed["attn_implementation"] = "sdpa"
    for name, value in changed.items():
        # "auto" is no wish.
        if config.get(name) not in (None, False, "auto", value):
            notify(f"{name} {config[name]} is replaced by {value}: the job has no GPU.")
    return changed
