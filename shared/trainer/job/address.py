"""Where the studio is now: a studio that starts writes its address into the workspace project."""

import http.client
import json
import re
import urllib.request
from collections.abc import Mapping
from urllib.parse import quote

ADDRESS, PORT = "FINE_TUNING_SERVICE_IP", "FINE_TUNING_SERVICE_PORT"
SECONDS = 5.0
_API_SUFFIX = re.compile(r"(/api/v\d+)?/*$")
"""A workspace tells its runs an address that may end in a version of its API."""
_MOST = 1024 * 1024


def published(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """The studio's IP and port as the workspace project has them; None if it cannot be asked or
    does not know. `environment` is the run's own, which says how to ask."""
    url = environment.get("CDSW_API_URL", "").strip()
    project, key = environment.get("CDSW_PROJECT_ID", ""), environment.get("CDSW_APIV2_KEY", "")
    if not (url.startswith(("http://", "https://")) and project and key):
        return None
    asked = urllib.request.Request(  # noqa: S310 - one of the two schemes
        f"{_API_SUFFIX.sub('', url)}/api/v2/projects/{quote(project, safe='')}",
        headers={"Authorization": f"Bearer {key}"},
    )
    # Straight, as the workspace's own client asks: a proxy is for what lies outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=SECONDS) as answer:
            variables = json.loads(json.loads(answer.read(_MOST))["environment"])
        return str(variables[ADDRESS]), str(variables[PORT])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, RecursionError):
        return None
