"""Files of an adapter: whether they are whole and finite, and belong to a base model.

Needs no library, so that Validate and the job tell the same in the same words.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ft.adapters import weight_files
from ft.adapters.base import CONFIG, MANIFEST, of_config, read
from ft.adapters.weight_files import FileFault, Shapes, shown
from ft.configs.lora import conflicts
from ft.configs.targets import BaseModules, targeted

WEIGHTS, PICKLE = "adapter_model.safetensors", "adapter_model.bin"
NAMES = (CONFIG, MANIFEST, WEIGHTS, PICKLE)
TRAIN_AGAIN = "Train it again, or copy it again."
LORA, CAUSAL = "LORA", "CAUSAL_LM"
_PREFIX = "base_model.model."
_MATRICES = (".lora_A.weight", ".lora_B.weight")


@dataclass
class AdapterFiles:
    """Files of an adapter by their names."""

    files: Mapping[str, Path]
    config: dict[str, Any] = field(default_factory=dict)
    shapes: Shapes = field(default_factory=dict)
    """Of its weights; empty for a pickle."""
    faults: list[str] = field(default_factory=list)
    """Clauses, each naming its file. With any, no job can load the adapter."""

    @property
    def manifest(self) -> dict[str, Any]:
        """The studio's record of its training; empty for an adapter from elsewhere."""
        return read(self.files[MANIFEST]) if MANIFEST in self.files else {}

    def not_finite(self) -> list[str]:
        """The names of weights that hold a number which is not finite, as far as files tell."""
        if self.faults or WEIGHTS not in self.files:
            return []
        return weight_files.not_finite(self.files[WEIGHTS])


def of_folder(folder: Path) -> AdapterFiles:
    """The adapter in a directory."""
    return of_files({name: folder / name for name in NAMES if (folder / name).is_file()})


def of_files(files: Mapping[str, Path], told: Shapes | None = None) -> AdapterFiles:
    """The adapter of these files. `told` are the shapes of weights whose file is elsewhere."""
    found = AdapterFiles(files, shapes=told or {})
    if CONFIG not in files:
        found.faults.append(f"there is no {CONFIG}")
    else:
        found.config = read(files[CONFIG])
        if not found.config.get("peft_type"):
            found.faults.append(f"{CONFIG} cannot be read or has no peft_type")
    name = next((one for one in (WEIGHTS, PICKLE) if one in files), "")
    if not name and not told:
        found.faults.append(f"there are no weights: neither {WEIGHTS} nor {PICKLE}")
    elif name:
        try:
            found.shapes = weight_files.tensors(files[name])
        except FileFault as fault:
            found.faults.append(str(fault))
        except OSError as error:
            found.faults.append(f"{name} cannot be read: {error.strerror}")
    return found


def fault(
    what: str,
    adapter: AdapterFiles,
    base_name: str,
    base_hashes: Callable[[], Mapping[str, str]],
    base_shapes: Shapes,
    most_bytes: int,
) -> str:
    """The first fault of an adapter for a base model, in a sentence; empty if nothing is known.

    The base is given by its name on the hub, the hashes of its files and the shapes of its
    weights, each empty where it is not known. Numbers are looked at where the file of the weights
    has at most `most_bytes`.
    """
    if adapter.faults:
        return not_loadable(what, adapter.faults)
    if said := other_kind(what, adapter.config):
        return said
    file = adapter.files.get(WEIGHTS)
    if file and file.stat().st_size <= most_bytes and (names := adapter.not_finite()):
        return not_finite(what, names, TRAIN_AGAIN)
    if said := other_base(what, adapter, base_name, base_hashes):
        return said
    return misfits(adapter, base_shapes).said(what)


# ------------------------------------------------------------------------------ what is said


def not_loadable(what: str, faults: list[str]) -> str:
    """The sentence about files that are not whole."""
    return f"{what} cannot be loaded: {'; '.join(faults)}."


def not_finite(what: str, names: list[str], remedy: str) -> str:
    """The sentence about numbers that are not finite."""
    number = "weight has" if len(names) == 1 else f"{len(names)} weights have"
    return f"{what}: {number} numbers that are not finite (nan or inf): {shown(names)}. {remedy}"


