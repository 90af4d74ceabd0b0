"""Names that a client gives have no characters that cannot be seen."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rpc import errors, names
from chassis.rpc.requests import parser
from ft.proto import fine_tuning_studio_pb2 as pb

KINDS: list[tuple[Any, str]] = [
    (pb.AddDatasetRequest, "name"),
    (pb.AddDatasetRequest, "location"),
    (pb.AddModelRequest, "name"),
    (pb.AddAdapterRequest, "location"),
    (pb.AddPromptRequest, "prompt.name"),
    (pb.ExportModelRequest, "model_name"),
    (pb.StartFineTuningJobRequest, "adapter_name"),
]
hidden = st.one_of(
    st.characters(categories=["Cc", "Zl", "Zp"], exclude_characters="\0"),
    st.sampled_from("\u202e\u2066\u200b\ufeff\u3164\u00ad"),
)


@pytest.mark.parametrize(("kind", "field"), KINDS)
@given(character=hidden)
def test_name_with_an_invisible_character_is_refused(kind: Any, field: str, character: str) -> None:
    request = kind()
    holder = request.prompt if field.startswith("prompt.") else request
    setattr(holder, field.rpartition(".")[2], f"a{character}b")
    with pytest.raises(errors.InvalidArgument) as refused:
        parser(kind)(request.SerializeToString())
    assert [(one.field, one.rule) for one in refused.value.violations] == [(field, "FT-120")]


@pytest.mark.parametrize("name", ["data[1].jsonl", "Größe", "می\u200cخواهم", "👩\u200d🚀", "x y"])  # noqa: RUF001
def test_scripts_and_emoji_are_names(name: str) -> None:
    assert names.hidden(name) == ""
