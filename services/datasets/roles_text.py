"""Mapping of the roles of conversations, as a JSON object in the record of a dataset."""

import json
from collections.abc import Mapping

from chassis.rpc.errors import Violations
from rows.chat.messages import KNOWN_ROLES
from services.datasets import rules


def check_roles(roles: Mapping[str, str], field: str, found: Violations) -> None:
    """Adds what is wrong with the roles that are mapped."""
    for name, role in roles.items():
        found.check(field, rules.ROLES, bool(name.strip()), "a role has no name")
        known = role in KNOWN_ROLES or role == name
        description = (
            f"{name!r} must be mapped to one of {', '.join(KNOWN_ROLES)}, or to itself, not "
            f"to {role!r}"
        )
        found.check(field, rules.ROLES, known, description)


def stored(roles: Mapping[str, str]) -> str | None:
    """Returns the roles as a record keeps them; None if there are none."""
    return json.dumps(dict(sorted(roles.items()))) if roles else None


def read(text: str | None) -> dict[str, str]:
    """Returns the roles of a record.

    Empty if the record's text is broken: an earlier release may have imported it, and a job that
    uses the dataset reports it.
    """
    return _parsed(text) or {} if text else {}


def check(text: str, field: str, found: Violations) -> None:
    """Adds what is wrong with roles that are imported."""
    roles = _parsed(text)
    if roles is None:
        description = f"must be a JSON object of texts, or empty, not {text[:60]!r}"
        found.add(field, rules.ROLES, description)
    else:
        check_roles(roles, field, found)


def _parsed(text: str) -> dict[str, str] | None:
    try:
        roles = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(roles, dict) and all(isinstance(role, str) for role in roles.values()):
        return roles
    return None
