"""Headers of a model's weight files: names and shapes of the tensors, and files that are broken.

No weight is read. Used before a job and at its start.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Shapes = dict[str, tuple[int, ...]]
"""Shape of each tensor by its name."""
ONE_FILE, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLES, PICKLE_INDEX = ("pytorch_model.bin",), "pytorch_model.bin.index.json"
PATTERNS = ("*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin", PICKLE_INDEX)
"""Files of a directory that hold weights, or say which files do."""
MAX_HEADER_BYTES = 100_000_000
"""Longest header that the format allows."""
MAX_INDEX_BYTES = 256 * 1024 * 1024
SHOWN = 5
"""How many names a message has at the most."""
_POINTER = b"version https://git-lfs"


@dataclass
class Weights:
    """Tensors that the files of a model hold, and what is wrong with the files."""

    shapes: Shapes = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    """Sentences without a full stop, each naming its file. With any, no job can load the model."""


class FileFault(Exception):
    """A file is not what its name says. The message names the file and what to do."""


def of_folder(folder: Path) -> Weights:
    """The weights in a directory that `save_pretrained` made."""
    found = {file.name: file for pattern in PATTERNS for file in folder.glob(pattern)}
    return of_files(found)


def of_files(files: Mapping[str, Path]) -> Weights:
    """The weights in files by their names, of those that `from_pretrained` would read: one file
    comes before an index, and safetensors before pickles."""
    if ONE_FILE in files:
        return _of_shards(files, {ONE_FILE: None})
    if INDEX in files:
        return _of_index(files, INDEX)
    if any(name in files for name in PICKLES):
        return _of_shards(files, dict.fromkeys(name for name in PICKLES if name in files))
    if PICKLE_INDEX in files:
        return _of_index(files, PICKLE_INDEX)
    return Weights(faults=[f"there are no weights: neither {ONE_FILE}, {INDEX} nor {PICKLES[0]}"])


def shown(names: list[str]) -> str:
    """The first few of the names, and how many there are."""
    text = ", ".join(names[:SHOWN])
    return f"{text} and {len(names) - SHOWN:,} more" if len(names) > SHOWN else text


def header(path: Path) -> Shapes:
    """The shapes in a safetensors file whose size is what its header says. Raises FileFault."""
    name, size = path.name, path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        _require_no_pointer(start + file.read(len(_POINTER) - 8), name, size)
        length = int.from_bytes(start, "little")
        if size < 8 or length > min(MAX_HEADER_BYTES, size - 8):
            raise FileFault(f"{name} is cut off or no safetensors file: {_AGAIN}")
        file.seek(8)
        try:
            content = json.loads(file.read(length))
            shapes = {key: _shape(one) for key, one in content.items() if key != "__metadata__"}
            ends = [one["data_offsets"][1] for key, one in content.items() if key in shapes]
        except (ValueError, RecursionError, AttributeError, LookupError, TypeError):
            raise FileFault(f"{name} has a header that cannot be read: {_AGAIN}") from None
    whole = 8 + length + max(ends, default=0)
    if size != whole:
        what = "is cut off" if size < whole else "is not what its header says"
        raise FileFault(f"{name} {what}: it has {size:,} bytes of {whole:,}. {_AGAIN.capitalize()}")
    return shapes


_AGAIN = "copy or download it again"


def _require_no_pointer(start: bytes, name: str, size: int) -> None:
    if start.startswith(_POINTER):
        raise FileFault(
            f"{name} is a Git LFS pointer of {size} bytes, not the weights: run `git lfs pull` "
            "where it comes from"
        )


def _shape(entry: Any) -> tuple[int, ...]:
    shape = entry["shape"]
    if not all(type(one) is int and one >= 0 for one in shape):
        raise ValueError("a tensor has no shape")
    return tuple(shape)


def _of_index(files: Mapping[str, Path], name: str) -> Weights:
    try:
        if files[name].stat().st_size > MAX_INDEX_BYTES:
            raise ValueError("too large")
        content = json.loads(files[name].read_bytes())
        wanted = {str(tensor): str(shard) for tensor, shard in content["weight_map"].items()}
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return Weights(faults=[f"{name} cannot be read or has no weight_map: {_AGAIN}"])
    found = _of_shards(files, dict.fromkeys(sorted(set(wanted.values()))), listed_in=name)
    if not found.faults and found.shapes:
        lacking = sorted(tensor for tensor in wanted if tensor not in found.shapes)
        if lacking:
            found.faults.append(f"{name} names tensors that its files lack: {shown(lacking)}")
    return found


def _of_shards(
    files: Mapping[str, Path], names: Mapping[str, None], listed_in: str = ""
) -> Weights:
    found = Weights()
    absent = [name for name in names if name not in files]
    if absent:
        found.faults.append(f"{listed_in} names files that are not there: {shown(absent)}")
    for name in names:
        if name not in files:
            continue
        try:
            found.shapes |= _tensors(files[name])
        except FileFault as fault:
            found.faults.append(str(fault))
        except OSError as error:
            found.faults.append(f"{name} cannot be read: {error.strerror}")
    return found


def _tensors(path: Path) -> Shapes:
    if path.suffix == ".safetensors":
        return header(path)
    # The names in a pickle are only known once it is loaded.
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(len(_POINTER))
    _require_no_pointer(start, path.name, size)
    if not size:
        raise FileFault(f"{path.name} is empty: {_AGAIN}")
    return {}
