"""Finds the files of models and adapters that an inspection reads."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from chassis.hub.errors import Repository
from chassis.hub.questions import Hub
from chassis.paths import ProjectPaths
from chassis.rpc.errors import Violations
from ft.adapters import files as adapter_files
from ft.adapters import weight_files
from ft.adapters.base import CONFIG
from ft.adapters.files import PICKLE, WEIGHTS
from ft.api import AdapterMetadata, AdapterType, ModelMetadata, ModelType
from ft.job_protocol.files import MANIFEST_FILE, TEMPLATE_FILE

NAMES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    TEMPLATE_FILE,
)
"""Files of a base model, without those of its weights."""
_OF_TEMPLATES = (TEMPLATE_FILE, "tokenizer_config.json")


@dataclass(frozen=True)
class FoundFiles:
    """The files of a model or an adapter that exist."""

    files: dict[str, Path] = field(default_factory=dict)
    weights: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Shapes of weights whose files are on the hub only."""
    missing: str = ""
    """The reason why a job cannot load it; empty if none is known."""


class ModelFiles:
    """Finds the files of models and adapters in the project directory and on the hub."""

    def __init__(self, paths: ProjectPaths, hub: Hub) -> None:
        self._paths = paths
        self._hub = hub

    async def find(self, model: ModelMetadata) -> FoundFiles:
        """The files of a model. Raises as `Hub.ask` does for a model of the hub."""
        if model.type == ModelType.PROJECT:
            location, patterns = model.location, weight_files.PATTERNS
            found = await asyncio.to_thread(self._in_project, location, NAMES, patterns)
            if not found.missing and "config.json" not in found.files:
                return replace(found, missing=f"{location} has no config.json")
            return found
        if model.type == ModelType.HUGGINGFACE:
            about = Repository("model", model.huggingface_model_name, model.commit)
            return await self._hub.ask(about, lambda: self._model_on_hub(about))
        # The files of a registered model lie where MLflow keeps them, and jobs alone have MLflow.
        return FoundFiles()

    async def adapter(self, adapter: AdapterMetadata) -> FoundFiles:
        """The files of an adapter. Raises as `Hub.ask` does for one of the hub."""
        if adapter.type == AdapterType.HUGGINGFACE:
            about = Repository("model", adapter.huggingface_name, adapter.commit)
            return await self._hub.ask(about, lambda: self._adapter_on_hub(about))
        names = (*_OF_TEMPLATES, *adapter_files.NAMES)
        return await asyncio.to_thread(self._in_project, adapter.location, names)

    def _in_project(
        self, location: str, names: Iterable[str], patterns: Iterable[str] = ()
    ) -> FoundFiles:
        """The files of a directory that have one of the names or match a pattern."""
        found = Violations()
        folder = self._paths.directory("location", location, found)
        if folder is None:
            return FoundFiles(missing=found.found[0].description)
        matching = {path.name for pattern in patterns for path in folder.glob(pattern)}
        paths = {
            name: self._paths.file("location", str(folder / name), Violations())
            for name in (*names, *sorted(matching))
        }
        return FoundFiles({name: path for name, path in paths.items() if path is not None})

    def _model_on_hub(self, about: Repository) -> FoundFiles:
        from huggingface_hub import get_safetensors_metadata
        from huggingface_hub.errors import NotASafetensorsRepoError, RemoteEntryNotFoundError

        files = {"config.json": self._hub.file(about, "config.json")}
        for name in NAMES[1:]:
            try:
                files[name] = self._hub.file(about, name)
            except RemoteEntryNotFoundError:
                continue
        try:
            metadata = get_safetensors_metadata(
                about.name, revision=about.commit or None, token=self._hub.token
            )
        except NotASafetensorsRepoError:
            return FoundFiles(files)
        parts = (part.tensors for part in metadata.files_metadata.values())
        shapes = {name: tuple(one.shape) for tensors in parts for name, one in tensors.items()}
        return FoundFiles(files, shapes)

    def _adapter_on_hub(self, about: Repository) -> FoundFiles:
        from huggingface_hub import HfApi

        api = HfApi(token=self._hub.token)
        revision = about.commit or None
        info = api.model_info(about.name, revision=revision)
        names = {one.rfilename for one in info.siblings or ()}
        if not names & {WEIGHTS, PICKLE}:
            return FoundFiles(missing=f"there are no weights: neither {WEIGHTS} nor {PICKLE}")
        small = names & {CONFIG, MANIFEST_FILE}
        files = {name: self._hub.file(about, name) for name in small}
        if WEIGHTS not in names:
            return FoundFiles(files)
        metadata = api.parse_safetensors_file_metadata(about.name, WEIGHTS, revision=revision)
        shapes = {name: tuple(one.shape) for name, one in metadata.tensors.items()}
        return FoundFiles(files, shapes)
