"""Finds the chat template that the settings of a training name with `chat_template_path`."""

import asyncio
from pathlib import Path

from chassis.hub.errors import Repository
from chassis.hub.questions import Hub
from chassis.paths import ProjectPaths
from chassis.rpc.errors import Violations
from ft.job_protocol.files import TEMPLATE_FILE
from services.inspection.settings import TEMPLATE_PATH as SETTING

FILES = (TEMPLATE_FILE, "tokenizer_config.json")
"""Files of a tokenizer that may hold its chat template."""
_ENDINGS = (".jinja", ".j2")
_NAME_PARTS = 2
"""A name on the hub has at most one slash."""


class TemplatePathError(Exception):
    """No job can read a template there. The message says why."""


async def find(path: str, paths: ProjectPaths, hub: Hub) -> dict[str, Path]:
    """The files that hold the template: a file or a tokenizer of the project, or one of the hub.

    Raises TemplatePathError, and as `Hub.ask` does for a name of the hub.
    """
    in_project = await asyncio.to_thread(_in_project, path, paths)
    if in_project is not None:
        return in_project
    if path.count("/") >= _NAME_PARTS:
        raise TemplatePathError(
            f"{SETTING} {path!r} is no .jinja or .j2 file, no directory in the project directory, "
            "and no name on the hub"
        )
    about = Repository("model", path)

    def ask() -> dict[str, Path]:
        from huggingface_hub.errors import RemoteEntryNotFoundError

        hub.require(about)
        files = {}
        for name in FILES:
            try:
                files[name] = hub.file(about, name)
            except RemoteEntryNotFoundError:
                continue
        return files

    return await hub.ask(about, ask)


def _in_project(path: str, paths: ProjectPaths) -> dict[str, Path] | None:
    """The files of a path in the project; None if it names no directory there, and no template."""
    found = Violations()
    if path.endswith(_ENDINGS):
        file = paths.file(SETTING, path, found)
        if file is not None:
            return {TEMPLATE_FILE: file}
    else:
        folder = paths.confined(SETTING, path, found)
        if folder is not None and not folder.is_dir():
            return None
        if folder is not None:
            files = {name: paths.file(SETTING, str(folder / name), Violations()) for name in FILES}
            return {name: file for name, file in files.items() if file is not None}
    raise TemplatePathError(f"{SETTING} {found.found[0].description}")