@dataclass
class Misfits:
    """Differences between an adapter's weights and those that the base model takes."""

    lacking: list[str] = field(default_factory=list)
    """Weights that the adapter should have."""
    placeless: list[str] = field(default_factory=list)
    """Weights of the adapter that have no place in the model."""
    misshapen: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Weights of the adapter that are too large or too small, with their shapes."""

    def said(self, what: str) -> str:
        """The sentence about all of them; empty if there is none."""
        wrong = []
        if self.placeless:
            number = len(self.placeless)
            wrong.append(
                f"{number} of its weights do not exist in the model: {shown(self.placeless)}"
            )
        if self.lacking:
            wrong.append(f"it lacks {len(self.lacking)} weights: {shown(self.lacking)}")
        if self.misshapen:
            named = [
                f"{name} ({'x'.join(map(str, shape))})" for name, shape in self.misshapen.items()
            ]
            wrong.append(f"{len(named)} of its weights have another shape: {shown(named)}")
        if not wrong:
            return ""
        return (
            f"{what} does not fit the base model: {'; '.join(wrong)}. Use the base model that it "
            "was trained on."
        )


def other_kind(what: str, config: Mapping[str, Any]) -> str:
    """The sentence about an adapter that was not made for a model that writes text; else empty."""
    task = config.get("task_type")
    if not task or task == CAUSAL:
        return ""
    return f"{what} is for the task {task}, but the studio's models are for {CAUSAL}."


# -------------------------------------------------------------------------- of which base


def other_base(
    what: str,
    adapter: AdapterFiles,
    name: str,
    hashes: Callable[[], Mapping[str, str]],
    run: str = "",
) -> str:
    """The sentence about an adapter whose files say that it comes from another base model: another
    name on the hub, or other weights. Empty if they do not say so; a path says nothing.

    `name` is the base model's on the hub. `hashes` returns the SHA-256 of the files of its weights
    by their names, empty where they are not known; `run` is the run of MLflow that it was logged
    in.
    """
    told = adapter.manifest.get("base_model")
    told = told if isinstance(told, dict) else {}
    wanted = told.get("sha256") if isinstance(told.get("sha256"), dict) else {}
    named = str(told.get("name") or "")
    if name:
        if not named and not wanted and CONFIG in adapter.files:
            folder = adapter.files[CONFIG].parent
            named = of_config(adapter.config, folder, Path.cwd())
        if named and named != name:
            return (
                f"{what} belongs to another base model: it was trained on {named}, but this base "
                f"model is {name}."
            )
    # A directory that is made of a registered model may have been written anew.
    if not wanted or (run and run == told.get("run")):
        return ""
    found = hashes()
    if not found or sorted(found.values()) == sorted(map(str, wanted.values())):
        return ""
    other = sorted(one for one in {*found, *wanted} if found.get(one) != wanted.get(one))
    return (
        f"{what} belongs to another base model: the hashes of {shown(other)} differ from those of "
        f"the weights that it was trained on (see {MANIFEST} in its folder)."
    )


def base_files(folder: Path) -> list[Path]:
    """The files of a base model's weights that a manifest has the hashes of."""
    return sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))


def hashes_of(files: list[Path]) -> dict[str, str]:
    """SHA-256 of each file, by its name."""
    found = {}
    for path in files:
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


# -------------------------------------------------------------------------- where they fit


def misfits_in(folder: Path, base: Path) -> Misfits:
    """The same of an adapter and a base model in directories; nothing where either cannot be read,
    or the base is quantised, by which its weights have other shapes."""
    config, weights = read(base / "config.json"), weight_files.of_folder(base)
    if weights.faults or config.get("quantization_config"):
        return Misfits()
    return misfits(of_folder(folder), weights.shapes)


def misfits(adapter: AdapterFiles, shapes: Shapes) -> Misfits:
    """Compares a LoRA adapter with the parameters of a base model, by names and shapes in headers.

    Returns no differences for other kinds of adapters, and for models whose modules get other
    names when they are loaded."""
    base = BaseModules(shapes)
    found = Misfits()
    known = shapes and adapter.shapes and base.is_whole
    if not known or adapter.config.get("peft_type") != LORA:
        return found
    there = set()
    for key, shape in adapter.shapes.items():
        module, part = _split(key)
        if not part:
            continue
        there.add(module)
        if module not in base.modules:
            found.placeless.append(key)
        elif (other := _other_half(key, part)) not in adapter.shapes:
            found.lacking.append(other)
        elif not _fits(part, shape, adapter.shapes, key, base.weights.get(module, ())):
            found.misshapen[key] = shape
    for module in _wanted(adapter.config, base):
        if module not in there and base.is_linear(module):
            found.lacking += [f"{_PREFIX}{module}{part}" for part in _MATRICES]
    found.placeless.sort()
    return found


def _split(key: str) -> tuple[str, str]:
    """The module of a weight of LoRA, and which of its two matrices it is; empty for others."""
    for part in _MATRICES:
        if key.startswith(_PREFIX) and key.endswith(part):
            return key[len(_PREFIX) : -len(part)], part
    return "", ""


def _other_half(key: str, part: str) -> str:
    """The name of the matrix that belongs to one of LoRA's two."""
    return key.removesuffix(part) + _MATRICES[part == _MATRICES[0]]


def _fits(
    part: str, shape: tuple[int, ...], shapes: Shapes, key: str, weight: tuple[int, ...]
) -> bool:
    if len(shape) != 2 or len(weight) != 2:
        return True
    other = shapes[_other_half(key, part)]
    into, out = (shape[1], other[0]) if part == _MATRICES[0] else (other[1], shape[0])
    # Some models keep a layer's weights the other way round.
    if (out, into) in (weight, weight[::-1]):
        return True
    return (into if part == _MATRICES[0] else out) == weight[part == _MATRICES[0]]


def _wanted(config: Mapping[str, Any], base: BaseModules) -> list[str]:
    targets = config.get("target_modules")
    if not targets or config.get("layer_replication") or conflicts(config):
        return []
    return targeted(config, base)
