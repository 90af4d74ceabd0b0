"""The rules about configs."""

import asyncio
from collections.abc import Collection
from typing import Any

from chassis.ids import new_id
from chassis.rpc.errors import InvalidArgument, Violations
from chassis.rpc.peers import referred
from ft.enums import ConfigType
from services.configs import content, rules
from services.configs.peers import ConfigPeers
from services.configs.request import ConfigRequest
from services.configs.store import Config, ConfigStore


class ConfigService:
    """Keeps each config once, the studio's own and the user's."""

    def __init__(self, configs: ConfigStore, peers: ConfigPeers) -> None:
        self._configs = configs
        self._peers = peers

    async def add(self, *, request: ConfigRequest) -> Config:
        """Stores a config, or returns the one that says the same.

        If the description names a model, only the user configs of its family count as the same. A
        repeated request gets the config that it got before. Raises InvalidArgument with all that
        is wrong.
        """
        if (added := self._configs.added_by(request.key)) is not None:
            return added
        found = Violations()
        request.check(found)
        found.raise_if_any()
        try:
            # In a thread: a long YAML text takes a second, in which others want their answers.
            parsed = await asyncio.to_thread(content.parse, request.type, request.config)
        except content.ContentFault as fault:
            raise InvalidArgument.at("config", rules.CONTENT, str(fault)) from fault
        config = Config(
            id=new_id(),
            type=request.type,
            description=request.description or None,
            config=await asyncio.to_thread(content.canonical, request.type, parsed),
        )
        alike: dict[str, object] = {}
        if request.description and request.type == ConfigType.AXOLOTL_DATASET_FORMATS:
            alike = {"description": request.description}
        elif request.description:
            lookup = self._peers.family_of_name(request.description)
            config.model_family = await referred("description", lookup) or None
            alike = {"model_family": config.model_family, "is_default": 0}
        return await self._configs.add_or_find(config, request.key, **alike)

    async def remove(self, id: str) -> None:
        """Removes the config with that id, if there is one."""
        await self._configs.remove(id=id)

    async def allowed(
        self, type: str, model_id: str, adapter_id: str, fine_tuning_job_id: str
    ) -> dict[str, Collection[Any]]:
        """Returns the column values of configs that fit every argument that is not empty.

        For a model: the shipped ones of its family, and if there are none, all that are left.
        """
        allowed: dict[str, Collection[Any]] = {"type": [type]} if type else {}
        if adapter_id:
            allowed["id"] = await self._peers.configs_of_adapter(adapter_id)
        if fine_tuning_job_id:
            ids = await self._peers.configs_of_job(fine_tuning_job_id)
            allowed["id"] = ids.intersection(allowed.get("id", ids))
        families = self._configs.families(allowed) if model_id else set()
        if families:
            # Only then: the family of a model may have to be asked of the hub.
            family = await self._peers.family_of_model(model_id)
            if family in families:
                allowed |= {"model_family": [family], "is_default": [1]}
        return allowed
