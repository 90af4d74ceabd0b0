"""Whether adapters can be put on the base model, as far as files tell without a library. The job
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
"""Weights of an adapter whose numbers are looked at; those of a larger one the job looks at."""
MAX_HASHED_BYTES = 2 << 30
"""Weights of a base model that are hashed; the job hashes larger ones."""


@dataclass(frozen=True)
class BaseFacts:
    """What is known of the base model."""

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
    """Notes the first fault of an adapter."""
    told: Shapes = {one.name: tuple(one.shape) for one in source.weights}
    files = {name: Path(path) for name, path in source.files.items()}
    found = adapter_files.of_files(files, told if source.on_hub else None)
    name = base.model.huggingface_model_name if base.model.type == ModelType.HUGGINGFACE else ""
    # Of a quantised model the headers have other shapes.
    shapes = {} if base.config.get("quantization_config") else base.shapes
    what = f"Adapter {source.name}"
    if said := adapter_files.fault(what, found, name, base.hashes, shapes, MAX_NUMBERS_BYTES):
        findings.add(ERROR, FIELD, rules.ADAPTERS, said.removesuffix("."))
