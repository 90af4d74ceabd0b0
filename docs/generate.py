"""Makes `docs/rules.md` and `docs/api.md` of what they document.

Messages and comments come from `proto/`, rules from the code that checks them, errors and rules of
each RPC from `docs/api/errors.toml`, examples from `docs/api/examples.py`, which a test runs.

    python docs/generate.py            # writes both
    python docs/generate.py --check    # exit status 1 if one is not up to date
"""

import importlib
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from grpc_tools import protoc

from chassis.rpc.rules import Rule
from ft.domains import DOMAINS
from ft.services import FILES

REPOSITORY = Path(__file__).parents[1]
CONTRACT = (*FILES, "fine_tuning_studio_types")
"""The public files of `proto/`, in the order in which they are documented."""
RULES = (
    "chassis.rpc.rules",
    *(f"services.{domain}.rules" for domain in DOMAINS),
    "jobs.rules",
    "services.inspection.rules",
)
"""Modules of rules; the docstring of each begins with `The rules about`."""
_MESSAGE, _SERVICE, _FIELD, _METHOD = 4, 6, 2, 2
"""Numbers of the parts of a file in the paths of its comments, see descriptor.proto."""
_TYPES = {number: name[5:].lower() for name, number in FieldDescriptorProto.Type.items()}


def rules_of(module: str) -> list[Rule]:
    """The rules that a module declares, by id."""
    found = [one for one in vars(importlib.import_module(module)).values() if type(one) is Rule]
    return sorted(found, key=lambda rule: rule.id)


class Contract:
    """The public messages and RPCs with their comments."""

    def __init__(self) -> None:
        self.files = _described()
        self.unset = tomllib.loads((REPOSITORY / "docs/api/unset.toml").read_text())
        self.comments: dict[str, str] = {}
        self.messages: dict[str, DescriptorProto] = {}
        for file in self.files:
            self._read(file)

    def _read(self, file: FileDescriptorProto) -> None:
        said = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}
        for number, message in enumerate(file.message_type):
            self.messages[message.name] = message
            self.comments[message.name] = _clean(said.get((_MESSAGE, number), ""))
            for place, field in enumerate(message.field):
                comment = said.get((_MESSAGE, number, _FIELD, place), "")
                self.comments[f"{message.name}.{field.name}"] = _clean(comment)
        for number, service in enumerate(file.service):
            self.comments[service.name] = _clean(said.get((_SERVICE, number), ""))
            for place, method in enumerate(service.method):
                comment = said.get((_SERVICE, number, _METHOD, place), "")
                self.comments[f"{service.name}.{method.name}"] = _clean(comment)

    def fields(self, name: str) -> Iterator[str]:
        """A table of the message's fields."""
        message = self.messages[name]
        if not message.field:
            yield f"`{name}` has no fields."
            return
        unset = self._unset_of(message)
        yield f"| `{name}` | type | number | |{' not set |' if unset else ''}"
        yield f"|---|---|---|---|{'---|' if unset else ''}"
        for field in message.field:
            comment = self.comments[f"{name}.{field.name}"].replace("|", "\\|")
            said = f" {unset[field.name]} |" if unset else ""
            kind = self._type(message, field)
            yield f"| `{field.name}` | {kind} | {field.number} | {comment} |{said}"
        if within := [f"`{path}` {said}" for path, said in unset.items() if "." in path]:
            yield ""
            yield f"Nested fields that are not set: {', '.join(within)}."

    def _unset_of(self, message: DescriptorProto) -> dict[str, str]:
        """The meaning of each field of a request when it is not set; empty for other messages."""
        listed = self.unset["lists"]
        lists = set(listed) <= {field.name for field in message.field}
        said = {**(listed if lists else {}), **self.unset.get(message.name, {})}
        return {name: text.replace(" | ", "; ") for name, text in said.items()}

    def _type(self, message: DescriptorProto, field: FieldDescriptorProto) -> str:
        plain = field.type_name.rpartition(".")[2] or _TYPES[field.type]
        for entry in message.nested_type:
            if entry.name == plain and entry.options.map_entry:
                return f"map of {' to '.join(_TYPES[one.type] for one in entry.field)}"
        shown = f"[{plain}](#{plain.lower()})" if plain in self.messages else plain
        repeated = field.label == FieldDescriptorProto.LABEL_REPEATED
        return f"repeated {shown}" if repeated else shown


