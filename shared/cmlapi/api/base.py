"""Calls of the API's operations: what all of them have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, cast

from cmlapi.api_client import ApiClient
from cmlapi.rest import RequestTimeout


class CallOptions(TypedDict, total=False):
    """How an operation is called, see `ApiClient.call_api`."""

    async_req: bool | None
    _return_http_data_only: bool | None
    _preload_content: bool
    _request_timeout: RequestTimeout


class Api:
    """Operations of a workspace, which `api_client` calls."""

    def __init__(self, api_client: ApiClient | None = None) -> None:
        self.api_client = api_client or ApiClient()

    def _call(
        self,
        operation: str,
        call: tuple[str, str, str],
        path_params: Mapping[str, str],
        query_params: Mapping[str, Any],
        options: CallOptions,
        **body: Any,
    ) -> Any:
        """Make a `call`: a verb, a path, and the type of the answer."""
        for name in options:
            if name not in CallOptions.__annotations__:
                message = f"Got an unexpected keyword argument '{name}' to method {operation}"
                raise TypeError(message)
        for name, value in {**body, **path_params}.items():
            if value is None or value == "":
                raise ValueError(
                    f"Missing the required parameter `{name}` when calling `{operation}`"
                )
        verb, path, returns = call
        return self.api_client.call_api(
            path,
            verb,
            path_params,
            query_params,
            response_type=returns,
            auth_settings=["BearerAuth"],
            **cast("dict[str, Any]", options),
            **body,
        )


def data_only(options: CallOptions) -> CallOptions:
    """Return the options of a call that gives the answer alone."""
    return {**options, "_return_http_data_only": True}
