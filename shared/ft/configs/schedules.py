"""Arguments of the schedules of the learning rate, `lr_scheduler_kwargs`."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["DEFAULT", "arguments_of", "faults", "warms_up"]

DEFAULT = "linear"
"""The schedule where the settings name none."""
WITHOUT_WARM_UP = ("constant", "greedy", "reduce_lr_on_plateau")


@dataclass(frozen=True)
class _ValueRule:
    """The values that an argument accepts."""

    holds: Callable[[Any], bool]
    words: str


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(least: float, most: float) -> _ValueRule:
    return _ValueRule(
        lambda v: _is_number(v) and least <= v <= most, f"a number from {least} to {most}"
    )


def _whole(least: int) -> _ValueRule:
    return _ValueRule(
        lambda v: _is_number(v) and v == int(v) and least <= v < 2**31,
        f"a whole number of at least {least}",
    )


def _one_of(*values: Any) -> _ValueRule:
    return _ValueRule(lambda v: v in values and type(v) is type(values[0]), f"one of {values}")


_RATE = _number(0, 100)
_SHARE = _number(0, 1)
_FACTOR = _ValueRule(lambda v: _is_number(v) and 0 < v < 1, "a number above 0 and below 1")
_CYCLES = {"num_cycles": _number(0, 1000)}
_BY_LOSS = {
    "factor": _FACTOR,
    "patience": _whole(0),
    "threshold": _number(0, 1e6),
    "threshold_mode": _one_of("rel", "abs"),
    "cooldown": _whole(0),
    "min_lr": _RATE,
    "eps": _RATE,
}
_SHAPE = _one_of("linear", "cosine", "1-sqrt")
_TAKEN: Mapping[str, Mapping[str, _ValueRule]] = {
    "linear": {},
    "constant": {},
    "constant_with_warmup": {},
    "cosine": _CYCLES,
    "cosine_with_restarts": _CYCLES,
    "polynomial": {"lr_end": _RATE, "power": _number(0, 10)},
    "inverse_sqrt": {"timescale": _whole(1)},
    "reduce_lr_on_plateau": _BY_LOSS,
    "cosine_with_min_lr": {**_CYCLES, "min_lr": _RATE, "min_lr_rate": _SHARE},
    "cosine_warmup_with_min_lr": {
        **_CYCLES,
        "min_lr": _RATE,
        "min_lr_rate": _SHARE,
        "warmup_lr_rate": _SHARE,
    },
    "warmup_stable_decay": {
        **_CYCLES,
        "num_decay_steps": _whole(0),
        "num_stable_steps": _whole(0),
        "warmup_type": _SHAPE,
        "decay_type": _SHAPE,
        "min_lr_ratio": _SHARE,
    },
    "greedy": {**_BY_LOSS, "warmup": _whole(0), "max_lr": _RATE},
}
_POLYNOMIAL_END = 1e-7
"""Final rate of the polynomial schedule if `lr_end` is not given."""


def warms_up(settings: Mapping[str, Any]) -> bool:
    """Tells whether a warm-up has an effect on the schedule."""
    return settings.get("lr_scheduler_type", DEFAULT) not in WITHOUT_WARM_UP


def arguments_of(value: Any) -> Mapping[str, Any] | None:
    """The object that an argument is, or contains as JSON; None if it is no object."""
    if value is None:
        return {}
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, dict) else None


def faults(settings: Mapping[str, Any]) -> Iterator[str]:
    """Faults of the arguments of the schedule, a clause each."""
    name = settings.get("lr_scheduler_type", DEFAULT)
    given = arguments_of(settings.get("lr_scheduler_kwargs"))
    if given is None:
        yield 'lr_scheduler_kwargs must be an object, such as {"num_cycles": 2}'
        return
    if name not in _TAKEN:
        return
    taken = _TAKEN[name]
    for argument, value in given.items():
        if argument not in taken:
            known = f"takes {', '.join(taken)}" if taken else "takes no arguments"
            yield f"lr_scheduler_kwargs: {argument} is not known: lr_scheduler_type {name} {known}"
        elif not taken[argument].holds(value):
            yield (
                f"lr_scheduler_kwargs: {argument} must be {taken[argument].words}, "
                f"not {json.dumps(value, default=str):.60}"
            )
    if name in ("cosine_with_min_lr", "cosine_warmup_with_min_lr"):
        if ("min_lr" in given) == ("min_lr_rate" in given):
            yield (
                f"lr_scheduler_type {name} needs one of min_lr and min_lr_rate in "
                'lr_scheduler_kwargs, such as {"min_lr_rate": 0.1}'
            )
    elif name == "warmup_stable_decay" and "num_decay_steps" not in given:
        yield (
            f"lr_scheduler_type {name} needs num_decay_steps in lr_scheduler_kwargs, "
            'such as {"num_decay_steps": 100}'
        )
    yield from _rate_faults(name, given, settings)


def _rate_faults(name: str, given: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    rate = settings.get("learning_rate")
    if not _is_number(rate):
        return
    end = given.get("lr_end", _POLYNOMIAL_END)
    if name == "polynomial" and _is_number(end) and end >= rate:
        yield (
            f"lr_scheduler_type polynomial goes down to lr_end {end}, which must be below "
            f"learning_rate {rate}"
        )
    least, most = given.get("min_lr", 1e-3), given.get("max_lr", 1.0)
    if name == "greedy" and _is_number(least) and _is_number(most) and least > most:
        yield f"lr_scheduler_kwargs: min_lr {least} must not be above max_lr {most}"
