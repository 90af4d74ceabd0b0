"""Writes the settings in effect at the start of a job's log."""

import logging
from collections.abc import Mapping
from typing import Any

from ft.api import ListConfigsRequest
from ft.client import StudioError
from ft.configs.merging import kind_of, lines, parsed
from trainer.job.studio import Studio

logger = logging.getLogger(__name__)


def log_settings(studio: Studio, model_id: str, configs: Mapping[str, Mapping[str, Any]]) -> None:
    """Logs the settings of each config, with what differs from the shipped ones.

    `configs` are by field of the request.
    """
    for name, settings in configs.items():
        shipped: Mapping[str, Any] = {}
        try:
            request = ListConfigsRequest(type=kind_of(name), model_id=model_id)
            found = studio.ListConfigs(request).configs
            shipped = next((parsed(one.config) or {} for one in found if one.is_default), {})
        except StudioError as error:
            # It is for people to read, and no reason to fail.
            logger.info("The shipped configs are not known: %s", error)
        text = "\n".join(f"  {line}" for line in lines(settings, shipped))
        logger.info("%s, in effect:\n%s", name, text)
