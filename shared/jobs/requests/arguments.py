"""A job's arguments, as they travel in `JOB_ARGUMENTS`.

They are separated by blanks and existing user scripts split them on blanks, so no argument may
contain one: JSON is written without, and a blank within a JSON string as an escape.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from chassis.rpc.errors import Violations
from jobs import rules

_NEGATIVE = re.compile(r"-[0-9.]+(e[-+]?[0-9]+)?")
_RULE = "cannot be an argument of a job: it must not contain a blank or begin with a hyphen"


def compact_json(value: Any) -> str:
    """JSON in ASCII without a blank; equal to `value` when read back."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).replace(" ", "\\u0020")


def carried(text: str) -> bool:
    """Whether an argument arrives as it is: scripts split on blanks, and take a word that begins
    with a hyphen for a flag."""
    if any(character.isspace() or character == "\0" for character in text):
        return False
    return not text.startswith("-") or _NEGATIVE.fullmatch(text) is not None


def check_carried(values: Mapping[str, str], found: Violations) -> None:
    """Notes the fields whose values cannot be a job's argument."""
    for field, text in values.items():
        found.check(field, rules.CARRIED, carried(text), f"{text!r} {_RULE}")


def encode(flags: Mapping[str, object], field: str = "") -> str:
    """`--name value` pairs; flags without a value are left out, and True stands alone.

    Raises InvalidArgument if a value cannot be carried, naming the flags, which are fields of the
    request, or parts of `field`.
    """
    found = Violations()
    words: list[str] = []
    for name, value in flags.items():
        if value is None or value is False or value == "":
            continue
        words.append(f"--{name}")
        if value is not True:
            text = str(value)
            check_carried({f"{field}.{name}" if field else name: text}, found)
            words.append(text)
    found.raise_if_any()
    return " ".join(words)
