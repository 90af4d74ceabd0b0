"""The rules about configs."""

import asyncio
from collections.abc import Collection
from typing import Any

from chassis.ids import new_id
from chassis.rpc import rules as general
from chassis.rpc.errors import InvalidArgument, NotFound, Violations
from chassis.rpc.peers import referred
from ft.enums import ConfigType
from services.configs import content, rules
from services.configs.peers import Owners
from services.configs.store import Config, ConfigStore


class ConfigService:
    """Keeps each config once, the studio's own and the user's."""

    def __init__(self, configs: ConfigStore, owners: Owners) -> None:
        self._configs = configs
        self._owners = owners

    def get(self, id: str) -> Config:
        """The config with that id. Raises NotFound."""
        config = self._configs.one(id=id)
        if config is None:
            raise NotFound(
                f"config {id!r} does not exist", resource="config", id=id, rule=general.EXISTS.id
            )
        return config

    async def add(self, type: str, text: str, description: str) -> Config:
        """Stores a config, or returns the one that says the same.

        `description` names a model, whose family's user configs are then the only ones that count
        as the same; for a dataset format it is the format's own name.
        """
        config = Config(
            id=new_id(),
            type=type,
            description=description.strip() or None,
            # In a thread: a long YAML text takes a second, in which others want their answers.
            config=await asyncio.to_thread(self._canonical, type, text),
        )
        if config.description is None:
            return await self._configs.add_or_find(config)
        if type == ConfigType.AXOLOTL_DATASET_FORMATS:
            return await self._configs.add_or_find(config, description=config.description)
        family = await referred("description", self._owners.family_of_name(config.description))
        config.model_family = family or None
        return await self._configs.add_or_find(
            config, model_family=config.model_family, is_default=0
        )

    async def remove(self, id: str) -> None:
        """Forgets a config; an unknown id is fine."""
        await self._configs.remove(id=id)

    async def allowed(
        self, type: str, model_id: str, adapter_id: str, fine_tuning_job_id: str
    ) -> dict[str, Collection[Any]]:
        """What the columns may hold of configs that fit every argument that is not empty.

        For a model: the shipped ones of its family, and if there are none, all that are left.
        """
        allowed: dict[str, Collection[Any]] = {"type": [type]} if type else {}
        if adapter_id:
            allowed["id"] = await self._owners.configs_of_adapter(adapter_id)
        if fine_tuning_job_id:
            ids = await self._owners.configs_of_job(fine_tuning_job_id)
            allowed["id"] = ids.intersection(allowed.get("id", ids))
        families = self._configs.families(allowed) if model_id else set()
        if families:
            # Only then: the family of a model may have to be asked of the hub.
            family = await self._owners.family_of_model(model_id)
            if family in families:
                allowed |= {"model_family": [family], "is_default": [1]}
        return allowed

    @staticmethod
    def _canonical(type: str, text: str) -> str:
        found = Violations()
        found.one_of("type", type, ConfigType)
        found.required("config", text)
        found.raise_if_any()
        try:
            return content.canonical(type, content.parse(type, text))
        except content.ContentFault as fault:
            raise InvalidArgument.at("config", rules.CONTENT, str(fault)) from fault
