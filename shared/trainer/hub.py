"""What the job may show to the hub."""

import os


def token() -> str | None:
    """The user's token, which travels in the job's environment; None asks without one."""
    return os.environ.get("HUGGINGFACE_ACCESS_TOKEN") or None
