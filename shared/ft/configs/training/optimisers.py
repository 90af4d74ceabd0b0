"""Optimisers of a training: those of bitsandbytes, and the arguments that optimisers accept."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["BITSANDBYTES_OPTIMISERS", "argument_faults", "without_bitsandbytes"]

BITSANDBYTES_OPTIMISERS = (
    "ademamix",
    "adamw_bnb_8bit",
    "adamw_8bit",
    "ademamix_8bit",
    "lion_8bit",
    "lion_32bit",
    "paged_adamw_32bit",
    "paged_adamw_8bit",
    "paged_ademamix_32bit",
    "paged_ademamix_8bit",
    "paged_lion_32bit",
    "paged_lion_8bit",
    "rmsprop_bnb",
    "rmsprop_bnb_8bit",
    "rmsprop_bnb_32bit",
)
"""Optimisers of the library bitsandbytes."""


def without_bitsandbytes(optimiser: str) -> str:
    """The optimiser that replaces one of bitsandbytes if the library cannot be used."""
    return "rmsprop" if optimiser.startswith("rmsprop") else "adamw_torch"


_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "sgd": ("momentum", "dampening", "weight_decay", "nesterov"),
    "adagrad": ("lr_decay", "weight_decay", "eps"),
    "rmsprop": ("momentum", "alpha", "eps", "weight_decay", "centered"),
}
_SWITCHES = ("nesterov", "centered")


def argument_faults(settings: Mapping[str, Any]) -> Iterator[str]:
    """Faults of `optim_args`, the arguments of the optimiser, a clause each."""
    text = settings.get("optim_args")
    if not text:
        return
    optimiser = str(settings.get("optim", "adamw_torch_fused"))
    known = _ARGUMENTS.get(optimiser)
    if known is None:
        takers = ", ".join(_ARGUMENTS)
        yield f"optim_args is for optim {takers}; {optimiser} takes none"
        return
    given = dict(pair.strip().partition("=")[::2] for pair in str(text).split(","))
    for name, value in given.items():
        if name not in known:
            yield f"optim_args: {name!r} is not known; optim {optimiser} takes {', '.join(known)}"
        elif name in _SWITCHES:
            if value.lower() not in ("true", "false"):
                yield f"optim_args: {name} must be true or false, not {value!r}"
        else:
            number = _number(value)
            # Nothing is divided by 0, and no weight grows beyond any number.
            if number is None or not (1e-30 if name == "eps" else 0) <= number <= 1:
                yield f"optim_args: {name} must be a number from 0 to 1, not {value!r}"
    momentum, dampening = (_number(given.get(name)) or 0 for name in ("momentum", "dampening"))
    if given.get("nesterov", "").lower() == "true" and (not momentum > 0 or dampening > 0):
        yield "optim_args: nesterov needs momentum above 0 and no dampening"


def _number(value: str | None) -> float | None:
    try:
        return float(value or "")
    except ValueError:
        return None
