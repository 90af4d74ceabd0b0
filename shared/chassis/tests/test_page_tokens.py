"""Page tokens from anywhere: the list's own, another's, and what was made up."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.rpc import errors, rules
from chassis.store.records import Records
from ft.proto.fine_tuning_studio_pb2 import ListDatasetsRequest, ListModelsRequest

from .conftest import Thing, ThingPages, fill, many, refusal, thing

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=5,
)
DIGITS = (str(2**31), str(2**63), "9" * 300)
OTHER_TEXTS = ("", "x", "9" * 5000, "nan", "inf", "1e999")
NEVER = ("\0", "\ud800", 7, None)
ORDER = "name, size desc, weight, created_at desc"
NOISE = st.binary(min_size=1).map(lambda noise: base64.b64encode(noise).decode())


async def test_token_is_valid_for_its_own_list_only(
    things: Records[Thing], pages: ThingPages
) -> None:
    await fill(things, [thing(name="a"), thing(name="a")])
    own = {"filter": {"name": "a"}, "order_by": "name"}
    _, token = pages.page(ListDatasetsRequest(page_size=1, **own))
    assert len(pages.page(ListDatasetsRequest(page_token=token, **own))[0]) == 1
    for other in (
        ListDatasetsRequest(page_token=token),
        ListDatasetsRequest(page_token=token, order_by="name desc", filter=own["filter"]),
        ListDatasetsRequest(page_token=token, order_by="name", filter={"name": "b"}),
        ListModelsRequest(page_token=token, **own),
    ):
        with pytest.raises(errors.InvalidArgument, match="from another list") as refused:
            pages.page(other)
        [violation] = refused.value.violations
        assert (violation.field, violation.rule) == ("page_token", rules.PAGE_TOKEN.id)


async def forge(things: Records[Thing], pages: ThingPages, change: Callable[[Any], Any]) -> bool:
    """Whether the token that `change` makes of a good one's parts is taken; else it is refused."""
    await things.remove()
    await fill(things, [thing(name="a"), thing(name="b")])
    _, token = pages.page(ListDatasetsRequest(page_size=1, order_by=ORDER))
    forged = json.dumps(change(json.loads(base64.urlsafe_b64decode(token)))).encode()
    token = base64.urlsafe_b64encode(forged).decode()
    try:
        pages.page(ListDatasetsRequest(order_by=ORDER, page_token=token))
    except errors.InvalidArgument as refused:
        [violation] = refused.violations
        assert (violation.field, violation.rule) == ("page_token", rules.PAGE_TOKEN.id)
        return False
    return True


@pytest.mark.parametrize("number", range(6))
async def test_place_holds_values_of_its_fields(
    things: Records[Thing], pages: ThingPages, number: int
) -> None:
    taken = {1: [*DIGITS, *OTHER_TEXTS], 3: DIGITS}.get(number, [])
    for odd in (*DIGITS, *OTHER_TEXTS, *NEVER):
        forged = await forge(things, pages, lambda c, odd=odd: [*c[:number], odd, *c[number + 1 :]])
        assert forged == (odd in taken), repr(odd)


@many
@given(forged=JSON, rest=st.lists(JSON, max_size=6))
async def test_tampered_token_is_refused(
    things: Records[Thing], pages: ThingPages, forged: Any, rest: list[Any]
) -> None:
    assert not await forge(things, pages, lambda content: forged)
    assert not await forge(things, pages, lambda content: [content[0], *rest])


@given(token=st.text(min_size=1) | NOISE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_that_is_no_token_is_refused(pages: ThingPages, token: str) -> None:
    assert refusal(pages, page_token=token).rule == rules.PAGE_TOKEN.id


@pytest.mark.parametrize("content", [b"[" * 50_000, b"\xff\xfe", b'{"a": 1}', b"[]", b"null", b"7"])
def test_token_without_a_place_is_refused(pages: ThingPages, content: bytes) -> None:
    token = base64.urlsafe_b64encode(content).decode()
    assert refusal(pages, page_token=token).rule == rules.PAGE_TOKEN.id
