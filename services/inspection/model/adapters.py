"""Checks that the modules and tokens that settings name exist in the base model."""

from collections.abc import Iterator, Mapping
from typing import Any

from chassis.rpc.findings import ERROR, WARNING, Findings
from ft.configs import lora
from ft.configs.targets import BaseModules, faults
from services.inspection import rules
from services.inspection.model.weights import Shapes

_EXPERT_SETTINGS = (
    "output_router_logits",
    "num_experts",
    "num_local_experts",
    "router_aux_loss_coef",
)
"""Settings in the config of a mixture of experts."""


def check_adapter(config: Mapping[str, Any], shapes: Shapes, findings: Findings) -> None:
    """Adds findings for what the settings name that is not in the headers of the model's files."""
    if lora.conflicts(config):
        return  # They are reported with the request.
    base = BaseModules(shapes)
    severity = ERROR if base.is_whole else WARNING
    for fault in faults(config, base):
        rule = rules.TARGETS if fault.startswith("target_modules") else rules.IN_THE_MODEL
        findings.add(severity, "lora_config", rule, fault)


TOKENS = (
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "eos_token_id",
    "forced_eos_token_id",
    "pad_token_id",
    "suppress_tokens",
)
"""Settings of the generation that are ids of tokens."""


def check_tokens(config: Mapping[str, Any], vocabulary: int, findings: Findings) -> None:
    """Refuses ids of tokens that the base model does not have; `vocabulary` is their number, 0 if
    the config does not say."""
    for name in TOKENS:
        beyond = [one for one in _numbers(config.get(name)) if one >= vocabulary]
        if vocabulary and beyond:
            description = f"{name} has {beyond[0]}; the base model has tokens 0 to {vocabulary - 1}"
            findings.add(ERROR, "generation_config", rules.IN_THE_MODEL, description)


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, list):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def check_experts(config: Mapping[str, Any], model: Mapping[str, Any], findings: Findings) -> None:
    """Refuses a loss of experts that the base model does not have; `model` is its config."""
    if not config.get("router_aux_loss_coef") or not model:
        return
    parts = [model, *(one for one in model.values() if isinstance(one, dict))]
    if not any(name in part for part in parts for name in _EXPERT_SETTINGS):
        description = (
            "router_aux_loss_coef is for a mixture of experts, which the base model is not: leave "
            "the setting out"
        )
        findings.add(ERROR, "training_arguments_config", rules.IN_THE_MODEL, description)
