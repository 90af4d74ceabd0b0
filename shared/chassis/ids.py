"""Ids of records."""

import uuid


def new_id() -> str:
    """Returns a new unique id."""
    return str(uuid.uuid4())
