"""One name, one export: whatever has the name keeps it."""

from chassis.rpc import rules
from chassis.rpc.errors import AlreadyExists


def taken(name: str, holder_id: str, where: str) -> AlreadyExists:
    """Says what has the name of an export; `where` tells in words among what it is."""
    return AlreadyExists(
        f"model_name: {name!r} is already used {where}, by {holder_id}; choose another name",
        reason="MODEL_NAME_TAKEN",
        field="model_name",
        holder_id=holder_id,
        rule=rules.UNIQUE.id,
    )
