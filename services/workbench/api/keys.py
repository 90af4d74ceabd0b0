"""Checks of the workbench's key, and keys derived from it."""

import hashlib
import hmac

from starlette.datastructures import Headers


def bears(headers: Headers, key: str) -> bool:
    """Returns True if a request with those headers bears `key`."""
    given = headers.get("authorization", "").encode()
    return hmac.compare_digest(given, f"Bearer {key}".encode())


def of_deployment(key: str, deployment_id: str) -> str:
    """The token with which the workbench calls a deployment's process, which refuses all other
    callers.

    It is derived from the workbench's `key`, so that it need not be stored.
    """
    return hmac.new(key.encode(), f"model:{deployment_id}".encode(), hashlib.sha256).hexdigest()
