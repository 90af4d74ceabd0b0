"""One described operation as one HTTP call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Self, TypeVar
from urllib.parse import quote

from cmlapi import rest, serialization
from cmlapi.configuration import Configuration
from cmlapi.models.base import ApiModel

M = TypeVar("M", bound=ApiModel)


class ApiClient:
    """Sends calls to the workspace of a `Configuration`.

    `header_name` and `header_value` are a header sent with every call, such as the key's.
    """

    def __init__(
        self,
        configuration: Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
    ) -> None:
        self.configuration = configuration or Configuration()
        self.rest_client = rest.RESTClientObject(self.configuration)
        self.default_headers = {"User-Agent": "cmlapi/python", "Accept": "application/json"}
        if header_name is not None and header_value is not None:
            self.set_default_header(header_name, header_value)

    def set_default_header(self, header_name: str, header_value: str) -> None:
        """Send this header with every call from now on."""
        self.default_headers[header_name] = header_value

    def close(self) -> None:
        """Close the connections to the workspace."""
        self.rest_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call_api(
        self,
        method: str,
        path: str,
        response_type: type[M],
        *,
        path_params: Mapping[str, str],
        query_params: Mapping[str, object] | None = None,
        body: object = None,
        _request_timeout: rest.RequestTimeout = None,
    ) -> M:
        """Call the operation at `path`, whose `{placeholders}` are filled from `path_params`.

        Raises `ValueError` for an empty path parameter (it would address another operation), and
        what `RESTClientObject.request` raises.
        """
        payload = None if body is None else json.dumps(serialization.to_json(body)).encode()
        response = self.rest_client.request(
            method,
            self.configuration.host.rstrip("/") + _fill(path, path_params),
            headers=self.default_headers
            | ({"Content-Type": "application/json"} if payload is not None else {}),
            fields=_query_fields(query_params or {}),
            body=payload,
            timeout=_request_timeout,
        )
        model: M = serialization.from_json(json.loads(response.data), response_type.__name__)
        return model


def _fill(path: str, path_params: Mapping[str, str]) -> str:
    for name, value in path_params.items():
        if not value:
            raise ValueError(f"{name}: missing the required parameter")
        encoded = quote(str(value), safe="")
        if value in (".", ".."):
            # As they stand, these would be resolved on the way, and address another operation.
            encoded = encoded.replace(".", "%2E")
        path = path.replace("{" + name + "}", encoded)
    return path


def _query_fields(params: Mapping[str, object]) -> list[tuple[str, str]]:
    fields = []
    for name, value in params.items():
        if isinstance(value, bool):
            value = "true" if value else "false"
        if value is not None:
            fields.append((name, str(value)))
    return fields
