"""Writes the client's generated source from `description.json`.

`python shared/cmlapi/codegen/generate.py` rewrites the files; with `--check` it only compares
them with what it would write, prints the differing ones and exits 1 if there are any.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
DESCRIPTION = PACKAGE / "description.json"

LINE_LENGTH = 100
HEADER = "# Generated from description.json by codegen/generate.py: do not edit.\n"
PYTHON_TYPES = {"datetime": "datetime.datetime", "int64": "str | int"}
TEXT_TYPES = {"int64": "str"}
"""Types that travel as text: whole numbers of 64 bits, which may be sent as numbers too."""
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
    rendered = render(json.loads(DESCRIPTION.read_text()))
    for path, text in rendered.items():
        if path.exists() and path.read_text() == text:
            continue
        differing.append(path)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    for path in set((PACKAGE / "models").glob("*.py")) - set(rendered):
        if path.read_text().startswith(HEADER):  # of a schema that there is no more
            differing.append(path)
            if not check:
                path.unlink()
    for path in differing:
        what = "differs" if check else "written"
        sys.stdout.write(f"{what}: {path.relative_to(PACKAGE)}\n")
    return 1 if check and differing else 0


def render(description: dict[str, Any]) -> dict[Path, str]:
    """Return the text of every generated file."""
    schemas, enums = description["schemas"], description["enums"]
    names = sorted([*schemas, *enums], key=str.casefold)
    models = PACKAGE / "models"
    files = {
        PACKAGE / "__init__.py": _package(names),
        PACKAGE / "api" / "__init__.py": _api_package(),
        PACKAGE / "api" / "cml_service_api.py": _service(description["operations"]),
        models / "__init__.py": _models(names),
    }
    files |= {models / f"{module(name)}.py": _enum(name, enums[name]) for name in enums}
    return files | {
        models / f"{module(name)}.py": _schema(name, schemas[name], enums) for name in schemas
    }


def module(name: str) -> str:
    """Return the name of a model's module, which the client's generator calls so too."""
    words = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", words).lower()


def _import(at: str, name: str) -> str:
    line = f"from cmlapi.models.{at} import {name}"
    whole = len(line) <= LINE_LENGTH
    return line if whole else f"from cmlapi.models.{at} import (\n    {name},\n)"


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


def _models(names: list[str]) -> str:
    lines = [HEADER + '"""The documents of the API, each from a module of its own."""', ""]
    modules = {module(name): name for name in names}
    lines += [_import(at, modules[at]) for at in sorted(modules)]
    lines += ["", "__all__ = [", *(f'    "{name}",' for name in sorted(names)), "]"]
    return "\n".join(lines) + "\n"


def _enum(name: str, values: list[str]) -> str:
    # As constants the values go without the words that they all begin with.
    same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*values, strict=False))
    start = "".join(letters[0] for letters in same).rfind("_") + 1
    lines = [
        HEADER + f'"""Values of `{name}`."""\n',
        "from __future__ import annotations\n",
        "from cmlapi.models.base import ApiEnum\n\n",
        f"class {name}(ApiEnum):",
        f'    """Values of `{name}`, which travel as plain strings."""',
        "",
    ]
    lines += [f'    {value[start:]} = "{value}"' for value in values]
    return "\n".join(lines) + "\n"


def _schema(name: str, fields: dict[str, str], enums: Iterable[str]) -> str:
    annotations = {field: _annotation(kind, enums) for field, kind in fields.items()}
    used = {word for text in annotations.values() for word in re.findall(r"[A-Z]\w+", text)}
    lines = [HEADER + f'"""The API\'s `{name}` document."""\n']
    lines += ["from __future__ import annotations\n"]
    lines += ["import datetime"] if "datetime.datetime" in annotations.values() else []
    lines += ["from dataclasses import dataclass", "from typing import ClassVar\n"]
    imports = {"base": "ApiModel", **{module(word): word for word in used - {"None"}}}
    lines += [_import(at, imports[at]) for at in sorted(imports)]
    lines += ["", "", "@dataclass(repr=False, eq=False)", f"class {name}(ApiModel):"]
    lines += [f'    """The API\'s `{name}` document."""', ""]
    lines += [f"    {field}: {text} | None = None" for field, text in annotations.items()]
    lines += [""] if fields else []
    types = {field: TEXT_TYPES.get(kind, kind) for field, kind in fields.items()}
    lines += _class_mapping("swagger_types", types)
    lines += ["    openapi_types: ClassVar[dict[str, str]] = swagger_types"]
    lines += _class_mapping("attribute_map", dict(zip(fields, fields, strict=True)))
    return "\n".join(lines) + "\n"


