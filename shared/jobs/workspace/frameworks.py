"""Which training frameworks the jobs of a workspace have, as far as it says so.

A template job may carry the variable: the local workbench asks its interpreter and writes it, and
an administrator of a workspace may. Where nothing is said a job finds out by itself.
"""

import json
from typing import Any

from ft.job_protocol.variables import FRAMEWORKS


def frameworks(template: Any) -> list[str]:
    """The frameworks of jobs that are made from the template job; empty if it does not say."""
    try:
        environment = json.loads(template.environment or "{}")
        return [name.strip() for name in environment.get(FRAMEWORKS, "").split(",") if name.strip()]
    except (ValueError, TypeError, AttributeError):
        return []
