"""CPU cores, memory and GPUs that are asked for: one rule for whatever is given them."""

from collections.abc import Mapping

from chassis.errors import Violations
from jobs import rules


def check_resources(numbers: Mapping[str, int | None], found: Violations) -> None:
    """Notes each number that cannot be given, by the name of its field.

    Fields whose name ends in `gpu` may be 0 or unset, all others are above 0.
    """
    for name, number in numbers.items():
        if name.endswith("gpu"):
            holds = number is None or number >= 0
            found.check(name, rules.GPUS, holds, f"must not be negative, not {number}")
        else:
            holds = number is not None and number > 0
            found.check(name, rules.RESOURCES, holds, f"must be above 0, not {number}")
