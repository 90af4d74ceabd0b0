"""Configs that are typed, added to those that the studio ships."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ft import api
from ft.cli.output.render import Output
from ft.client import FineTuningStudioClient
from ft.configs.merging import differences, kind_of, lines, merged, parsed


@dataclass
class Configs:
    """Configs of a request by field: the whole texts that are sent, and the shipped ones."""

    sent: dict[str, Any] = field(default_factory=dict)
    shipped: dict[str, dict[str, Any]] = field(default_factory=dict)

    def show(self, out: Output, fields: Mapping[str, Any]) -> None:
        """Prints the settings in effect; `fields` of the request win over a config."""
        for name, settings in self._in_effect(fields).items():
            if settings:
                out.say(f"{name}, in effect:")
                for line in lines(settings, self.shipped.get(name, {})):
                    out.say(f"  {line}")
                out.say("")

    def as_data(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The settings in effect, and what differs from the shipped ones."""
        return {
            name: {
                "settings": settings,
                "differs": differences(settings, self.shipped.get(name, {})),
            }
            for name, settings in self._in_effect(fields).items()
        }

    def _in_effect(self, fields: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        found = {}
        for name in {**self.shipped, **self.sent}:
            settings = parsed(self.sent[name]) if name in self.sent else self.shipped[name]
            if settings is not None:
                given = fields if settings and name == "training_arguments_config" else {}
                found[name] = {**settings, **{k: v for k, v in given.items() if v is not None}}
        return found


def completed(
    client: FineTuningStudioClient,
    model_id: str,
    given: Mapping[str, str],
    needed: tuple[str, ...],
    whole: bool,
) -> Configs:
    """The configs of a request, each added to the one that is shipped for the model.

    `given` has the texts by field, empty where nothing is typed; a job has a shipped config in
    place of those `needed`. With `whole` a text is sent as it is. So is one that is not an object:
    the studio says what is wrong with it.
    """
    found = Configs()
    for name, text in given.items():
        if not text and name not in needed:
            continue
        found.shipped[name] = _shipped(client, name, model_id)
        config = parsed(text) if text else None
        if whole or config is None:
            found.sent |= {name: text} if text else {}
        else:
            found.sent[name] = json.dumps(merged(found.shipped[name], config))
    return found


def _shipped(client: FineTuningStudioClient, name: str, model_id: str) -> dict[str, Any]:
    request = api.ListConfigsRequest(type=kind_of(name), model_id=model_id)
    for config in client.ListConfigs(request).configs:
        if config.is_default:
            return parsed(config.config) or {}
    return {}