def _class_mapping(name: str, values: dict[str, str]) -> list[str]:
    head = f"    {name}: ClassVar[dict[str, str]] = {{"
    if not values:
        return [head + "}"]
    return [head, *(f'        "{key}": "{value}",' for key, value in values.items()), "    }"]


def _annotation(kind: str, enums: Iterable[str]) -> str:
    if kind == "dict(str, str)":
        return "dict[str, str]"
    return "str" if kind in enums else PYTHON_TYPES.get(kind, kind)


def _service(operations: dict[str, dict[str, Any]]) -> str:
    head = (
        HEADER + '"""The API\'s operations as methods."""\n\n'
        "from __future__ import annotations\n\n"
        "from typing import Any, Unpack\n\n"
        "from cmlapi import models\n"
        "from cmlapi.api.base import Api, CallOptions, data_only\n\n\n"
        "class CMLServiceApi(Api):\n"
        '    """The operations of a workspace.\n\n'
        "    Each raises `ApiException` where the workspace refuses or fails, `ValueError` for an\n"
        "    empty path parameter and urllib3's `HTTPError` where the workspace is out of reach.\n"
        "    With `async_req=True` an `AsyncResult` is returned, whose `get` gives the answer.\n"
        "    `..._with_http_info` return the answer, its HTTP status and its headers.\n"
        '    """\n'
    )
    methods = [_method(name, operation) for name, operation in operations.items()]
    return "\n".join([head, *methods])


def _method(name: str, operation: dict[str, Any]) -> str:
    path = re.sub(r"{[^}]+}", lambda match: match[0].replace(".", "_"), operation["path"])
    path_params = re.findall(r"{([^}]+)}", path)
    body, query, returns = operation.get("body"), operation.get("query", {}), operation["returns"]
    parameters = ["        self,"]
    parameters += [f"        body: models.{body} | dict[str, Any],"] if body else []
    parameters += [f"        {param}: str," for param in path_params]
    parameters += ["        *,"] if query else []
    parameters += [f"        {param}: {kind} | None = None," for param, kind in query.items()]
    parameters += ["        **options: Unpack[CallOptions],"]
    given = ["body"] if body else []
    lines = [f"    def {name}(", *parameters, f"    ) -> models.{returns}:"]
    lines += _docstring(operation["summary"], operation.get("keys", {}))
    lines += [
        f"        call = self.{name}_with_http_info",
        f"        answer: models.{returns} = call(",
    ]
    lines += [f"            {param}," for param in [*given, *path_params]]
    lines += [f"            {param}={param}," for param in query]
    lines += ["            **data_only(options),", "        )", "        return answer", ""]
    lines += [f"    def {name}_with_http_info(", *parameters, "    ) -> Any:"]
    lines += _docstring(operation["summary"], {})
    call = [operation["verb"], path, returns]
    lines += ["        return self._call(", f'            "{name}",', "            ("]
    lines += [f'                "{word}",' for word in call]
    lines += ["            ),", *_mapping(path_params), *_mapping(list(query))]
    lines += ["            options,", *(f"            {one}={one}," for one in given), "        )"]
    return "\n".join(lines) + "\n"


def _docstring(summary: str, keys: dict[str, list[str]]) -> list[str]:
    if not keys:
        return [f'        """{summary}"""']
    lines = [f'        """{summary}', ""]
    for parameter, names in keys.items():
        text = f"Keys of `{parameter}`: {', '.join(names)}."
        lines += textwrap.wrap(
            text,
            LINE_LENGTH,
            initial_indent=" " * 8,
            subsequent_indent=" " * 8,
            break_long_words=False,
        )
    return [*lines, '        """']


def _mapping(names: list[str]) -> list[str]:
    if not names:
        return ["            {},"]
    inner = [f'                "{name}": {name},' for name in names]
    return ["            {", *inner, "            },"]


if __name__ == "__main__":
    sys.exit(main())
