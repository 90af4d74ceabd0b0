"""Checks that adapters fit the base model, as far as files show it without a library. The job
refuses the same in the same words."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.rpc.findings import ERROR, Findings
from ft.adapters import files as adapter_files
from ft.adapters.weight_files import Shapes
from ft.enums import ModelType
from ft.proto.fine_tuning_studio_pb2 import ModelMetadata
from ft.proto.inspection_pb2 import AdapterSource
from services.inspection import rules

FIELD = "model_adapter_combinations"
MAX_NUMBERS_BYTES = 1 << 30
"""Largest weights of an adapter whose numbers are checked; larger ones are checked by the job."""
MAX_HASHED_BYTES = 2 << 30
"""Largest weights of a base model that are hashed; larger ones are hashed by the job."""


@dataclass(frozen=True)
class BaseFacts:
    """The base model, as far as it is known."""

    model: ModelMetadata
    files: Mapping[str, Path]
    config: Mapping[str, Any]
    shapes: Shapes

    def hashes(self) -> dict[str, str]:
        """SHA-256 of the files of its weights; empty where they are elsewhere, or large."""
        if self.model.type != ModelType.PROJECT or "config.json" not in self.files:
            return {}
        files = adapter_files.base_files(self.files["config.json"].parent)
        if sum(one.stat().st_size for one in files) > MAX_HASHED_BYTES:
            return {}
        return adapter_files.hashes_of(files)


def check(source: AdapterSource, base: BaseFacts, findings: Findings) -> None:
    """Adds a finding for the first fault of an adapter."""
    on_hub: Shapes = {one.name: tuple(one.shape) for one in source.weights}
    files = {name: Path(path) for name, path in source.files.items()}
    found = adapter_files.of_files(files, on_hub if source.on_hub else None)
    name = base.model.huggingface_model_name if base.model.type == ModelType.HUGGINGFACE else ""
    # The headers of a quantised model have other shapes.
    shapes = {} if base.config.get("quantization_config") else base.shapes
    what = f"Adapter {source.name}"
    if said := adapter_files.fault(what, found, name, base.hashes, shapes, MAX_NUMBERS_BYTES):
        findings.add(ERROR, FIELD, rules.ADAPTERS, said.removesuffix("."))
