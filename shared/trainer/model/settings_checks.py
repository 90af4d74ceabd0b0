"""Checks of settings against the loaded model and the rows."""

from typing import Any

from ft.configs.lora import ALL_LINEAR
from ft.configs.targets import BaseModules, faults
from trainer.errors import SettingsError


def check_adapter(config: dict[str, Any], model: Any) -> None:
    """Raises SettingsError naming modules, layers or tokens that the model does not have."""
    shapes = {name: tuple(one.shape) for name, one in model.named_parameters()}
    wanted = {**config, "target_modules": config.get("target_modules") or None}
    if isinstance(wanted["target_modules"], str) and wanted["target_modules"].lower() == ALL_LINEAR:
        # The library selects linear layers by type, not by name.
        wanted["target_modules"] = None
    if wrong := faults(wanted, BaseModules(shapes)):
        raise SettingsError(f"lora_config: {'; '.join(wrong)}.")


def check_experts(config: Any, model: Any) -> None:
    """Raises SettingsError for a loss of experts if the model has none."""
    has_experts = hasattr(model.config.get_text_config(), "output_router_logits")
    if config.router_aux_loss_coef and not has_experts:
        raise SettingsError(
            "training_arguments_config: router_aux_loss_coef is for a mixture of experts, which "
            "the base model is not. Leave it out."
        )


def check_batches(config: Any, rows: int, held_out: int | None) -> None:
    """Raises SettingsError if only full batches are used and the rows do not fill one.

    `held_out` is the number of rows that the training is evaluated on; None without evaluation.
    """
    if not config.dataloader_drop_last:
        return
    counted = {"train": (rows, "to train on"), "eval": (held_out, "that are held out")}
    for part, (number, what) in counted.items():
        name = f"per_device_{part}_batch_size"
        batch = getattr(config, name) * config.world_size
        if number is not None and number < batch:
            raise SettingsError(
                f"training_arguments_config: dataloader_drop_last leaves out every row: {number} "
                f"rows {what} do not fill a batch of {batch}. Use a smaller {name}, or leave "
                "dataloader_drop_last out."
            )


_TOKENS = (
    "bad_words_ids",
    "begin_suppress_tokens",
    "eos_token_id",
    "forced_eos_token_id",
    "pad_token_id",
    "suppress_tokens",
)


def check_tokens(config: dict[str, Any], model: Any) -> None:
    """Raises SettingsError naming ids of tokens that the model does not have."""
    rows = model.get_input_embeddings().weight.shape[0]
    for name in _TOKENS:
        beyond = [one for one in _flat(config.get(name)) if one >= rows]
        if beyond:
            raise SettingsError(
                f"generation_config: {name} has {beyond[0]}; the model has tokens 0 to {rows - 1}."
            )


def _flat(value: Any) -> list[float]:
    if isinstance(value, list):
        return [number for one in value for number in _flat(one)]
    return [] if value is None else [value]
