"""Checks of numbers that all requests for jobs have, by the names of their fields."""

from chassis.rpc.errors import Violations
from jobs import rules


def check_resources(found: Violations, **values: int | None) -> None:
    """Adds a violation for each number of CPU cores, GiB of memory or workers below 1."""
    for field, value in values.items():
        # Clients of the frozen contract send 0 for a number that is not set.
        number = value or 0
        found.check(field, rules.RESOURCES, number > 0, f"must be above 0, not {number}")


def check_gpus(found: Violations, **values: int | None) -> None:
    """Adds a violation for each negative number of GPUs; None counts as 0."""
    for field, value in values.items():
        holds = value is None or value >= 0
        found.check(field, rules.GPUS, holds, f"must not be negative, not {value}")


def check_shares(found: Violations, **values: float) -> None:
    """Adds a violation for each share of rows outside (0, 1]."""
    for field, value in values.items():
        description = f"must be above 0 and at most 1, not {value}"
        found.check(field, rules.SHARE, 0 < value <= 1, description)
