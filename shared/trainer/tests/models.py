"""Copies of the starter model that tests break."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

STARTER = Path(__file__).parents[1] / "starter" / "model"
Weights = dict[str, torch.Tensor]


def copy(target: Path) -> Path:
    """A copy of the starter model."""
    return Path(shutil.copytree(STARTER, target))


def edit(file: Path, **changes: Any) -> None:
    """Changes fields of a JSON file; None takes a field out."""
    content = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({key: one for key, one in content.items() if one is not None}))


def change(folder: Path, make: Callable[[Weights], Weights]) -> None:
    """Changes the weights of a model, or of an adapter, that is one file."""
    [file] = folder.glob("*.safetensors")
    made = make(load_file(file))
    save_file({name: one.contiguous() for name, one in made.items()}, file, {"format": "pt"})


def shard(folder: Path, parts: int = 2) -> None:
    """Makes several files and an index of a model's one."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    places = {}
    for part in range(parts):
        name = f"model-{part + 1:05}-of-{parts:05}.safetensors"
        chosen = {key: one for i, (key, one) in enumerate(weights.items()) if i % parts == part}
        save_file(chosen, folder / name, {"format": "pt"})
        places |= dict.fromkeys(chosen, name)
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def pickle(folder: Path) -> None:
    """Makes a `.bin` file of a model's safetensors file."""
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
