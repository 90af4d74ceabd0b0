"""The schemas that requests are held against say what the libraries take."""

import dataclasses
import json
import subprocess
import sys
import typing
import warnings
from collections.abc import Iterator
from typing import Any

import peft
import pytest
import transformers
from hypothesis import given
from hypothesis import settings as examples_of
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError
from trl.trainer.sft_config import SFTConfig

from ft.configs.training import LEFT_OUT
from trainer.codegen import schemas as codegen
from trainer.schemas import settings
from trainer.schemas.reading import SCHEMAS

KINDS = {kind: json.loads((codegen.FOLDER / f"{kind}.json").read_text()) for kind in SCHEMAS}
NEEDS_MORE = (
    "assistant_ensemble_weight",
    "dataloader_multiprocessing_context",
    "dataloader_prefetch_factor",
    "ddp_backend",
    "early_stopping_patience",
    "early_stopping_threshold",
    "init_lora_weights",
    "layers_to_transform",
    "lr_scheduler_type",
    "save_strategy",
)
"""Settings that a library takes beside certain others only."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.just(0.5) | st.sampled_from(["a", "no"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=4,
)


def make(kind: str, config: dict[str, Any], folder: str) -> None:
    """Makes what the trainer makes of a config. Raises SettingsError."""
    if kind == "training_arguments":
        chosen = settings.training_settings(config, lambda _: None)
        chosen = {"use_cpu": True, "bf16": False, **chosen}
        settings.make_training_config(chosen, folder)
    elif kind == "lora_config":
        settings.make_lora_config(config)
    elif kind == "bitsandbytes_config":
        settings.make_quantisation_config("bnb_config", config)
    else:
        tokenizer = type("Tokenizer", (), {"eos_token_id": 0, "pad_token_id": 1})
        settings.make_generation_config(config, tokenizer)


def examples(schema: dict[str, Any]) -> Iterator[Any]:
    """Values that the schema takes: the library's default, and all of an enumeration."""
    if "default" in schema:
        yield schema["default"]
    for one in schema.get("anyOf", [schema]):
        yield from one.get("enum", ())
        kinds = one.get("type", [])
        least = {"integer": 2, "number": 1.0}
        if "exclusiveMaximum" in one:
            least["number"] = one["exclusiveMaximum"] / 2
        if "maximum" in one:
            least["number"] = min(1.0, one["maximum"])
        samples = {"boolean": False, "null": None, **least}
        for name in [kinds] if isinstance(kinds, str) else kinds:
            if name in samples:
                yield samples[name]


def of_each() -> list[Any]:
    return [
        pytest.param(kind, name, one, id=f"{kind}-{name}")
        for kind, schema in KINDS.items()
        for name, one in schema["properties"].items()
        if name not in NEEDS_MORE
    ]


@pytest.mark.parametrize(("kind", "name", "schema"), of_each())
def test_library_accepts_what_the_schema_accepts(
    kind: str, name: str, schema: dict[str, Any], tmp_path: Any
) -> None:
    validator = Draft202012Validator(KINDS[kind])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for value in examples(schema):
            config = {name: value}
            assert validator.is_valid(config), config
            make(kind, config, str(tmp_path))


def declared() -> list[tuple[str, str, Any]]:
    """Settings whose types a library declares in a way that a checker of types can use."""
    found = []
    for kind, library in (("training_arguments", SFTConfig), ("lora_config", peft.LoraConfig)):
        hints = typing.get_type_hints(library)
        for field in dataclasses.fields(library):
            if "_config" not in field.name and field.name not in LEFT_OUT:
                found.append((kind, field.name, hints[field.name]))
    return found


@examples_of(max_examples=1000, deadline=None)
@given(st.sampled_from(declared()), JSON)
def test_values_of_an_undeclared_type_are_refused(
    setting: tuple[str, str, Any], value: Any
) -> None:
    kind, name, hint = setting
    try:
        TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
    except ValidationError:
        assert not Draft202012Validator(KINDS[kind]).is_valid({name: value})


@pytest.mark.parametrize("kind", KINDS)
def test_trainer_knows_exactly_the_names_of_the_schema(kind: str, tmp_path: Any) -> None:
    assert not Draft202012Validator(KINDS[kind]).is_valid({"no_such_setting": 1})
    with pytest.raises(settings.SettingsError, match="unknown setting no_such_setting"):
        make(kind, {"no_such_setting": 1}, str(tmp_path))


def test_generation_settings_are_all_in_the_schema() -> None:
    known = set(transformers.GenerationConfig().to_dict()) - {"_from_model_config"}
    assert set(KINDS["generation_config"]["properties"]) == known


@pytest.mark.starts_processes
def test_schema_files_match_the_installed_libraries() -> None:
    done = subprocess.run(
        [sys.executable, codegen.__file__, "--check"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_whole_numbers_get_the_type_of_their_setting() -> None:
    make("bitsandbytes_config", {"load_in_8bit": True, "llm_int8_threshold": 6}, "")
    assert settings.fit_numbers({"temperature": 2, "top_k": 5.0}, "generation_config") == {
        "temperature": 2.0,
        "top_k": 5,
    }
    fitted = settings.fit_numbers({"temperature": 2, "top_k": 5.0}, "generation_config")
    assert [type(value) for value in fitted.values()] == [float, int]
    assert settings.fit_numbers({"do_sample": True, "x": 1}, "generation_config") == {
        "do_sample": True,
        "x": 1,
    }
