"""Weight files for tests, written without a library."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SIZES = {"F32": 4, "BF16": 2, "F16": 2, "F64": 8}
Shapes = dict[str, tuple[int, int]]


def write_zeros(file: Path, shapes: Shapes, dtype: str = "F32", last: str = "") -> None:
    """Writes a safetensors file of zeros; the last number of the last tensor is `last`, in
    hexadecimal."""
    header: dict[str, Any] = {}
    end = 0
    for name, shape in shapes.items():
        begin, end = end, end + shape[0] * shape[1] * SIZES[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
    number = bytes.fromhex(last)
    text = json.dumps(header).encode()
    content = struct.pack("<Q", len(text)) + text + bytes(end - len(number)) + number
    file.write_bytes(content)


def lora(targets: Mapping[str, tuple[int, int]], rank: int = 8) -> Shapes:
    """The weights of an adapter on modules, given with the numbers that go in and come out."""
    found: Shapes = {}
    for module, (into, out) in targets.items():
        found[f"base_model.model.{module}.lora_A.weight"] = (rank, into)
        found[f"base_model.model.{module}.lora_B.weight"] = (out, rank)
    return found


def write_adapter(folder: Path, shapes: Shapes, targets: list[str]) -> None:
    """Writes an adapter with such weights."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "target_modules": targets, "r": 8}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    write_zeros(folder / "adapter_model.safetensors", shapes)
