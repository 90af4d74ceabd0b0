"""Random requests for any RPC, made from its descriptor: plausible, broken and hostile ones."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from ft import api

HOSTILE_TEXTS = (
    " ",
    "\t\n",
    "\0",
    "a\0b",
    "'; DROP TABLE datasets; --",
    "../../../../etc/passwd",
    "/etc/passwd",
    "/dev/zero",
    "/proc/self/environ",
    "loop",
    "outside",
    "broken.csv",
    "pipe.jsonl",
    "rows.csv",
    "rows.json",
    "empty.csv",
    "x" * 70_000,
    "a/" * 3_000,
    "\U0001f600" * 200,
    "‮txt.exe",
    "{",
    "{}",
    "{0}",
    "{a.b}",
    "{a[0]}",
    "{a!x}",
    "{customer}",
    "{customer:{customer:{customer}}}",
    "{nope}",
    "%s%s%n",
    "null",
    "NaN",
    '{"r": 1e999}',
    '{"r": NaN}',
    '{"r": "eight"}',
    '{"learning_rte": 1}',
    '{"a": 1, "a": 2}',
    '{"r": ' + "9" * 5_000 + "}",
    "[" * 5_000,
    '{"a":' * 3_000,
    "&a [*a, *a]",
    "a: &a [1]\nb: &b [*a, *a]\nc: &c [*b, *b]",
    "!!python/object/apply:os.system ['true']",
    "org/model",
    "-",
    "--flag",
    "hf_plantedtoken",
    "../" * 40 + "etc",
    "name",
    "name desc",
    "name; drop",
    "AAAA",
)
NUMBERS = (0, 1, -1, 2, 100, 2**31 - 1, -(2**31))
FLOATS = (0.0, -0.0, 0.5, 1.0, -1.0, 1e-45, 3e38, float("inf"), float("-inf"), float("nan"))
ENUMS = (
    api.DatasetType,
    api.ModelType,
    api.AdapterType,
    api.PromptType,
    api.ConfigType,
    api.FineTuningFrameworkType,
    api.ModelExportType,
    api.ExportType,
    api.EvaluationJobType,
)
MEMBERS = tuple(member.value for enum in ENUMS for member in enum)
MAX_ITEMS = 4
TABLES = (
    "models",
    "datasets",
    "adapters",
    "prompts",
    "fine_tuning_jobs",
    "evaluation_jobs",
    "configs",
)
_COLUMNS = ("id", "name", "type", "location", "features", "state", "num_cpu", "metrics", "seq")


class Requests:
    """Strategies for requests that now and then refer to what `known` ids are of."""

    def __init__(self, known: Sequence[str]) -> None:
        self._texts = st.one_of(
            st.sampled_from(known),
            st.sampled_from(MEMBERS),
            st.sampled_from(HOSTILE_TEXTS),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        )

    def message(self, kind: Descriptor) -> "st.SearchStrategy[Message]":
        """Messages of that kind, each field set or not."""
        fields = {field.name: self._field(field) for field in kind.fields}
        make = GetMessageClass(kind)
        # A message without fields has one value.
        optional: Any = st.fixed_dictionaries({}, optional=fields)
        return optional.map(lambda values: make(**values))  # type: ignore[no-any-return]

    def mutated(self, valid: Message) -> "st.SearchStrategy[Message]":
        """The valid request with one or two of its fields set to something else."""

        def change(values: Mapping[str, Any]) -> Message:
            request = type(valid)()
            request.CopyFrom(valid)
            for name, value in values.items():
                request.ClearField(name)
                request.MergeFrom(type(valid)(**{name: value}))
            return request

        fields = {field.name: self._field(field) for field in valid.DESCRIPTOR.fields}
        names = st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=2, unique=True)
        chosen = names.flatmap(lambda ns: st.fixed_dictionaries({n: fields[n] for n in ns}))
        return chosen.map(change)

    def _field(self, field: FieldDescriptor) -> "st.SearchStrategy[Any]":
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return st.dictionaries(self._texts, self._texts, max_size=MAX_ITEMS)
        one = self._value(field)
        return st.lists(one, max_size=MAX_ITEMS) if field.is_repeated else one

    def _value(self, field: FieldDescriptor) -> "st.SearchStrategy[Any]":
        if field.message_type is not None:
            return self.message(field.message_type)
        if field.name == "exported_json":
            return st.one_of(exports(self._texts), self._texts)
        match field.type:
            case FieldDescriptor.TYPE_STRING:
                return self._texts
            case FieldDescriptor.TYPE_BOOL:
                return st.booleans()
            case FieldDescriptor.TYPE_FLOAT | FieldDescriptor.TYPE_DOUBLE:
                return st.sampled_from(FLOATS)
            case FieldDescriptor.TYPE_BYTES:
                return st.binary(max_size=20)
        return st.sampled_from(NUMBERS)


def exports(texts: "st.SearchStrategy[str]") -> "st.SearchStrategy[str]":
    """Documents that look like exports, more or less."""
    values = st.one_of(
        texts, st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.none(), max_size=2)
    )
    row = st.dictionaries(st.sampled_from(_COLUMNS), values, max_size=6)
    table = st.one_of(
        st.fixed_dictionaries({"schema": texts, "data": st.lists(row, max_size=3)}), values
    )
    names = st.one_of(st.sampled_from(TABLES), texts)
    return st.dictionaries(names, table, max_size=3).map(json.dumps)
