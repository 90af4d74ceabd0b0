"""What a workbench answers to calls that it refuses."""

import json
from typing import Any

import pytest

from cmlapi.rest import ApiException

CODES = {400: (3, 9), 401: (16,), 404: (5,), 409: (6,), 501: (12,)}


def refused(status: int, method: Any, *args: Any, **kwargs: Any) -> str:
    """The message of a call that is refused with that status, in a workspace's form."""
    with pytest.raises(ApiException) as found:
        method(*args, **kwargs)
    assert found.value.status == status
    body = json.loads(found.value.body or "")
    assert set(body) == {"error", "code", "message", "details"}
    assert body["code"] in CODES[status]
    assert body["error"] == body["message"]
    message: str = body["message"]
    return message
