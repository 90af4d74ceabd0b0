"""Settings of the generation that contradict each other, or that have no effect."""

from collections.abc import Mapping
from typing import Any

__all__ = ["SAMPLING_SETTINGS", "conflicts", "notices"]

SAMPLING_SETTINGS = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "top_h",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
)
"""Settings that only sampling uses."""
_OF_BEAMS = ("early_stopping", "length_penalty")
_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "temperature": (1, 0),
    "top_p": (1,),
    "top_k": (50, 0),
    "typical_p": (1,),
    "epsilon_cutoff": (0,),
    "eta_cutoff": (0,),
    "early_stopping": (False,),
    "length_penalty": (1,),
}
"""Values that are the same as no setting."""


def conflicts(config: Mapping[str, Any]) -> list[str]:
    """Settings that contradict each other, a clause each."""
    found = []
    if config.get("do_sample") and config.get("temperature") == 0:
        found.append("temperature must be above 0 if do_sample is true; set do_sample to false")
    least, most = config.get("min_new_tokens"), config.get("max_new_tokens")
    if least is not None and most is not None and least > most:
        found.append(f"min_new_tokens {least} must not be above max_new_tokens {most}")
    if config.get("use_cache") is False and config.get("cache_implementation"):
        found.append("cache_implementation needs use_cache to be true")
    forced = config.get("forced_eos_token_id")
    ends = set(forced) if isinstance(forced, list) else {forced}
    if forced is not None and ends <= set(config.get("suppress_tokens") or ()):
        found.append("forced_eos_token_id cannot be among suppress_tokens")
    return found


def notices(config: Mapping[str, Any]) -> list[str]:
    """Settings that have no effect together with the others, a sentence each."""
    found = []
    if not config.get("do_sample"):
        found += [
            f"{name} has no effect: do_sample is not true"
            for name in SAMPLING_SETTINGS
            if _asks(config, name)
        ]
    if (config.get("num_beams") or 1) == 1:
        found += [
            f"{name} has no effect: num_beams is 1" for name in _OF_BEAMS if _asks(config, name)
        ]
    if config.get("bos_token_id") is not None:
        found.append("bos_token_id has no effect: the model continues the text that it is asked")
    return found


def _asks(config: Mapping[str, Any], name: str) -> bool:
    value = config.get(name)
    return value is not None and value not in _NEUTRAL.get(name, ())
