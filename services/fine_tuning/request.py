"""The StartFineTuningJob request."""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Self

from chassis.rpc import json_objects
from chassis.rpc.errors import Violations
from ft.configs import training
from ft.enums import FineTuningFrameworkType
from ft.job_protocol.events import is_number
from jobs.requests.numbers import check_gpus, check_resources, check_shares
from jobs.requests.request import CONFIG, FLAG, CarriedText, ConfigText, FlagText, JobRequest
from jobs.requests.settings import check_settings, contradictions
from services.fine_tuning import rules

ADAPTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
MAX_WORKERS = 64
MAX_EPOCHS, MAX_RATE = 1_000_000, 100
"""As in the schema of the training's settings."""
FIELD_OF_SETTING = {"num_train_epochs": "num_epochs", "learning_rate": "learning_rate"}
"""Settings of the training that are also fields of the request, and those fields."""


@dataclass(frozen=True, kw_only=True)
class AliasedNumber:
    """A number that the contract knows under two names."""

    name: str
    value: int | None
    alias: str
    alias_value: int | None

    @classmethod
    def of(cls, message: Any, name: str) -> Self:
        """Reads the number from the fields `name` and `num_name`; None where it is not set."""
        alias = f"num_{name}"
        return cls(
            name=name,
            value=getattr(message, name) if message.HasField(name) else None,
            alias=alias,
            alias_value=getattr(message, alias) if message.HasField(alias) else None,
        )

    @property
    def field(self) -> str:
        """The name under which the request has it."""
        return self.alias if self.value is None and self.alias_value is not None else self.name

    def agreed(self, found: Violations) -> int | None:
        """Returns the one value; adds a violation if both are set and differ."""
        if self.value is not None and self.alias_value is not None:
            found.check(
                self.alias,
                rules.NAMES_AGREE,
                self.value == self.alias_value,
                f"is {self.alias_value}, but {self.name} is {self.value}; set one of them",
            )
        return self.value if self.value is not None else self.alias_value


@dataclass(frozen=True, kw_only=True)
class FineTuningRequest(JobRequest):
    """A request to train an adapter. None, and an empty text, mean not set."""

    adapter_name: str
    base_model_id: FlagText
    dataset_id: FlagText
    prompt_id: FlagText
    num_workers: int = 1
    auto_add_adapter: Annotated[bool, FLAG] = False
    num_epochs: int | None = None
    learning_rate: float | None = None
    cpu: AliasedNumber
    gpu: AliasedNumber
    memory: AliasedNumber
    """GiB."""
    train_test_split: Annotated[float, FLAG] = 0.9
    dataset_fraction: Annotated[float, FLAG] = 1.0
    training_arguments_config: ConfigText = ""
    model_bnb_config: ConfigText = ""
    adapter_bnb_config: ConfigText = ""
    lora_config: ConfigText = ""
    output_dir: CarriedText = ""
    user_script: str = ""
    user_config_id: FlagText = ""
    user_config: str = ""
    framework_type: str = FineTuningFrameworkType.LEGACY
    axolotl_config_id: CarriedText = ""
    gpu_label_id: int | None = None

    @classmethod
    def from_message(cls, message: Any, **given: Any) -> Self:
        """Reads the request, see `DomainRequest.from_message`."""
        numbers = {name: AliasedNumber.of(message, name) for name in ("cpu", "gpu", "memory")}
        return super().from_message(message, **numbers, **given)

    def check(self, found: Violations) -> None:
        """Adds each rule that the request breaks by itself."""
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
        super().check(found)
        self._check_numbers(found)
        for name, text in self.config_texts.items():
            if text:
                self._check_config(name, text, found)

    @property
    def config_texts(self) -> dict[str, str]:
        """The configs that are stored, by name of field; empty where they are not set."""
        return {**self.configs, "user_config": self.user_config}

    @property
    def training_settings(self) -> dict[str, Any]:
        """The request's own settings of the training, as far as they can be read."""
        with suppress(json_objects.JsonFault):
            return json_objects.parse(self.training_arguments_config or "{}")
        return {}

    @property
    def is_axolotl(self) -> bool:
        """True if Axolotl does the training."""
        return self.framework_type == FineTuningFrameworkType.AXOLOTL

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

    def _check_config(self, name: str, text: str, found: Violations) -> None:
        config = found.json_object(name, text)
        if config is None:
            return
        # A script of the user's own has its own idea of settings, and its own libraries.
        ours = name in CONFIGS and not self.user_script
        refused = check_settings(name, config, found) if ours else set()
        settings = {n: v for n, v in config.items() if n not in refused}
        if name == "training_arguments_config":
            # The job's record repeats these settings.
            for setting in [one for one in FIELD_OF_SETTING if one in settings]:
                value = settings[setting]
                holds = is_number(value) and value > 0
                description = f"{setting} must be a number above 0, not {value!r}"
                found.check(name, rules.POSITIVE, holds, description)
            # Fields of the request take precedence over the config.
            given = {setting: getattr(self, own) for setting, own in FIELD_OF_SETTING.items()}
            settings |= {setting: value for setting, value in given.items() if value is not None}
            if ours:
                wrong, _ = training.hardware_faults(settings, self.gpu.agreed(Violations()) or 0)
                for clause in wrong:
                    found.add(name, rules.HARDWARE, clause)
        if ours:
            for contradiction in contradictions(name, settings):
                found.add(name, rules.CONSISTENT, contradiction)

    def overruled(self) -> list[tuple[str, str]]:
        """Settings that another part of the request overrules: the field of each, and a clause."""
        found = []
        given = self.training_settings
        for name, own in FIELD_OF_SETTING.items():
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


CONFIGS = FineTuningRequest.named(CONFIG)
