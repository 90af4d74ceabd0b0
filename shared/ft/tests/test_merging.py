"""A config that is typed adds to the shipped one."""

from typing import Any

import pytest

from ft.configs.merging import differences, lines, merged, parsed

SHIPPED = {"learning_rate": 2e-4, "fp16": True, "warmup_ratio": 0.03, "optim": "paged"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, SHIPPED),
        ({"learning_rate": 1e-4}, {**SHIPPED, "learning_rate": 1e-4}),
        ({"optim": None}, {k: v for k, v in SHIPPED.items() if k != "optim"}),
        ({"max_length": None}, {**SHIPPED, "max_length": None}),
        ({"bf16": True}, {**{k: v for k, v in SHIPPED.items() if k != "fp16"}, "bf16": True}),
        ({"bf16": True, "fp16": True}, {**SHIPPED, "bf16": True}),
        (
            {"warmup_steps": 5},
            {**{k: v for k, v in SHIPPED.items() if k != "warmup_ratio"}, "warmup_steps": 5},
        ),
    ],
)
def test_given_settings_replace_shipped_ones(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert merged(SHIPPED, given) == expected


def test_eight_bits_replace_four() -> None:
    shipped = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "quant_method": "bitsandbytes"}
    assert merged(shipped, {"load_in_8bit": True}) == {
        "quant_method": "bitsandbytes",
        "load_in_8bit": True,
    }


def test_sampling_settings_go_unless_given() -> None:
    shipped = {"do_sample": True, "temperature": 0.8, "top_k": 50, "max_new_tokens": 60}
    assert merged(shipped, {"do_sample": False}) == {"do_sample": False, "max_new_tokens": 60}
    assert merged(shipped, {"do_sample": False, "top_k": 5})["top_k"] == 5


def test_differences_are_named_line_by_line() -> None:
    settings = merged(SHIPPED, {"learning_rate": 1e-4, "optim": None, "seed": 1})
    assert list(lines(settings, SHIPPED)) == [
        "learning_rate: 0.0001   (shipped: 0.0002)",
        "fp16: true",
        "warmup_ratio: 0.03",
        "seed: 1   (not in the shipped config)",
        'optim: -   (removed; shipped: "paged")',
    ]
    assert differences({"a": 1}, {"a": True}) == {"a": "shipped: true"}


def test_secret_and_a_control_character_are_not_printed() -> None:
    assert list(lines({"hub_token": "hf_secret", "x": "\x1b[2J"}, {})) == [
        "hub_token: ***   (not in the shipped config)",
        'x: "\\u001b[2J"   (not in the shipped config)',
    ]


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"a": 1, "a": 2}', '{"a": NaN}', "[" * 9999])
def test_config_that_is_no_object_is_left_to_the_studio(text: str) -> None:
    assert parsed(text) is None
