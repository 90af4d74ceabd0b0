"""The job's arguments: flags separated by blanks in the environment variable JOB_ARGUMENTS."""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn

from ft.job_protocol.variables import JOB_ARGUMENTS
from trainer.errors import ArgumentsError

JsonObject = dict[str, Any]
TRUE, FALSE = ("", "true", "1", "yes"), ("false", "0", "no")


@dataclass(frozen=True)
class FineTuneArguments:
    """Arguments of a fine-tuning job. Locations are relative to the project directory."""

    base_model_id: str
    dataset_id: str
    prompt_id: str
    experimentid: str
    out_dir: str
    train_out_dir: str
    adapter_name: str
    finetuning_framework_type: str
    axolotl_config_id: str
    auto_add_adapter: bool
    dataset_fraction: float
    train_test_split: float
    dist_num: int
    dist_cpu: int
    dist_gpu: int
    dist_mem: int
    gpu_label_id: str
    bnb_config: JsonObject
    lora_config: JsonObject
    training_arguments_config: JsonObject
    unknown: list[str] = field(default_factory=list)
    """Arguments that nobody here knows: tolerated, so that a newer studio can send more."""

    @property
    def configs(self) -> dict[str, JsonObject]:
        """The configs by field of the request that had them, without a quantisation of none."""
        found = {
            "training_arguments_config": self.training_arguments_config,
            "lora_config": self.lora_config,
        }
        return {**found, **({"model_bnb_config": self.bnb_config} if self.bnb_config else {})}


