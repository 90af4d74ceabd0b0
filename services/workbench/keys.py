"""Who may call what: the workbench's key, and what is derived from it."""

import hashlib
import hmac

from starlette.datastructures import Headers


def bears(headers: Headers, key: str) -> bool:
    """Whether a request with those headers bears `key`."""
    given = headers.get("authorization", "").encode()
    return hmac.compare_digest(given, f"Bearer {key}".encode())


def of_deployment(key: str, deployment_id: str) -> str:
    """What the workbench shows to the process of a deployment, so that it answers nobody else.

    Derived from the workbench's own `key`, so that it need not be kept anywhere.
    """
    return hmac.new(key.encode(), f"model:{deployment_id}".encode(), hashlib.sha256).hexdigest()
