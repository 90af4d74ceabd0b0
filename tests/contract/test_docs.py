"""The page about configuration names every setting that a process reads."""

from dataclasses import fields
from pathlib import Path

import pytest

from services.workbench.settings import WorkbenchSettings

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text()
GIVEN_BY_MAIN = {"service", "default_listen"}
NAMED_OTHERWISE = {
    "hub_token": "HUGGINGFACE_ACCESS_TOKEN",
    "workbench_memory_gib": "`_MEMORY_GIB`",
    "workbench_gpus": "`_GPUS`",
}


@pytest.mark.parametrize(
    "setting", sorted({one.name for one in fields(WorkbenchSettings)} - GIVEN_BY_MAIN)
)
def test_setting_is_documented(setting: str) -> None:
    assert NAMED_OTHERWISE.get(setting, f"`FTS_{setting.upper()}`") in PAGE
