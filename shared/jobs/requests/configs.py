"""Configs of jobs, stored by the configs service."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chassis import domains
from chassis.config import Settings
from chassis.rpc.errors import FailedPrecondition, InvalidArgument
from chassis.rpc.peers import all_ended
from ft.enums import ConfigType
from ft.proto.fine_tuning_studio_pb2 import AddConfigRequest, ListConfigsRequest
from jobs import rules
from jobs.requests.arguments import compact_json

TYPES: Mapping[str, ConfigType] = {
    "training_arguments_config": ConfigType.TRAINING_ARGUMENTS,
    "model_bnb_config": ConfigType.BITSANDBYTES_CONFIG,
    "adapter_bnb_config": ConfigType.BITSANDBYTES_CONFIG,
    "lora_config": ConfigType.LORA_CONFIG,
    "generation_config": ConfigType.GENERATION_CONFIG,
    "user_config": ConfigType.CUSTOM,
}
"""Type of the stored config, by the field of a request with its text."""


@dataclass(frozen=True, slots=True)
class JobConfig:
    """A stored config."""

    id: str
    text: str

    def compact(self) -> str:
        """Returns the text as a job's argument."""
        return compact_json(json.loads(self.text))


def unstored(texts: Mapping[str, str]) -> dict[str, JobConfig]:
    """Returns the configs of a request by field, for a job that is not started."""
    return {field: JobConfig("", text) for field, text in texts.items() if text}


def columns(configs: Mapping[str, JobConfig], fields: Iterable[str]) -> dict[str, Any]:
    """Returns columns of a job's record: texts of the configs, and their ids."""
    used = {field: configs[field] for field in fields if field in configs}
    texts = {field: config.text for field, config in used.items()}
    return {**texts, **{f"{field}_id": config.id for field, config in used.items()}}


def quantisation(configs: Mapping[str, JobConfig]) -> JobConfig | None:
    """Returns the config that quantises the base model's weights, if any."""
    return configs.get("model_bnb_config") or configs.get("adapter_bnb_config")


class JobConfigs:
    """Stores and finds the configs of jobs."""

    def __init__(self, settings: Settings) -> None:
        self._configs = domains.configs(settings)
        self.close = self._configs.close
        self.peer = self._configs

    async def store(self, texts: Mapping[str, str]) -> dict[str, JobConfig]:
        """Stores the configs of a request and returns them by field; equal ones are stored once."""
        given = {field: text for field, text in texts.items() if text}
        configs = await all_ended(*(self._store(field, text) for field, text in given.items()))
        return dict(zip(given, configs, strict=True))

    async def complete(
        self, configs: Mapping[str, JobConfig], fields: Iterable[str], model_id: str
    ) -> dict[str, JobConfig]:
        """Returns the configs, with the shipped one of the model's family for fields without.

        Raises FailedPrecondition if no such config is left.
        """
        missing = [field for field in fields if field not in configs]
        shipped = await all_ended(*(self._shipped(field, model_id) for field in missing))
        return {**configs, **dict(zip(missing, shipped, strict=True))}

    async def _shipped(self, field: str, model_id: str) -> JobConfig:
        request = ListConfigsRequest(type=TYPES[field], model_id=model_id)
        for config in (await self._configs(lambda s: s.ListConfigs, request)).configs:
            if config.is_default:
                return JobConfig(config.id, config.config)
        description = f"is not set, and no {TYPES[field]} config is shipped"
        raise FailedPrecondition.at(field, rules.SHIPPED, description)

    async def _store(self, field: str, text: str) -> JobConfig:
        request = AddConfigRequest(type=TYPES[field], config=text)
        try:
            config = (await self._configs(lambda s: s.AddConfig, request)).config
        except InvalidArgument as refusal:
            raise refusal.about(field) from None
        return JobConfig(config.id, config.config)
