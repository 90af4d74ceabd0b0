"""Calls of operations as HTTP requests."""

from __future__ import annotations

import json
import mimetypes
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import quote

from cmlapi import rest, serialization
from cmlapi.configuration import Configuration

DEFAULT_USER_AGENT = "cmlapi/python"
_DELIMITERS = {"ssv": " ", "tsv": "\t", "pipes": "|"}
_FILE_NAME = re.compile(r"filename=['\"]?([^'\"\s;]+)")


class ApiClient:
    """Sends calls to the workspace of a `Configuration`.

    `header_name` and `header_value` are a header sent with every call, such as the key's; so is
    `cookie`.
    """

    PRIMITIVE_TYPES = serialization.PRIMITIVE_TYPES
    NATIVE_TYPES_MAPPING: ClassVar[dict[str, type]] = serialization.NATIVE_TYPES_MAPPING

    def __init__(
        self,
        configuration: Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
        cookie: str | None = None,
    ) -> None:
        self.configuration = configuration or Configuration()
        self.rest_client = rest.RESTClientObject(self.configuration)
        self.client_side_validation = self.configuration.client_side_validation
        self.default_headers: dict[str, str] = {}
        self.user_agent = DEFAULT_USER_AGENT
        self.cookie = cookie
        self.last_response: Any = None
        self._pool: ThreadPool | None = None
        if header_name is not None and header_value is not None:
            self.set_default_header(header_name, header_value)

    @property
    def user_agent(self) -> str:
        """What the client calls itself."""
        return self.default_headers["User-Agent"]

    @user_agent.setter
    def user_agent(self, value: str) -> None:
        self.default_headers["User-Agent"] = value

    def set_default_header(self, header_name: str, header_value: str) -> None:
        """Send this header with every call from now on."""
        self.default_headers[header_name] = header_value

    @property
    def pool(self) -> ThreadPool:
        """Threads of calls with `async_req`, made for the first of them."""
        if self._pool is None:
            self._pool = ThreadPool()
        return self._pool

    def close(self) -> None:
        """Wait for calls that are under way, and close the connections to the workspace."""
        if self._pool is not None:
            self._pool.close()
            self._pool.join()
            self._pool = None
        self.rest_client.close()

    def __del__(self) -> None:
        if (pool := getattr(self, "_pool", None)) is not None:
            pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call_api(
        self,
        resource_path: str,
        method: str,
        path_params: rest.Pairs | None = None,
        query_params: rest.Pairs | None = None,
        header_params: Mapping[str, str] | None = None,
        body: Any = None,
        post_params: rest.Pairs | None = None,
        files: Mapping[str, str | list[str]] | None = None,
        response_type: str | type | None = None,
        auth_settings: Iterable[str] | None = None,
        async_req: bool | None = None,
        _return_http_data_only: bool | None = None,
        collection_formats: Mapping[str, str] | None = None,
        _preload_content: bool = True,
        _request_timeout: rest.RequestTimeout = None,
    ) -> Any:
        """Call the operation at `resource_path`, whose `{placeholders}` `path_params` fill.

        Returns the answer as `response_type`, the HTTP status and the headers; the answer alone
        with `_return_http_data_only`; with `async_req` an `AsyncResult` whose `get` gives it.
        Without `_preload_content` the answer is urllib3's response, of which nothing was read.
        Raises `ValueError` for an empty path parameter (it would address another operation), and
        what `RESTClientObject.request` raises.
        """
        formats = collection_formats or {}
        headers = self._headers(header_params)
        query = _wire_values(self.parameters_to_tuples(query_params or (), formats))
        self.update_params_for_auth(headers, query, auth_settings)
        form = self.prepare_post_parameters(post_params, files)

        def call() -> Any:
            response = self.request(
                method,
                self.configuration.host.rstrip("/") + self._fill(resource_path, path_params),
                query_params=query,
                headers=headers,
                post_params=self.parameters_to_tuples(form, formats),
                body=self.sanitize_for_serialization(body),
                _preload_content=_preload_content,
                _request_timeout=_request_timeout,
            )
            return self._answer(response, response_type, _preload_content, _return_http_data_only)

        return self._in_thread(call) if async_req else call()

    def _in_thread(self, call: Callable[[], Any]) -> Any:
        return self.pool.apply_async(call)

    def _headers(self, header_params: Mapping[str, str] | None) -> dict[str, str]:
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        return (
            {"Accept": "application/json", **(header_params or {})} | self.default_headers | cookie
        )

    def _answer(
        self, response: Any, response_type: str | type | None, read: bool, data_only: bool | None
    ) -> Any:
        self.last_response = response
        data = response
        if read:
            data = self.deserialize(response, response_type) if response_type else None
        if data_only:
            return data
        headers = response.getheaders() if read else response.headers
        return data, response.status, headers

    def request(self, method: str, url: str, **arguments: Any) -> Any:
        """Send one request, see `RESTClientObject.request`."""
        if method not in ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE"):
            raise ValueError(f"{method}: not an HTTP method of the API")
        return self.rest_client.request(method, url, **arguments)

    def sanitize_for_serialization(self, obj: Any) -> Any:
        """Return `obj` as plain JSON data: models as dictionaries without what is not set."""
        return serialization.to_json(obj)

    def deserialize(self, response: rest.RESTResponse, response_type: str | type) -> Any:
        """Return the answer as `response_type`; for `file` the path of a file with its content.

        Raises `ApiException` where it cannot be read so.
        """
        if response_type == "file":
            return self._file(response)
        try:
            return serialization.from_json(json.loads(response.data), response_type)
        except json.JSONDecodeError:
            if response_type in ("str", "object", str, object):
                return response.data
            raise
        except (ValueError, TypeError) as error:
            reason = f"the answer cannot be read as {response_type}: {error}"
            raise rest.ApiException(status=0, reason=reason) from error

    def _file(self, response: rest.RESTResponse) -> str:
        folder = Path(tempfile.mkdtemp(dir=self.configuration.temp_folder_path))
        named = _FILE_NAME.search(response.getheader("Content-Disposition") or "")
        path = folder / (Path(named[1]).name if named else "content")
        path.write_bytes(response.urllib3_response.data)
        return str(path)

    def parameters_to_tuples(
        self, params: rest.Pairs, collection_formats: Mapping[str, str] | None
    ) -> list[tuple[str, Any]]:
        """Return the parameters as pairs; lists as their format has it, by default with commas."""
        formats = collection_formats or {}
        found: list[tuple[str, Any]] = []
        for name, value in params.items() if isinstance(params, Mapping) else params:
            if formats.get(name) == "multi":
                found += [(name, item) for item in value]
            elif name in formats:
                delimiter = _DELIMITERS.get(formats[name], ",")
                found.append((name, delimiter.join(map(str, value))))
            else:
                found.append((name, value))
        return found

    def prepare_post_parameters(
        self,
        post_params: rest.Pairs | None = None,
        files: Mapping[str, str | list[str]] | None = None,
    ) -> list[tuple[str, Any]]:
        """Return the fields of a form, with the content of the `files`."""
        fields = self.parameters_to_tuples(post_params or (), None)
        for name, paths in (files or {}).items():
            for path in map(Path, paths if isinstance(paths, list) else [paths]):
                kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
                fields.append((name, (path.name, path.read_bytes(), kind)))
        return fields

    def select_header_accept(self, accepts: list[str]) -> str | None:
        """Return the header `Accept` for those media types: JSON if it is among them."""
        found = [kind.lower() for kind in accepts]
        return "application/json" if "application/json" in found else ", ".join(found) or None

    def select_header_content_type(self, content_types: list[str]) -> str:
        """Return the header `Content-Type` of those: JSON if it is among them or none is given."""
        found = [kind.lower() for kind in content_types] or ["application/json"]
        return "application/json" if {"application/json", "*/*"} & set(found) else found[0]

    def update_params_for_auth(
        self,
        headers: dict[str, str],
        querys: list[tuple[str, str]],
        auth_settings: Iterable[str] | None,
    ) -> None:
        """Add to a request what those schemes of the configuration say, if they have a value."""
        for name in auth_settings or ():
            setting = self.configuration.auth_settings().get(name)
            if not setting or not setting["value"]:
                continue
            if setting["in"] == "query":
                querys.append((setting["key"], setting["value"]))
                continue
            for other in [key for key in headers if key.lower() == setting["key"].lower()]:
                del headers[other]
            headers[setting["key"]] = setting["value"]

    def _fill(self, path: str, path_params: rest.Pairs | None) -> str:
        values = dict(self.parameters_to_tuples(path_params or (), None))
        return re.sub(
            r"{([^}]+)}",
            lambda match: (
                self._segment(match[1], values[match[1]]) if match[1] in values else match[0]
            ),
            path,
        )

    def _segment(self, name: str, value: Any) -> str:
        if value is None or value == "":
            raise ValueError(f"{name}: missing the required parameter")
        encoded = quote(str(value), safe=self.configuration.safe_chars_for_path_param)
        # As they stand, these would be resolved on the way, and address another operation.
        return re.sub(r"(?:^|(?<=/))\.\.?(?=/|$)", lambda m: m[0].replace(".", "%2E"), encoded)


def _wire_values(params: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    found = []
    for name, value in params:
        if isinstance(value, bool):
            value = "true" if value else "false"
        if value is not None:
            found.append((name, str(value)))
    return found
