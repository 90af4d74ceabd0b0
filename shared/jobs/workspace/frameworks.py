"""Training frameworks that jobs of a workspace have, as far as the workspace states them.

They are in a variable of a template job, which the local workbench sets, and an administrator of a
workspace may set. If it is not set, the job itself checks.
"""

import json
from typing import Any

from ft.job_protocol.variables import FRAMEWORKS


def frameworks(template: Any) -> list[str]:
    """Returns the frameworks of jobs that are made from the template job; empty if not stated."""
    try:
        environment = json.loads(template.environment or "{}")
        return [name.strip() for name in environment.get(FRAMEWORKS, "").split(",") if name.strip()]
    except (ValueError, TypeError, AttributeError):
        return []
