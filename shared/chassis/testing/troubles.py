"""Faults of a hub, and the studio's error for each."""

from collections.abc import Mapping
from typing import Literal

from chassis.rpc import errors
from chassis.testing.hub import Repo

DISABLED = "Access to this resource is disabled."
"""Message by which the library recognises a disabled repository."""


def troubled(kind: Literal["model", "dataset"], files: Mapping[str, bytes]) -> list[Repo]:
    """Returns a repository for each fault of a hub, named after it; see TROUBLES."""
    return [
        Repo(kind, "gated/files", files, gated=True),
        Repo(kind, "gated/401", files, status=401, code="GatedRepo"),
        Repo(kind, "gated/403", files, status=403, code="GatedRepo"),
        Repo(kind, "denied/401", files, status=401),
        Repo(kind, "denied/403", files, status=403),
        Repo(kind, "disabled/repo", files, status=403, message=DISABLED),
        Repo(kind, "private/files", files, private=True),
        Repo(kind, "busy/429", files, status=429),
        Repo(kind, "broken/500", files, status=500),
        Repo(kind, "broken/503", files, status=503),
        Repo(kind, "broken/reset", files, fault="reset"),
        Repo(kind, "slow/start", files, seconds=600),
        Repo(kind, "slow/body", files, fault="trickle"),
    ]


TROUBLES: dict[str, tuple[type[errors.Refusal], str, str]] = {
    "gated/files": (errors.PermissionDenied, "HUB_GATED", "set HUGGINGFACE_ACCESS_TOKEN"),
    "gated/401": (errors.PermissionDenied, "HUB_GATED", "set HUGGINGFACE_ACCESS_TOKEN"),
    "gated/403": (errors.PermissionDenied, "HUB_GATED", "ask for access"),
    "denied/401": (errors.PermissionDenied, "HUB_TOKEN_REFUSED", "this HUGGINGFACE_ACCESS_TOKEN"),
    "denied/403": (errors.PermissionDenied, "HUB_TOKEN_REFUSED", "this HUGGINGFACE_ACCESS_TOKEN"),
    "disabled/repo": (errors.PermissionDenied, "HUB_DISABLED", "is disabled on the hub"),
    "private/files": (errors.NotFound, "NOT_FOUND", "a private one is seen only with"),
    "none/there": (errors.NotFound, "NOT_FOUND", "on the hub"),
    "busy/429": (errors.Unavailable, "HUB_UNAVAILABLE", "HTTP 429"),
    "broken/500": (errors.Unavailable, "HUB_UNAVAILABLE", "HTTP 500"),
    "broken/503": (errors.Unavailable, "HUB_UNAVAILABLE", "HTTP 503"),
    "broken/reset": (errors.Unavailable, "HUB_UNAVAILABLE", "did not answer"),
    "slow/start": (errors.Unavailable, "HUB_UNAVAILABLE", "did not answer"),
    "slow/body": (errors.Unavailable, "HUB_UNAVAILABLE", "did not answer"),
}
"""Error of a studio with a token for each fault: type, reason, part of the message. NotFound
becomes INVALID_ARGUMENT where a request registers the name."""
