"""Mapping of the roles of conversations, as a JSON object in the record of a dataset."""

import json
from collections.abc import Mapping

from chassis.rpc.errors import Violations
from rows.chat.messages import KNOWN_ROLES
from services.datasets import rules


def checked(roles: Mapping[str, str], found: Violations, field: str = "roles") -> str | None:
    """The roles as they are kept; None if there are none. What is wrong with them is noted."""
    for name, role in roles.items():
        found.check(field, rules.ROLES, bool(name.strip()), "a role has no name")
        known = role in KNOWN_ROLES or role == name
        description = (
            f"{name!r} must be mapped to one of {', '.join(KNOWN_ROLES)}, or to itself, not "
            f"to {role!r}"
        )
        found.check(field, rules.ROLES, known, description)
    return json.dumps(dict(sorted(roles.items()))) if roles else None


def read(text: str | None) -> dict[str, str]:
    """The roles of a record; none of one that is broken, which an earlier release may have
    imported: a job over it says so."""
    return _parsed(text) or {} if text else {}


def check(text: str, field: str, found: Violations) -> None:
    """Notes what is wrong with roles that are imported."""
    roles = _parsed(text)
    if roles is None:
        description = f"must be a JSON object of texts, or empty, not {text[:60]!r}"
        found.add(field, rules.ROLES, description)
    else:
        checked(roles, found, field)


def _parsed(text: str) -> dict[str, str] | None:
    try:
        roles = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(roles, dict) and all(isinstance(role, str) for role in roles.values()):
        return roles
    return None
