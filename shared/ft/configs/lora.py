"""Settings of an adapter that contradict each other, or that have no effect."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["LEFT_OUT", "as_list", "conflicts", "is_pattern", "notices"]

LEFT_OUT: Mapping[str, str] = {
    "base_model_name_or_path": "the job selects the base model",
    "revision": "the job selects the base model",
    "peft_version": "the installed version is used",
}
"""Settings that a job leaves out, and why: a config may be copied from an adapter's."""
ALL_LINEAR = "all-linear"


def as_list(value: Any) -> list[Any]:
    """One name or several, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple | set) else [value]


def is_pattern(text: Any) -> bool:
    """Tells whether the text is a regular expression."""
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError, TypeError):
        return False
    return True


def conflicts(config: Mapping[str, Any]) -> list[str]:
    """Settings of an adapter that no training supports, a clause each."""
    return [*_module_conflicts(config), *_variant_conflicts(config), *_token_conflicts(config)]


def notices(config: Mapping[str, Any]) -> list[str]:
    """Settings of an adapter that have no effect, a sentence each."""
    found = [
        f"{name} is ignored: {reason}" for name, reason in LEFT_OUT.items() if config.get(name)
    ]
    if config.get("fan_in_fan_out"):
        found.append("fan_in_fan_out has no effect: the kind of each layer decides it")
    if config.get("ensure_weight_tying") and not (
        config.get("modules_to_save") or config.get("trainable_token_indices")
    ):
        found.append(
            "ensure_weight_tying has no effect without modules_to_save or trainable_token_indices"
        )
    return found


def _module_conflicts(config: Mapping[str, Any]) -> Iterator[str]:
    targets = config.get("target_modules")
    if "lm_head" in as_list(targets):
        yield (
            "target_modules cannot name lm_head, because the loss is computed directly from it; "
            "use modules_to_save instead"
        )
    both = set(map(str, as_list(targets))) & set(map(str, as_list(config.get("modules_to_save"))))
    if both:
        yield (
            f"target_modules and modules_to_save both name {', '.join(sorted(both))}: a module is "
            "trained as a whole or by an adapter"
        )
    for name in ("target_modules", "exclude_modules"):
        value = config.get(name)
        if isinstance(value, str) and not is_pattern(value):
            yield f"{name} must be a list of names or a regular expression, which {value!r} is not"
    for name in ("alpha_pattern", "modules_to_save", "layers_pattern", "rank_pattern"):
        for value in as_list(config.get(name)):
            for pattern in value if isinstance(value, dict) else [value]:
                if not is_pattern(pattern):
                    yield f"{name} has {pattern!r}, which is not a regular expression"
    layers = config.get("layers_to_transform")
    if layers is not None and not isinstance(targets, list):
        yield "layers_to_transform needs target_modules that is a list of names"
    if config.get("layers_pattern") and layers is None:
        yield "layers_pattern has no effect without layers_to_transform"


def _variant_conflicts(config: Mapping[str, Any]) -> Iterator[str]:
    start = config.get("init_lora_weights", True)
    if config.get("lora_bias"):
        if not isinstance(start, bool):
            yield "lora_bias needs init_lora_weights true or false"
        if config.get("use_dora"):
            yield "lora_bias and use_dora cannot both be true"
    if start == "orthogonal" and config.get("r", 8) % 2:
        yield f"init_lora_weights orthogonal needs an even r, not {config['r']}"
    if not config.get("target_parameters"):
        return
    for name in ("use_dora", "lora_bias", "fan_in_fan_out"):
        if config.get(name):
            yield f"{name} cannot be true together with target_parameters"
    if config.get("lora_dropout"):
        yield "lora_dropout must be 0 together with target_parameters"
    if not isinstance(start, bool):
        yield "init_lora_weights must be true or false together with target_parameters"


def _token_conflicts(config: Mapping[str, Any]) -> Iterator[str]:
    tokens = config.get("trainable_token_indices")
    if tokens is None:
        return
    named = list(tokens) if isinstance(tokens, dict) else ["embed_tokens"]
    if isinstance(tokens, dict) and not tokens:
        yield "trainable_token_indices names no module"
    both = [name for name in named if name in as_list(config.get("modules_to_save"))]
    if both:
        yield (
            f"trainable_token_indices and modules_to_save both name {', '.join(both)}: set one of "
            "them"
        )