@dataclass(frozen=True)
class EvaluateArguments:
    """Arguments of an evaluation job. An empty adapter id is the base model alone."""

    base_model_id: str
    adapter_id: str
    dataset_id: str
    prompt_id: str
    result_dir: str
    comparison_adapter_id: str
    eval_dataset_fraction: float
    model_bnb_config: JsonObject
    adapter_bnb_config: JsonObject
    generation_config: JsonObject
    fit_answer_length: bool
    """Whether more tokens may be written than `generation_config` says, where an expected answer is
    longer."""
    selected_features: list[str]
    job_id: str
    run_number: int
    unknown: list[str] = field(default_factory=list)
    """Arguments that nobody here knows: tolerated, so that a newer studio can send more."""

    @property
    def configs(self) -> dict[str, JsonObject]:
        """The configs by field of the request that had them, without a quantisation of none."""
        found = {"generation_config": self.generation_config}
        bnb = self.model_bnb_config or self.adapter_bnb_config
        return {**found, **({"model_bnb_config": bnb} if bnb else {})}

    def shown(self) -> dict[str, object]:
        """The given values by name, without unknown arguments, which may be secrets."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        del given["unknown"]
        return {
            name: json.dumps(value) if isinstance(value, dict | list) else value
            for name, value in given.items()
            if value
        }


@dataclass(frozen=True)
class ExportArguments:
    """Arguments of an export job. `result_dir` is relative to the project directory."""

    export_type: str
    base_model_id: str
    adapter_id: str
    model_name: str
    artifact_location: str
    result_dir: str
    generation_config: JsonObject
    unknown: list[str] = field(default_factory=list)
    """Arguments that nobody here knows: tolerated, so that a newer studio can send more."""


def fine_tune_arguments(environment: Mapping[str, str]) -> FineTuneArguments:
    """Raises ArgumentsError, naming the flag."""
    parser = _FlagParser()
    for name in ("base_model_id", "dataset_id", "experimentid", "out_dir", "train_out_dir"):
        parser.text(name, required=True)
    for name in ("adapter_name", "prompt_id", "axolotl_config_id"):
        parser.text(name)
    parser.text("finetuning_framework_type", default="legacy")
    parser.add_argument("--auto_add_adapter", nargs="?", const=True, default=False, type=_truth)
    parser.number("dataset_fraction", _share, 1.0)
    parser.number("train_test_split", _share, 0.9)
    parser.number("dist_num", _count, 1)
    parser.number("dist_cpu", _count, 0)
    parser.number("dist_gpu", _count, -1)
    parser.number("dist_mem", _count, 0)
    parser.text("gpu_label_id")
    for name in ("bnb_config", "lora_config", "training_arguments_config"):
        parser.config(name)
    # Known, but meant for other scripts.
    parser.text("user_config_id")
    values, unknown = parser.read(environment)
    return FineTuneArguments(**_only(values, FineTuneArguments), unknown=unknown)


def evaluate_arguments(environment: Mapping[str, str]) -> EvaluateArguments:
    """Raises ArgumentsError, naming the flag."""
    parser = _FlagParser()
    for name in ("base_model_id", "dataset_id", "prompt_id", "result_dir"):
        parser.text(name, required=True)
    for name in ("adapter_id", "comparison_adapter_id", "job_id"):
        parser.text(name)
    parser.number("eval_dataset_fraction", _share, 0.1)
    parser.number("run_number", _count, 0)
    for name in ("model_bnb_config", "adapter_bnb_config", "generation_config"):
        parser.config(name)
    names = _json_of(list, "a JSON list of column names")
    parser.number("selected_features", names, [])
    parser.add_argument("--fit_answer_length", nargs="?", const=True, default=False, type=_truth)
    values, unknown = parser.read(environment)
    return EvaluateArguments(**_only(values, EvaluateArguments), unknown=unknown)


def export_arguments(environment: Mapping[str, str]) -> ExportArguments:
    """Raises ArgumentsError, naming the flag."""
    parser = _FlagParser()
    for name in ("export_type", "base_model_id", "adapter_id", "result_dir"):
        parser.text(name, required=True)
    # A JSON text: a name may have blanks, an argument may not.
    parser.add_argument("--model_name", type=_json_of(str, "a JSON text"), default="")
    parser.text("artifact_location", default="model")
    parser.config("generation_config")
    values, unknown = parser.read(environment)
    return ExportArguments(**_only(values, ExportArguments), unknown=unknown)


class _FlagParser(argparse.ArgumentParser):
    """Flags whose value may be left out, which is the same as leaving out the flag."""

    def __init__(self) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        self._required_names: list[str] = []

    def text(self, name: str, *, default: str = "", required: bool = False) -> None:
        self.add_argument(f"--{name}", nargs="?", const=default, default=default)
        if required:
            self._required_names.append(name)

    def number(self, name: str, kind: Any, default: Any) -> None:
        self.add_argument(f"--{name}", nargs="?", const=default, default=default, type=kind)

    def config(self, name: str) -> None:
        self.add_argument(
            f"--{name}", nargs="?", const={}, default={}, type=_json_of(dict, "a JSON object")
        )

    def read(self, environment: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
        values, unknown = self.parse_known_args(environment.get(JOB_ARGUMENTS, "").split())
        for name in self._required_names:
            if not getattr(values, name):
                self.error(f"argument --{name}: required")
        return vars(values), unknown

    def error(self, message: str) -> NoReturn:
        raise ArgumentsError(f"{JOB_ARGUMENTS}: {message}")


def _only(
    values: dict[str, Any], kind: type[FineTuneArguments | EvaluateArguments | ExportArguments]
) -> dict[str, Any]:
    return {each.name: values[each.name] for each in fields(kind) if each.name in values}


def _truth(text: str) -> bool:
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and up to 1")
    return value


def _count(text: str) -> int:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _json_of(kind: type, name: str) -> Callable[[str], Any]:
    """A reader of JSON texts that takes values of one type, which `name` names."""

    def read(text: str) -> Any:
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            raise argparse.ArgumentTypeError(f"not valid JSON: {error}") from None
        names = not isinstance(value, list) or all(isinstance(one, str) for one in value)
        if not isinstance(value, kind) or not names:
            raise argparse.ArgumentTypeError(f"not {name}")
        return value

    return read
