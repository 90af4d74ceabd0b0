"""A request to start a job, in the domain's own terms, and the rules that need nothing else."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from chassis.rpc import json_objects
from chassis.rpc.errors import Violations
from ft.configs import training
from ft.enums import FineTuningFrameworkType
from ft.job_protocol.events import is_number
from jobs.requests.arguments import check_carried
from jobs.requests.numbers import check_gpus, check_resources, check_shares
from jobs.requests.repetition import Repeatable
from jobs.requests.settings import check_settings, contradictions
from services.fine_tuning import rules

ADAPTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
CONFIGS = ("training_arguments_config", "model_bnb_config", "adapter_bnb_config", "lora_config")
MAX_WORKERS = 64
MAX_EPOCHS, MAX_RATE = 1_000_000, 100
"""As in the schema of the training's settings."""

_ARGUMENTS = (
    "base_model_id",
    "dataset_id",
    "prompt_id",
    "output_dir",
    "user_config_id",
    "axolotl_config_id",
)
"""Fields that the job gets as they are."""
_FIELDS_OF = {"num_train_epochs": "num_epochs", "learning_rate": "learning_rate"}
"""Settings of the training that are also fields of the request, and those fields."""
_TRAINING_NUMBERS = tuple(_FIELDS_OF)


@dataclass(frozen=True, kw_only=True)
class Resources:
    """A number that the contract knows under two names."""

    name: str
    value: int | None
    alias: str
    alias_value: int | None

    @property
    def field(self) -> str:
        """The name under which the request has it."""
        return self.alias if self.value is None and self.alias_value is not None else self.name

    def agreed(self, found: Violations) -> int | None:
        """The one value; a violation if both are set and differ."""
        if self.value is not None and self.alias_value is not None:
            found.check(
                self.alias,
                rules.NAMES_AGREE,
                self.value == self.alias_value,
                f"is {self.alias_value}, but {self.name} is {self.value}; set one of them",
            )
        return self.value if self.value is not None else self.alias_value


@dataclass(frozen=True, kw_only=True)
class JobRequest(Repeatable):
    """What StartFineTuningJob asks for. None means not set."""

    adapter_name: str
    base_model_id: str
    dataset_id: str
    prompt_id: str
    num_workers: int = 1
    auto_add_adapter: bool = False
    num_epochs: int | None = None
    learning_rate: float | None = None
    cpu: Resources
    gpu: Resources
    memory: Resources
    train_test_split: float = 0.9
    dataset_fraction: float = 1.0
    configs: dict[str, str] = field(default_factory=dict)
    """By name of field, those that are set."""
    output_dir: str = ""
    user_script: str = ""
    user_config_id: str = ""
    user_config: str = ""
    framework_type: str = FineTuningFrameworkType.LEGACY
    axolotl_config_id: str = ""
    gpu_label_id: int | None = None

    def check(self, found: Violations) -> None:
        """Notes every rule that the request breaks by itself."""
        found.check(
            "adapter_name",
            rules.ADAPTER_NAME,
            bool(ADAPTER_NAME.fullmatch(self.adapter_name)),
            "must consist of letters, digits and hyphens and not begin with a hyphen, "
            f"not {self.adapter_name!r}",
        )
        found.required("base_model_id", self.base_model_id)
        found.required("dataset_id", self.dataset_id)
        found.one_of("framework_type", self.framework_type, FineTuningFrameworkType)
        if self.is_axolotl:
            found.required("axolotl_config_id", self.axolotl_config_id)
        elif not self.user_script:
            # A script of the user's own may do without one.
            found.required("prompt_id", self.prompt_id)
        check_carried({name: getattr(self, name) for name in _ARGUMENTS}, found)
        self._check_numbers(found)
        self._check_configs(found)
        self.check_retry(found)

    @property
    def config_texts(self) -> dict[str, str]:
        """Every config of the request by name of field; empty where it is not set."""
        return {**self.configs, "user_config": self.user_config}

    @property
    def training_settings(self) -> dict[str, Any]:
        """The request's own settings of the training, as far as they can be read."""
        with suppress(json_objects.JsonFault):
            return json_objects.parse(self.configs.get("training_arguments_config", "{}"))
        return {}

    @property
    def is_axolotl(self) -> bool:
        """Whether Axolotl does the training."""
        return self.framework_type == FineTuningFrameworkType.AXOLOTL

    def _check_configs(self, found: Violations) -> None:
        for name, text in self.config_texts.items():
            config = found.json_object(name, text) if text else None
            if config is None:
                continue
            # A script of the user's own has its own idea of settings, and its own libraries.
            ours = name in CONFIGS and not self.user_script
            told = check_settings(name, config, found) if ours else set()
            settings = {n: v for n, v in config.items() if n not in told}
            if name == "training_arguments_config":
                _check_training(settings, found)
                settings |= self._training_fields
                if ours:
                    self._check_hardware(settings, found)
            if ours:
                for contradiction in contradictions(name, settings):
                    found.add(name, rules.CONSISTENT, contradiction)

    @property
    def _training_fields(self) -> dict[str, Any]:
        """Settings of the training that are fields of the request, and win over the config's."""
        given = {"num_train_epochs": self.num_epochs, "learning_rate": self.learning_rate}
        return {name: value for name, value in given.items() if value is not None}

    def overruled(self) -> list[tuple[str, str]]:
        """Settings that something else in the request overrules: the field that each is in, and a
        clause."""
        found = []
        given = self.training_settings
        for name, own in _FIELDS_OF.items():
            value = getattr(self, own)
            if value is not None and name in given and given[name] not in (None, value):
                clause = f"{name} {given[name]!r} has no effect: {own} of the request is {value}"
                found.append(("training_arguments_config", clause))
        steps = given.get("max_steps")
        if self.num_epochs is not None and isinstance(steps, int | float) and steps > 0:
            clause = (
                f"num_epochs {self.num_epochs} has no effect: max_steps {steps} ends the training"
            )
            found.append(("num_epochs", clause))
        return found

    def _check_hardware(self, settings: Mapping[str, Any], found: Violations) -> None:
        wrong, _ = training.hardware_faults(settings, self.gpu.agreed(Violations()) or 0)
        for one in wrong:
            found.add("training_arguments_config", rules.HARDWARE, one)

    def _check_numbers(self, found: Violations) -> None:
        cpu, memory, gpu = (r.agreed(found) for r in (self.cpu, self.memory, self.gpu))
        check_resources(found, **{self.cpu.field: cpu, self.memory.field: memory})
        check_resources(found, num_workers=self.num_workers)
        check_gpus(found, **{self.gpu.field: gpu})
        description = f"must be at most {MAX_WORKERS}, not {self.num_workers}"
        found.check("num_workers", rules.WORKERS, self.num_workers <= MAX_WORKERS, description)
        for name, number, most in (
            ("num_epochs", self.num_epochs, MAX_EPOCHS),
            ("learning_rate", self.learning_rate, MAX_RATE),
        ):
            holds = number is None or (is_number(number) and 0 < number <= most)
            description = f"must be a number above 0 and up to {most}, not {number}"
            found.check(name, rules.POSITIVE, holds, description)
        check_shares(
            found, dataset_fraction=self.dataset_fraction, train_test_split=self.train_test_split
        )


def _check_training(settings: Mapping[str, Any], found: Violations) -> None:
    """The settings of the training config that the job's record repeats."""
    for name in _TRAINING_NUMBERS:
        if name in settings:
            holds = is_number(settings[name]) and settings[name] > 0
            description = f"{name} must be a number above 0, not {settings[name]!r}"
            found.check("training_arguments_config", rules.POSITIVE, holds, description)
