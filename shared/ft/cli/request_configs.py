"""Configs of a request, merged into those that the studio ships."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ft import api
from ft.cli.output.render import Output
from ft.client import FineTuningStudioClient
from ft.configs.merging import differences, kind_of, lines, merged, parsed


@dataclass
class RequestConfigs:
    """Configs of a request by field: the texts to send, and the shipped configs."""

    sent: dict[str, Any] = field(default_factory=dict)
    shipped: dict[str, dict[str, Any]] = field(default_factory=dict)

    def show(self, out: Output, fields: Mapping[str, Any]) -> None:
        """Prints the settings in effect. `fields` of the request take precedence over a config."""
        for name, settings in self._in_effect(fields).items():
            if settings:
                out.say(f"{name}, in effect:")
                for line in lines(settings, self.shipped.get(name, {})):
                    out.say(f"  {line}")
                out.say("")

    def as_data(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The settings in effect, and their differences from the shipped ones."""
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


def merged_configs(
    client: FineTuningStudioClient,
    model_id: str,
    given: Mapping[str, str],
    needed: tuple[str, ...],
    whole: bool,
) -> RequestConfigs:
    """Merges each given config into the one that the studio ships for the model.

    `given` has the texts by field; an empty text stands for a config that is not given. A job uses
    the shipped config for those of `needed` that are not given. With `whole`, texts are sent
    unchanged. So are texts that are no JSON object: the studio refuses them with the reason.
    """
    found = RequestConfigs()
    for name, text in given.items():
        if not text and name not in needed:
            continue
        request = api.ListConfigsRequest(type=kind_of(name), model_id=model_id)
        shipped = [one for one in client.ListConfigs(request).configs if one.is_default]
        found.shipped[name] = (parsed(shipped[0].config) or {}) if shipped else {}
        config = parsed(text) if text else None
        if whole or config is None:
            found.sent |= {name: text} if text else {}
        else:
            found.sent[name] = json.dumps(merged(found.shipped[name], config))
    return found
