"""Writes the client's generated source from `description.json`.

`python shared/cmlapi/codegen/generate.py` rewrites the files; with `--check` it only compares
them with what it would write, prints the differing ones and exits 1 if there are any.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
DESCRIPTION = PACKAGE / "description.json"

HEADER = "# Generated from description.json by codegen/generate.py: do not edit.\n"
PYTHON_TYPES = {"datetime": "datetime.datetime"}
EXPORTS = (
    ("cmlapi.api.cml_service_api", "CMLServiceApi"),
    ("cmlapi.api_client", "ApiClient"),
    ("cmlapi.client", "default_client"),
    ("cmlapi.configuration", "Configuration"),
)


def main() -> int:
    """Rewrite the generated files, or say which of them differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    differing = []
    for path, text in render(json.loads(DESCRIPTION.read_text())).items():
        if path.exists() and path.read_text() == text:
            continue
        differing.append(path)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    for path in differing:
        what = "differs" if check else "written"
        sys.stdout.write(f"{what}: {path.relative_to(PACKAGE)}\n")
    return 1 if check and differing else 0


def render(description: dict[str, Any]) -> dict[Path, str]:
    """Return the text of every generated file."""
    names = sorted([*description["schemas"], *description["enums"]], key=str.casefold)
    return {
        PACKAGE / "__init__.py": _package(names),
        PACKAGE / "api" / "__init__.py": _api_package(),
        PACKAGE / "api" / "cml_service_api.py": _service(description["operations"]),
        PACKAGE / "models" / "__init__.py": _models(description["schemas"], description["enums"]),
    }


def _package(names: list[str]) -> str:
    lines = [HEADER + '"""Client of the Cloudera AI REST API v2."""', ""]
    lines += [f"from {module} import {name}" for module, name in EXPORTS]
    lines += ["from cmlapi.models import (", *(f"    {name}," for name in names), ")", ""]
    exported = sorted([*names, *(name for _, name in EXPORTS)])
    lines += ["__all__ = [", *(f'    "{name}",' for name in exported), "]"]
    return "\n".join(lines) + "\n"


def _api_package() -> str:
    return (
        HEADER
        + '"""The API\'s operations."""\n\n'
        + "from cmlapi.api.cml_service_api import CMLServiceApi as CMLServiceApi\n"
    )


def _models(schemas: dict[str, dict[str, str]], enums: dict[str, list[str]]) -> str:
    parts = [
        HEADER + '"""The documents of the API."""\n\n'
        "from __future__ import annotations\n\n"
        "import datetime\n"
        "from dataclasses import dataclass\n"
        "from typing import ClassVar\n\n"
        "from cmlapi.models.base import ApiModel\n"
    ]
    parts += [_enum(name, values) for name, values in sorted(enums.items())]
    parts += [_schema(name, fields, enums) for name, fields in sorted(schemas.items())]
    return "\n\n".join(parts)


def _enum(name: str, values: list[str]) -> str:
    # As constants the values go without the word that they all begin with.
    prefix = values[0].partition("_")[0] + "_"
    start = len(prefix) if all(value.startswith(prefix) for value in values) else 0
    lines = [f"class {name}:", f'    """Values of `{name}`, which travel as plain strings."""', ""]
    lines += [f'    {value[start:]} = "{value}"' for value in values]
    return "\n".join(lines) + "\n"


def _schema(name: str, fields: dict[str, str], enums: Iterable[str]) -> str:
    lines = [
        "@dataclass(repr=False)",
        f"class {name}(ApiModel):",
        f'    """The API\'s `{name}` document."""',
        "",
    ]
    if not fields:
        return "\n".join([*lines, "    swagger_types: ClassVar[dict[str, str]] = {}"]) + "\n"
    for field, kind in fields.items():
        lines += [f"    {field}: {_annotation(kind, enums)} | None = None"]
    lines += ["", "    swagger_types: ClassVar[dict[str, str]] = {"]
    lines += [f'        "{field}": "{kind}",' for field, kind in fields.items()]
    return "\n".join([*lines, "    }"]) + "\n"


def _annotation(kind: str, enums: Iterable[str]) -> str:
    if kind == "dict(str, str)":
        return "dict[str, str]"
    return "str" if kind in enums else PYTHON_TYPES.get(kind, kind)


def _service(operations: dict[str, dict[str, Any]]) -> str:
    head = (
        HEADER + '"""The API\'s operations as methods."""\n\n'
        "from __future__ import annotations\n\n"
        "from typing import Any\n\n"
        "from cmlapi import models\n"
        "from cmlapi.api_client import ApiClient\n"
        "from cmlapi.rest import RequestTimeout\n\n\n"
        "class CMLServiceApi:\n"
        '    """The operations of a workspace.\n\n'
        "    Each raises `ApiException` where the workspace refuses or fails, `ValueError` for an\n"
        "    empty path parameter and urllib3's `HTTPError` where the workspace is out of reach.\n"
        '    """\n\n'
        "    def __init__(self, api_client: ApiClient | None = None) -> None:\n"
        "        self.api_client = api_client or ApiClient()\n"
    )
    methods = [_method(name, operation) for name, operation in operations.items()]
    return "\n".join([head, *methods])


def _method(name: str, operation: dict[str, Any]) -> str:
    path = re.sub(r"{[^}]+}", lambda match: match[0].replace(".", "_"), operation["path"])
    path_params = re.findall(r"{([^}]+)}", path)
    body, query, returns = operation.get("body"), operation.get("query", {}), operation["returns"]
    lines = [f"    def {name}(", "        self,"]
    lines += [f"        body: models.{body} | dict[str, Any],"] if body else []
    lines += [f"        {param}: str," for param in path_params]
    lines += ["        *,"]
    lines += [f"        {param}: {kind} | None = None," for param, kind in query.items()]
    lines += ["        _request_timeout: RequestTimeout = None,", f"    ) -> models.{returns}:"]
    lines += [f'        """{operation["summary"]}"""', "        return self.api_client.call_api("]
    lines += [f'            "{operation["verb"]}",', f'            "{path}",']
    lines += [f"            models.{returns},", *_mapping("path_params", path_params)]
    lines += _mapping("query_params", list(query)) if query else []
    lines += ["            body=body,"] if body else []
    lines += ["            _request_timeout=_request_timeout,", "        )"]
    return "\n".join(lines) + "\n"


def _mapping(keyword: str, names: list[str]) -> list[str]:
    if not names:
        return [f"            {keyword}={{}},"]
    inner = [f'                "{name}": {name},' for name in names]
    return [f"            {keyword}={{", *inner, "            },"]


if __name__ == "__main__":
    sys.exit(main())
