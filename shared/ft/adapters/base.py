"""Reads the name of an adapter's base model from the adapter's files."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ft.job_protocol.files import MANIFEST_FILE

CONFIG = "adapter_config.json"
"""File of an adapter in which its library names the base model."""
MAX_BYTES = 16 * 1024 * 1024
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def hub_name(folder: Path, project: Path) -> str:
    """The hub name of the base model of the adapter in a directory.

    Empty if its files name none, or name a path, which may differ on another machine.
    """
    recorded = read(folder / MANIFEST_FILE).get("base_model")
    if isinstance(recorded, dict) and recorded.get("name"):
        return str(recorded["name"])
    if isinstance(recorded, dict) and recorded.get("sha256"):
        return ""
    return of_config(read(folder / CONFIG), folder, project)


def of_config(config: Mapping[str, Any], folder: Path, project: Path) -> str:
    """The hub name that the content of an adapter_config.json contains; empty if it has none."""
    named = str(config.get("base_model_name_or_path") or "")
    # What lies in the project, or beside the adapter, is a path.
    is_path = (project / named).exists() or (folder.parent / named).exists()
    return named if _HUB_NAME.fullmatch(named) and not is_path else ""


def read(file: Path) -> dict[str, Any]:
    """The JSON object in a file; empty if there is none."""
    try:
        if file.stat().st_size > MAX_BYTES:
            return {}
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
