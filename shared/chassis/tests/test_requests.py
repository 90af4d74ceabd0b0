"""The limits of texts, by what becomes of them."""

from typing import Any

import pytest

from chassis.rpc import errors, rules
from chassis.rpc.requests import parser
from ft.proto import fine_tuning_studio_pb2 as pb

LONGEST = "ü" * 1024


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (pb.AddDatasetRequest, {"name": LONGEST}),
        (pb.AddModelRequest, {"name": LONGEST}),
        (pb.AddAdapterRequest, {"name": LONGEST}),
        (pb.AddPromptRequest, {"prompt": {"name": LONGEST}}),
        (pb.StartFineTuningJobRequest, {"adapter_name": LONGEST}),
    ],
)
def test_name_fits_into_an_index(kind: Any, fields: dict[str, Any]) -> None:
    parse = parser(kind)
    request = kind(**fields)
    assert parse(request.SerializeToString()) == request
    [[field, value]] = request.ListFields()
    if field.message_type is None:
        setattr(request, field.name, f"{value}x")
    else:
        value.name += "x"
    with pytest.raises(errors.InvalidArgument, match="name: has 2049 bytes in UTF-8") as refused:
        parse(request.SerializeToString())
    assert [violation.rule for violation in refused.value.violations] == ["FT-004"]


def test_other_texts_may_be_longer() -> None:
    request = pb.AddDatasetRequest(location="x" * 65_536)
    parse = parser(pb.AddDatasetRequest)
    assert parse(request.SerializeToString()) == request
    request.location += "x"
    with pytest.raises(errors.InvalidArgument, match="65536 are allowed"):
        parse(request.SerializeToString())


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        (pb.GetPromptRequest(id="a\0b"), rules.NO_NUL),
        (pb.ListPromptsRequest(filter={"name": "\0"}), rules.NO_NUL),
        (pb.AddModelRequest(name="a\u202eb"), rules.PLAIN_NAME),
        (pb.AddPromptRequest(prompt=pb.PromptMetadata(name="\x1b")), rules.PLAIN_NAME),
        (pb.StartFineTuningJobRequest(request_id="x" * 257), rules.TEXT_LENGTH),
    ],
)
def test_short_request_is_checked_as_a_long_one(sent: Any, rule: rules.Rule) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        parser(type(sent))(sent.SerializeToString())
    assert [violation.rule for violation in refused.value.violations] == [rule.id]
