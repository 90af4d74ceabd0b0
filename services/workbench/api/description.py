"""The API description, from which the client is generated and the routes are created."""

import functools
import importlib.resources
import json
from typing import Any


@functools.cache
def description() -> dict[str, Any]:
    """The API description: `operations`, `schemas` and `enums`."""
    text = importlib.resources.files("cmlapi").joinpath("description.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def documented_keys(operation: str, parameter: str) -> list[str]:
    """Returns the keys that the client documents for a parameter of a list operation."""
    found: list[str] = description()["operations"][operation].get("keys", {}).get(parameter, [])
    return found
