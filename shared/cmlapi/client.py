"""The client a session inside a workspace gets without saying anything."""

from __future__ import annotations

import os

from cmlapi.api.cml_service_api import CMLServiceApi
from cmlapi.api_client import ApiClient
from cmlapi.configuration import Configuration, workspace_host


def default_client(url: str | None = None, cml_api_key: str | None = None) -> CMLServiceApi:
    """Return a client of the workspace at `url`, with `cml_api_key` as its bearer key.

    Unset values come from `CDSW_API_URL` and `CDSW_APIV2_KEY`; raises `ValueError`, naming the
    variable, where neither gives one.
    """
    url = url or os.environ.get("CDSW_API_URL")
    if not url:
        raise ValueError("url: not given, and CDSW_API_URL is not set")
    key = cml_api_key or os.environ.get("CDSW_APIV2_KEY")
    if not key:
        raise ValueError("cml_api_key: not given, and CDSW_APIV2_KEY is not set")
    configuration = Configuration(host=workspace_host(url))
    return CMLServiceApi(ApiClient(configuration, "Authorization", f"Bearer {key}"))
