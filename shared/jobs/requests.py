"""What tells a start request from another one."""

import hashlib

from google.protobuf.message import Message


def digest(request: Message) -> str:
    """Equal for requests that ask for the same, whatever their `request_id`."""
    asked = type(request)()
    asked.CopyFrom(request)
    asked.ClearField("request_id")
    return hashlib.sha256(asked.SerializeToString(deterministic=True)).hexdigest()
