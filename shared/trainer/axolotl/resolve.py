"""The Axolotl config to train with: the user's, with the settings that the studio determines."""

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
"""Settings that need a GPU, and that are on by default or often used."""
SEED = 42
"""Default for a config without one: Axolotl would start each training with other weights."""
LEARNING_RATE = 2e-4
"""Default for a config without one: Axolotl has none."""
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
"""Settings for which Axolotl refuses null; here null means not set."""
OF_ROWS = ("data_files", "name", "path", "revision", "shards", "split", "ds_type")
"""Keys for the source of a dataset's rows."""


@dataclass(frozen=True)
class JobPaths:
    """Files and folders of the job."""

    base_model: str
    """A directory, or a name on the hub."""
    train: Path
    """JSON lines."""
    held_out: Path | None
    """None where there are no such rows."""
    output: Path
    prepared: Path
    commit: str = ""
    """Commit of a hub model, at which Axolotl loads it."""
    checkpoint: str | None = None
    """The checkpoint to continue from."""


def resolve_config(
    config: dict[str, Any], paths: JobPaths, *, on_gpu: bool, notify: Callable[[str], None]
) -> dict[str, Any]:
    """The config to train with. Settings of the user that are replaced are a notice.

    Raises SettingsError if the config trains no adapter.
    """
    if not config.get("adapter"):
        raise SettingsError("axolotl_config_id: the config names no adapter, such as lora.")
    if config.get("learning_rate") is None:
        notify(f"The Axolotl config says no learning_rate: {LEARNING_RATE} is used.")
    first, *others = config["datasets"]
    wants_evaluation = config.get("test_datasets") or config.get("val_set_size")
    held_out = [_with_file(paths.held_out, first)] if wants_evaluation and paths.held_out else None
    kept = {
        name: value
        for name, value in config.items()
        if name != "test_datasets" and not (value is None and name in NEVER_NULL)
    }
    changed = {} if on_gpu else _for_cpu(config, notify)
    if others:
        notify(f"{len(others)} more datasets of the Axolotl config are trained on as they are.")
    return {
        "seed": SEED,
        "learning_rate": LEARNING_RATE,
        **kept,
        **changed,
        "datasets": [_with_file(paths.train, first), *others],
        "val_set_size": 0,
        **({"test_datasets": held_out} if held_out else {}),
        "base_model": paths.base_model,
        **({"revision_of_model": paths.commit} if paths.commit else {}),
        "output_dir": str(paths.output),
        "dataset_prepared_path": str(paths.prepared),
        "resume_from_checkpoint": paths.checkpoint,
        "auto_resume_from_checkpoints": False,
        "plugins": [*(config.get("plugins") or []), PLUGIN],
    }


def _with_file(rows: Path, dataset: dict[str, Any]) -> dict[str, Any]:
    """A dataset of the config whose rows are read from a file of the job."""
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
        # "auto" does not ask for the setting.
        if config.get(name) not in (None, False, "auto", value):
            notify(f"{name} {config[name]} is replaced by {value}: the job has no GPU.")
    return changed
