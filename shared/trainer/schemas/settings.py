"""Settings of the libraries from configs. A setting that a library does not know is refused."""

import difflib
import inspect
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from ft.configs import generation, lora, quantisation, training
from ft.configs.setting_words import fault
from rows.errors import first_line
from trainer.errors import SettingsError
from trainer.model.hardware import Notify
from trainer.schemas.reading import SCHEMAS

_NOT_FOR_THE_LIBRARY = (*training.STUDIO_SETTINGS, "chat_template_path")
"""Settings that are not passed to the library. With another tokenizer's chat template it would add
tokens that the base model does not have: `trainer.data.chat` uses the template only."""


def fit_numbers(config: dict[str, Any], kind: str) -> dict[str, Any]:
    """The config with each number of the type that the library expects.

    JSON does not distinguish 2 from 2.0, but some settings accept only one of them.
    """
    known = _schema(kind)["properties"]
    return {name: _fit_number(value, known.get(name, {})) for name, value in config.items()}


def training_settings(config: dict[str, Any], notify: Notify, workers: int = 1) -> dict[str, Any]:
    """Arguments for `SFTConfig`, and the studio's own settings. Raises SettingsError naming an
    unknown setting, an invalid value, or settings that contradict each other."""
    from trl.trainer.sft_config import SFTConfig

    settings = training.with_current_names(config)
    found = (training.notices(config), training.worker_notices(config, workers))
    for notice in (*found[0], *found[1], *training.checkpoint_notices(config)):
        notify(f"training_arguments_config: {notice}.")
    left_out = [*training.LEFT_OUT, *(training.DISTRIBUTED_SETTINGS if workers == 1 else ())]
    settings = {name: v for name, v in settings.items() if name not in left_out}
    known = [*(f.name for f in fields(SFTConfig)), *training.STUDIO_SETTINGS]
    _check_names("training_arguments_config", settings, known)
    _check_values("training_arguments_config", config, "training_arguments")
    if contradictions := training.conflicts(settings):
        raise SettingsError(f"training_arguments_config: {'; '.join(contradictions)}.")
    return settings


def make_training_config(settings: dict[str, Any], output_dir: str) -> Any:
    """The `SFTConfig`. Raises SettingsError with the library's message about an invalid value."""
    from trl.trainer.sft_config import SFTConfig

    chosen = {name: v for name, v in settings.items() if name not in _NOT_FOR_THE_LIBRARY}
    try:
        return SFTConfig(output_dir=output_dir, **fit_numbers(chosen, "training_arguments"))
    except (TypeError, ValueError) as error:
        raise SettingsError(f"training_arguments_config: {first_line(error)}") from error


def make_lora_config(config: dict[str, Any], notify: Notify = lambda _: None) -> Any:
    """The `LoraConfig`; all linear layers where none are named. Raises SettingsError."""
    from peft import LoraConfig

    _check_names("lora_config", config, (f.name for f in fields(LoraConfig)))
    _check_values("lora_config", config, "lora_config")
    if wrong := lora.conflicts(config):
        raise SettingsError(f"lora_config: {'; '.join(wrong)}.")
    for notice in lora.notices(config):
        notify(f"lora_config: {notice}.")
    settings = {name: v for name, v in config.items() if name not in lora.LEFT_OUT}
    settings["task_type"] = config.get("task_type") or "CAUSAL_LM"
    if not config.get("target_modules"):
        # The library would choose modules in addition to the parameters that are named.
        settings["target_modules"] = [] if config.get("target_parameters") else lora.ALL_LINEAR
    # Null means no settings, for which the library expects an empty object.
    for name in ("rank_pattern", "alpha_pattern", "loftq_config", "runtime_config"):
        if settings.get(name, {}) in (None, {}):
            settings.pop(name, None)
    try:
        return LoraConfig(**fit_numbers(settings, "lora_config"))
    except (TypeError, ValueError) as error:
        raise SettingsError(f"lora_config: {first_line(error)}") from error


