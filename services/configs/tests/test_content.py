"""What counts as the same config."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from services.configs.content import ContentFault, canonical, key, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
CONFIGS = st.dictionaries(st.text(), VALUES).filter(lambda c: "inf" not in json.dumps(c).lower())

ALIASES = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{','.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@settings(max_examples=40, deadline=None)
@given(CONFIGS)
def test_canonical_json_equals_what_was_sent(config: dict[str, object]) -> None:
    text = canonical("custom", parse("custom", json.dumps(config)))
    assert json.loads(text) == config
    assert canonical("custom", parse("custom", text)) == text
    assert key("custom", text) == key("custom", json.dumps(config, indent=2))


@pytest.mark.parametrize(
    "other",
    ['{"b": [2], "a": 1}', '{"a": 1.0, "b": [2e0]}', '{ "b":[2.00],\n"a":10e-1 }'],
)
def test_json_order_and_spelling_do_not_matter(other: str) -> None:
    assert key("custom", other) == key("custom", '{"a":1,"b":[2]}')


@pytest.mark.parametrize(
    "other", ['{"a": true}', '{"a": "1"}', '{"a": [1]}', '{"a": 1, "b": null}']
)
def test_values_of_other_types_differ(other: str) -> None:
    assert key("custom", other) != key("custom", '{"a": 1}')


def test_text_that_looks_like_a_number_is_text_in_json() -> None:
    assert key("custom", '{"a": "2e4"}') != key("custom", '{"a": 20000}')


@pytest.mark.parametrize(
    "other",
    ["lr: 2e-4\nname: x", "# tuned\nname: x\nlr: 0.0002", "{name: x, lr: 2.0e-4}"],
)
def test_yaml_spelling_and_comments_do_not_matter(other: str) -> None:
    assert key("axolotl", other) == key("axolotl", "name: x\nlr: 0.0002\n")


def test_yaml_keys_keep_their_type() -> None:
    assert key("axolotl", "a: {1: x}") != key("axolotl", "a: {'1': x}")
    assert yaml.safe_load(canonical("axolotl", parse("axolotl", "a: {1: x}"))) == {"a": {1: "x"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "line 1 column 1: must be an object of settings, not a list"),
        ("null", "line 1 column 1: must be an object of settings, not nothing"),
        ('{"a":\n x}', "line 2 column 2: not JSON: Expecting value"),
        ('{"a": 1, "a": 2}', "keys appear more than once: a"),
        ('{"a": NaN}', "not JSON: NaN"),
        ('{"a": 1e999}', "1e999 is larger than any number can be"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON: Exceeds the limit"),
        ('{"a": ' + "[" * 100_000, "is nested too deeply"),
    ],
)
def test_invalid_json_config_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ContentFault) as refused:
        parse("lora_config", text)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "line 1 column 1: must be an object of settings, not a list"),
        ("a: 1\nb: [", "line 2 column 5: not YAML: expected the node content"),
        ("a: !!python/object:os.system x", "line 1 column 4: not YAML: could not determine"),
        ("a: 2023-13-45", "not YAML: month must be in 1..12"),
        ("a: &a [*a]", "is nested too deeply"),
        (ALIASES, "has more than 100000 values"),
        (MERGES, "has more than 100000 values"),
        ("a: " + ":".join(["1"] * 10_000), "has a number that is larger than any number can be"),
    ],
)
def test_invalid_yaml_config_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ContentFault) as refused:
        parse("axolotl", text)
    assert str(refused.value).startswith(message)
