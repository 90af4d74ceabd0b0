"""Reads weight files without a library: names and shapes of tensors, faults of the files, and
numbers that are not finite.

Used before a job and at its start.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

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
"""Most names in a message."""
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
    """The weights in those of the files that `from_pretrained` would read.

    A single file takes precedence over an index, and safetensors over pickles.
    """
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


def not_finite(path: Path) -> list[str]:
    """Names of the tensors of a safetensors file that contain a number that is not finite.

    Raises FileFault.
    """
    start, entries = _entries(path)
    with path.open("rb") as file:
        return sorted(name for name, one in entries.items() if not _is_finite(file, start, one))


def header(path: Path) -> Shapes:
    """The shapes of the tensors in a safetensors file. Raises FileFault if its size is wrong."""
    return {name: tuple(one["shape"]) for name, one in _entries(path)[1].items()}


def _entries(path: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    """Offset of a safetensors file's numbers, and its header's entry for each tensor."""
    name, size = path.name, path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        _require_no_pointer(start + file.read(len(_POINTER) - 8), name, size)
        length = int.from_bytes(start, "little")
        if size < 8 or length > min(MAX_HEADER_BYTES, size - 8):
            raise FileFault(f"{name} is truncated or is not a safetensors file: {_AGAIN}")
        file.seek(8)
        try:
            content = json.loads(file.read(length))
            entries = {key: one for key, one in content.items() if key != "__metadata__"}
            ends = []
            for one in entries.values():
                begin, end = one["data_offsets"]
                if not all(type(n) is int and n >= 0 for n in [*one["shape"], begin, end]):
                    raise ValueError("a tensor has no shape")
                ends.append(end)
        except (ValueError, RecursionError, AttributeError, LookupError, TypeError):
            raise FileFault(f"{name} has a header that cannot be read: {_AGAIN}") from None
    whole = 8 + length + max(ends, default=0)
    if size != whole:
        what = "is truncated" if size < whole else "is not what its header says"
        raise FileFault(f"{name} {what}: it has {size:,} bytes of {whole:,}. {_AGAIN.capitalize()}")
    return 8 + length, entries


_AGAIN = "copy or download it again"
_EXPONENTS = {
    "F64": (8, 0x7FF0 << 48, 0x0010 << 48),
    "F32": (4, 0x7F80_0000, 0x0080_0000),
    "F16": (2, 0x7C00, 0x0400),
    "BF16": (2, 0x7F80, 0x0080),
    "F8_E5M2": (1, 0x7C, 0x04),
    "F8_E4M3": (1, 0x7F, 0x01),  # Without infinity: one pattern is no number.
}
"""Of each type of numbers: its bytes, the bits that are all set where a number is not finite, and
the lowest of them."""
_PIECE = 1 << 20


def _is_finite(file: BinaryIO, start: int, entry: Mapping[str, Any]) -> bool:
    if entry.get("dtype") not in _EXPONENTS:
        return True  # Whole numbers, and types without such numbers.
    begin, end = entry["data_offsets"]
    file.seek(start + begin)
    for position in range(begin, end, _PIECE):
        piece = file.read(min(_PIECE, end - position))
        bits, lowest, top = _masks(entry["dtype"], len(piece))
        # Adding the lowest bit carries into the sign's place where all bits are set.
        if ((int.from_bytes(piece, "little") & bits) + lowest) & top:
            return False
    return True


@cache
def _masks(dtype: str, size: int) -> tuple[int, int, int]:
    """The patterns of one number, repeated over `size` bytes."""
    width, bits, lowest = _EXPONENTS[dtype]
    patterns = (bits, lowest, 1 << (8 * width - 1))
    bits, lowest, top = (
        int.from_bytes(one.to_bytes(width, "little") * (size // width), "little")
        for one in patterns
    )
    return bits, lowest, top


def _require_no_pointer(start: bytes, name: str, size: int) -> None:
    if start.startswith(_POINTER):
        raise FileFault(
            f"{name} is a Git LFS pointer of {size} bytes, not the weights: run `git lfs pull` in "
            "the repository that it comes from"
        )


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
        found.faults.append(f"{listed_in} names files that do not exist: {shown(absent)}")
    for name in names:
        if name not in files:
            continue
        try:
            found.shapes |= tensors(files[name])
        except FileFault as fault:
            found.faults.append(str(fault))
        except OSError as error:
            found.faults.append(f"{name} cannot be read: {error.strerror}")
    return found


def tensors(path: Path) -> Shapes:
    """The shapes in a file of weights; none of a pickle. Raises FileFault."""
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