def make_quantisation_config(name: str, config: dict[str, Any] | None) -> Any:
    """The `BitsAndBytesConfig`; None for None. Raises SettingsError with the config's `name`."""
    import transformers

    if config is None:
        return None
    settings = {key: value for key, value in config.items() if key != "quant_method"}
    make: Any = transformers.BitsAndBytesConfig
    _check_names(name, settings, inspect.signature(make).parameters)
    _check_values(name, settings, "bitsandbytes_config")
    if wrong := quantisation.conflicts(settings):
        raise SettingsError(f"{name}: {'; '.join(wrong)}.")
    try:
        return make(**fit_numbers(settings, "bitsandbytes_config"))
    except (TypeError, ValueError, ImportError) as error:
        raise SettingsError(f"{name}: {first_line(error)}") from error


def make_generation_config(
    config: dict[str, Any], tokenizer: Any, notify: Notify = lambda _: None
) -> Any:
    """The `GenerationConfig`, ending at the tokenizer's end-of-text. Raises SettingsError."""
    import transformers

    make: Any = transformers.GenerationConfig
    _check_names("generation_config", config, make().to_dict())
    _check_values("generation_config", config, "generation_config")
    settings = {
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        **config,
    }
    if wrong := generation.conflicts(config):
        raise SettingsError(f"generation_config: {'; '.join(wrong)}.")
    for notice in generation.notices(config):
        notify(f"generation_config: {notice}.")
    if not settings.get("do_sample"):
        # Without sampling these have no effect, and the library warns at every call.
        settings = {k: v for k, v in settings.items() if k not in generation.SAMPLING_SETTINGS}
    try:
        made = make(**fit_numbers(settings, "generation_config"))
        made.validate()
    except (TypeError, ValueError) as error:
        raise SettingsError(f"generation_config: {first_line(error)}") from error
    return made


def _fit_number(value: Any, schema: dict[str, Any]) -> Any:
    """The value, with numbers in it of the types that the schema names."""
    taken = _alternatives(schema)
    if isinstance(value, list):
        items: dict[str, Any] = next((one["items"] for one in taken if "items" in one), {})
        return [_fit_number(one, items) for one in value]
    if isinstance(value, dict):
        values: dict[str, Any] = next(
            (o[_VALUES] for o in taken if isinstance(o.get(_VALUES), dict)), {}
        )
        return {name: _fit_number(one, values) for name, one in value.items()}
    kinds: set[str] = set()
    for one in taken:
        types = one.get("type", [])
        kinds.update([types] if isinstance(types, str) else types)
    if isinstance(value, float) and value.is_integer() and ("integer" in kinds or not kinds):
        return int(value)
    if type(value) is int and "number" in kinds and "integer" not in kinds:
        return float(value)
    return value


_VALUES = "additionalProperties"


def _alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    if "anyOf" not in schema:
        return [schema]
    return [flat for one in schema["anyOf"] for flat in _alternatives(one)]


def _check_names(config: str, given: Iterable[str], known: Iterable[str]) -> None:
    names = [name for name in known if not name.startswith("_")]
    for name in given:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise SettingsError(f"{config}: unknown setting {name}.{hint}")


@cache
def _schema(kind: str) -> dict[str, Any]:
    """The schema of a type of config, cached: a served model needs it at every call."""
    return SCHEMAS[kind]()


def _check_values(field: str, config: dict[str, Any], kind: str) -> None:
    """Raises SettingsError naming each value that the services refuse too."""
    schema = _schema(kind)
    errors = Draft202012Validator(schema).iter_errors(config)
    wrong = dict.fromkeys(str(error.path[0]) for error in errors if error.path)
    if clauses := [fault(name, config[name], schema["properties"][name]) for name in wrong]:
        raise SettingsError(f"{field}: {'; '.join(clauses)}.")
