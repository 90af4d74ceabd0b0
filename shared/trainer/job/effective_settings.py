"""Settings in effect, told at the start of a job's log."""

import logging
from collections.abc import Mapping
from typing import Any

from ft.api import ListConfigsRequest
from ft.client import StudioError
from ft.configs.merging import kind_of, lines, parsed
from trainer.job.studio import Studio

logger = logging.getLogger(__name__)


def tell(studio: Studio, model_id: str, configs: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes the settings of each config to the log, with what differs from the shipped ones.

    `configs` are by field of the request.
    """
    for name, settings in configs.items():
        told = "\n".join(f"  {line}" for line in lines(settings, _shipped(studio, name, model_id)))
        logger.info("%s, in effect:\n%s", name, told)


def _shipped(studio: Studio, name: str, model_id: str) -> Mapping[str, Any]:
    request = ListConfigsRequest(type=kind_of(name), model_id=model_id)
    try:
        found = studio.ListConfigs(request).configs
    except StudioError as error:
        # It is for people to read, and no reason to fail.
        logger.info("The shipped configs are not known: %s", error)
        return {}
    return next((parsed(one.config) or {} for one in found if one.is_default), {})
