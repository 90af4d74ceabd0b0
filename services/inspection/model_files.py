"""Where the files of a base model lie, of which an inspection reads some."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
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
from ft.job_protocol.files import MANIFEST_FILE
from rows.chat import conversations

NAMES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    conversations.TEMPLATE_FILE,
)

_OF_TEMPLATES = (conversations.TEMPLATE_FILE, "tokenizer_config.json")


@dataclass(frozen=True)
class Found:
    """What there is of a model."""

    files: dict[str, Path] = field(default_factory=dict)
    weights: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Shapes of weights whose files are on the hub only."""
    missing: str = ""
    """Why a job cannot load the model; empty if nothing is known against it."""


@dataclass(frozen=True)
class AdapterFound:
    """What there is of an adapter."""

    files: dict[str, Path] = field(default_factory=dict)
    weights: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Shapes of weights whose file is on the hub only."""
    missing: str = ""
    """Why a job cannot load it; empty if nothing is known against it."""


class ModelFiles:
    """Finds the files of models in the project directory and on the hub."""

    def __init__(self, paths: ProjectPaths, hub: Hub) -> None:
        self._paths = paths
        self._hub = hub

    async def find(self, model: ModelMetadata) -> Found:
        """What there is. Raises as `Hub.ask` does for a model of the hub."""
        if model.type == ModelType.PROJECT:
            return await asyncio.to_thread(self._in_project, model.location)
        if model.type == ModelType.HUGGINGFACE:
            about = Repository("model", model.huggingface_model_name, model.commit)
            return await self._hub.ask(about, self._question(about))
        # The files of a registered model lie where MLflow keeps them, and jobs alone have MLflow.
        return Found()

    async def adapter(self, adapter: AdapterMetadata) -> AdapterFound:
        """The files of an adapter. Raises as `Hub.ask` does for one of the hub."""
        if adapter.type == AdapterType.HUGGINGFACE:
            about = Repository("model", adapter.huggingface_name, adapter.commit)
            return await self._hub.ask(about, lambda: self._adapter_on_hub(about))
        return await asyncio.to_thread(self._adapter_in_project, adapter.location)

    def _adapter_in_project(self, location: str) -> AdapterFound:
        found = Violations()
        folder = self._paths.directory("location", location, found)
        if folder is None:
            return AdapterFound(missing=found.found[0].description)
        return AdapterFound(self._readable(folder, (*_OF_TEMPLATES, *adapter_files.NAMES)))

    def _adapter_on_hub(self, about: Repository) -> AdapterFound:
        from huggingface_hub import HfApi

        api = HfApi(token=self._hub.token)
        revision = about.commit or None
        info = api.model_info(about.name, revision=revision)
        names = {one.rfilename for one in info.siblings or ()}
        if not names & {WEIGHTS, PICKLE}:
            return AdapterFound(missing=f"there are no weights: neither {WEIGHTS} nor {PICKLE}")
        small = names & {CONFIG, MANIFEST_FILE}
        files = {name: self._hub.file(about, name) for name in small}
        if WEIGHTS not in names:
            return AdapterFound(files)
        told = api.parse_safetensors_file_metadata(about.name, WEIGHTS, revision=revision)
        return AdapterFound(files, {name: tuple(one.shape) for name, one in told.tensors.items()})

    def _readable(self, folder: Path, names: Iterable[str]) -> dict[str, Path]:
        paths = {
            name: self._paths.file("location", str(folder / name), Violations()) for name in names
        }
        return {name: path for name, path in paths.items() if path is not None}

    def _in_project(self, location: str) -> Found:
        found = Violations()
        folder = self._paths.directory("location", location, found)
        if folder is None:
            return Found(missing=found.found[0].description)
        of_weights = {path.name for one in weight_files.PATTERNS for path in folder.glob(one)}
        files = self._readable(folder, (*NAMES, *sorted(of_weights)))
        missing = "" if "config.json" in files else f"{location} has no config.json"
        return Found(files, missing=missing)

    def _question(self, about: Repository) -> Callable[[], Found]:
        from huggingface_hub import get_safetensors_metadata
        from huggingface_hub.errors import NotASafetensorsRepoError, RemoteEntryNotFoundError

        def ask() -> Found:
            files = {"config.json": self._hub.file(about, "config.json")}
            for name in NAMES[1:]:
                try:
                    files[name] = self._hub.file(about, name)
                except RemoteEntryNotFoundError:
                    continue
            try:
                told = get_safetensors_metadata(
                    about.name, revision=about.commit or None, token=self._hub.token
                )
            except NotASafetensorsRepoError:
                return Found(files)
            parts = (part.tensors for part in told.files_metadata.values())
            shapes = {name: tuple(one.shape) for tensors in parts for name, one in tensors.items()}
            return Found(files, shapes)

        return ask