def rules_page() -> str:
    """`docs/rules.md`."""
    lines = [
        "# Rules",
        "",
        "Each violation of a request carries the id of its rule, in `reason` of the standard",
        "`google.rpc.BadRequest` details; the client has it as `violation.rule`. Refusals without",
        "a field carry it as `rule` among their metadata. An id never changes its meaning.",
        "",
        "*Made from the code by `python docs/generate.py`.*",
    ]
    for module in RULES:
        about = str(importlib.import_module(module).__doc__).splitlines()[0].rstrip(".")
        title = about.removeprefix("The rules about ")
        title = title[0].upper() + title[1:]
        lines += ["", f"## {title}", "", "| rule | what must hold |", "|---|---|"]
        lines += [f"| {rule.id} | {rule.text} |" for rule in rules_of(module)]
    return "\n".join(lines) + "\n"


def api_page() -> str:
    """`docs/api.md`."""
    contract = Contract()
    said = tomllib.loads((REPOSITORY / "docs/api/errors.toml").read_text())
    examples = example_parts()
    lines = [(REPOSITORY / "docs/api/introduction.md").read_text().rstrip()]
    shown: set[str] = set()
    for file in contract.files:
        for service in file.service:
            lines += ["", f"# {service.name}", "", contract.comments[service.name]]
            for method in service.method:
                comment = contract.comments[f"{service.name}.{method.name}"]
                lines += ["", f"## {method.name}", "", comment, ""]
                lines += _method(contract, method, said[method.name], examples[method.name])
                shown |= {_plain(method.input_type), _plain(method.output_type)}
    lines += ["", "# Messages"]
    for name in sorted(set(contract.messages) - shown):
        lines += ["", f"## {name}", "", contract.comments[name], "", *contract.fields(name)]
    return "\n".join(lines) + "\n"


def example_parts() -> dict[str, str]:
    """The examples by name of RPC: what stands between the lines `# --- <RPC>`."""
    text = (REPOSITORY / "docs/api/examples.py").read_text()
    parts = re.split(r"^# --- (\w+)\n", text, flags=re.MULTILINE)
    return {name: code.strip() for name, code in zip(parts[1::2], parts[2::2], strict=True)}


def _method(
    contract: Contract, method: MethodDescriptorProto, said: dict[str, Any], example: str
) -> Iterator[str]:
    yield from contract.fields(_plain(method.input_type))
    yield ""
    if method.server_streaming:
        yield "Answers with a stream of:"
        yield ""
    yield from contract.fields(_plain(method.output_type))
    if rules := said.get("rules"):
        yield ""
        yield f"Rules: {', '.join(rules)} ([descriptions](rules.md))."
    if errors := said.get("errors"):
        yield ""
        yield from (f"- `{code}`: {when}" for code, when in errors.items())
    yield ""
    yield f"```python\n{example}\n```"


def _described() -> list[FileDescriptorProto]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "contract.bin"
        files = [f"ft/proto/{name}.proto" for name in CONTRACT]
        include = f"-Ift/proto={REPOSITORY / 'proto'}"
        status = protoc.main(
            ["protoc", include, "--include_source_info", f"--descriptor_set_out={out}", *files]
        )
        assert status == 0
        found = {f.name: f for f in FileDescriptorSet.FromString(out.read_bytes()).file}
    return [found[name] for name in files]


def _clean(comment: str) -> str:
    return " ".join(comment.split())


def _plain(type_name: str) -> str:
    return type_name.rpartition(".")[2]


def main() -> None:
    """Writes the pages, or checks them."""
    pages = {"rules.md": rules_page(), "api.md": api_page()}
    stale = []
    for name, text in pages.items():
        file = REPOSITORY / "docs" / name
        if "--check" not in sys.argv:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            stale.append(name)
    if stale:
        sys.exit(f"not up to date: {', '.join(stale)}; run: python docs/generate.py")


if __name__ == "__main__":
    main()
