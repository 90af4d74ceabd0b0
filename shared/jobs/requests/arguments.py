"""Arguments of a job, in the format of `JOB_ARGUMENTS`.

They are separated by blanks, and existing user scripts split them at blanks. So no argument may
contain a blank: JSON is written without blanks, and a blank in a JSON string is an escape.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from chassis.rpc.errors import Violations
from jobs import rules

_NEGATIVE = re.compile(r"-[0-9.]+(e[-+]?[0-9]+)?")
_RULE = "cannot be an argument of a job: it must not contain a space or begin with a hyphen"


def compact_json(value: Any) -> str:
    """Returns JSON in ASCII without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).replace(" ", "\\u0020")


def carried(text: str) -> bool:
    """Tells whether a text can be an argument: scripts split at blanks, and parse a word with a
    leading hyphen as a flag."""
    if any(character.isspace() or character == "\0" for character in text):
        return False
    return not text.startswith("-") or _NEGATIVE.fullmatch(text) is not None


def check_carried(values: Mapping[str, str], found: Violations) -> None:
    """Adds a violation for each field whose value cannot be a job's argument."""
    for field, text in values.items():
        found.check(field, rules.CARRIED, carried(text), f"{text!r} {_RULE}")


def encode(flags: Mapping[str, object], field: str = "") -> str:
    """Returns `--name value` pairs; flags without a value are left out, and True has no value.

    Raises InvalidArgument, naming the flags, if a value cannot be an argument. Flags are fields of
    the request, or of `field`.
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
