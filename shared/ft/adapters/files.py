"""Checks the files of an adapter: complete, finite, and made for the base model.

Needs no library, so that Validate and the job report the same faults in the same words.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ft.adapters import weight_files
from ft.adapters.base import CONFIG, of_config, read
from ft.adapters.weight_files import FileFault, Shapes, shown
from ft.configs.lora import conflicts
from ft.configs.targets import BaseModules, targeted
from ft.job_protocol.files import MANIFEST_FILE

WEIGHTS, PICKLE = "adapter_model.safetensors", "adapter_model.bin"
NAMES = (CONFIG, MANIFEST_FILE, WEIGHTS, PICKLE)
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
        return read(self.files[MANIFEST_FILE]) if MANIFEST_FILE in self.files else {}

    def not_finite(self) -> list[str]:
        """Names of weights that contain a number that is not finite, if a file of them is there."""
        if self.faults or WEIGHTS not in self.files:
            return []
        return weight_files.not_finite(self.files[WEIGHTS])


def of_folder(folder: Path) -> AdapterFiles:
    """The adapter in a directory."""
    return of_files({name: folder / name for name in NAMES if (folder / name).is_file()})


def of_files(files: Mapping[str, Path], known: Shapes | None = None) -> AdapterFiles:
    """The adapter of these files. `known` has the shapes of weights whose file is elsewhere."""
    found = AdapterFiles(files, shapes=known or {})
    if CONFIG not in files:
        found.faults.append(f"there is no {CONFIG}")
    else:
        found.config = read(files[CONFIG])
        if not found.config.get("peft_type"):
            found.faults.append(f"{CONFIG} cannot be read or has no peft_type")
    name = next((one for one in (WEIGHTS, PICKLE) if one in files), "")
    if not name and not known:
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
    """The first fault of an adapter for a base model, in a sentence; empty if none is found.

    The base model is described by its name on the hub, the hashes of its files and the shapes of
    its weights; each is empty if it is not known. Weights are checked for numbers that are not
    finite if their file has at most `most_bytes`.
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
    return incompatible_weights(adapter, base_shapes).sentence(what)


# ------------------------------------------------------------------------------ what is said


def not_loadable(what: str, faults: list[str]) -> str:
    """A sentence about files that are incomplete."""
    return f"{what} cannot be loaded: {'; '.join(faults)}."


def not_finite(what: str, names: list[str], remedy: str) -> str:
    """A sentence about numbers that are not finite."""
    number = "weight has" if len(names) == 1 else f"{len(names)} weights have"
    return f"{what}: {number} numbers that are not finite (nan or inf): {shown(names)}. {remedy}"


@dataclass
class IncompatibleWeights:
    """Weights by which an adapter differs from what its base model needs."""

    missing: list[str] = field(default_factory=list)
    """Weights that the adapter should have."""
    unexpected: list[str] = field(default_factory=list)
    """Weights of the adapter that have no place in the model."""
    mismatched: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Weights of the adapter that are too large or too small, with their shapes."""

    def sentence(self, what: str) -> str:
        """A sentence that names all of them; empty if there is none."""
        wrong = []
        if self.unexpected:
            number = len(self.unexpected)
            wrong.append(
                f"{number} of its weights do not exist in the model: {shown(self.unexpected)}"
            )
        if self.missing:
            wrong.append(f"it lacks {len(self.missing)} weights: {shown(self.missing)}")
        if self.mismatched:
            named = [
                f"{name} ({'x'.join(map(str, shape))})" for name, shape in self.mismatched.items()
            ]
            wrong.append(f"{len(named)} of its weights have another shape: {shown(named)}")
        if not wrong:
            return ""
        return (
            f"{what} does not fit the base model: {'; '.join(wrong)}. Use the base model that it "
            "was trained on."
        )


def other_kind(what: str, config: Mapping[str, Any]) -> str:
    """A sentence about an adapter for another task than writing text; empty for the right task."""
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
    """A sentence about an adapter whose files name another base model, or hashes of other weights.

    Empty if they name neither; a path does not count. `name` is the base model's name on the hub.
    `hashes` returns the SHA-256 of each file of its weights, empty if they are not known. `run` is
    the MLflow run in which the base model was logged.
    """
    recorded = adapter.manifest.get("base_model")
    recorded = recorded if isinstance(recorded, dict) else {}
    wanted = recorded.get("sha256") if isinstance(recorded.get("sha256"), dict) else {}
    named = str(recorded.get("name") or "")
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
    if not wanted or (run and run == recorded.get("run")):
        return ""
    found = hashes()
    if not found or sorted(found.values()) == sorted(map(str, wanted.values())):
        return ""
    other = sorted(one for one in {*found, *wanted} if found.get(one) != wanted.get(one))
    return (
        f"{what} belongs to another base model: the hashes of {shown(other)} differ from those of "
        f"the weights that it was trained on (see {MANIFEST_FILE} in its folder)."
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


def incompatible_weights_in(folder: Path, base: Path) -> IncompatibleWeights:
    """Compares an adapter with a base model, both in directories.

    Returns no differences if one of them cannot be read, or if the base is quantised, because its
    weights then have other shapes.
    """
    config, weights = read(base / "config.json"), weight_files.of_folder(base)
    if weights.faults or config.get("quantization_config"):
        return IncompatibleWeights()
    return incompatible_weights(of_folder(folder), weights.shapes)


def incompatible_weights(adapter: AdapterFiles, shapes: Shapes) -> IncompatibleWeights:
    """Compares a LoRA adapter with the parameters of a base model, by names and shapes in headers.

    Returns no differences for other kinds of adapters, and for models whose modules get other
    names when they are loaded.
    """
    base = BaseModules(shapes)
    found = IncompatibleWeights()
    known = shapes and adapter.shapes and base.is_whole
    if not known or adapter.config.get("peft_type") != LORA:
        return found
    adapted = set()
    for key, shape in adapter.shapes.items():
        part = next((one for one in _MATRICES if key.endswith(one)), "")
        if not part or not key.startswith(_PREFIX):
            continue
        module = key[len(_PREFIX) : -len(part)]
        adapted.add(module)
        is_first = part == _MATRICES[0]
        other = key.removesuffix(part) + _MATRICES[is_first]
        if module not in base.modules:
            found.unexpected.append(key)
        elif other not in adapter.shapes:
            found.missing.append(other)
        else:
            first, second = (key, other) if is_first else (other, key)
            weight = base.weights.get(module, ())
            if not _fits(adapter.shapes[first], adapter.shapes[second], weight, is_first):
                found.mismatched[key] = shape
    config = adapter.config
    targets = config.get("target_modules") and not config.get("layer_replication")
    for module in targeted(config, base) if targets and not conflicts(config) else ():
        if module not in adapted and base.is_linear(module):
            found.missing += [f"{_PREFIX}{module}{part}" for part in _MATRICES]
    found.unexpected.sort()
    return found


def _fits(
    first: tuple[int, ...], second: tuple[int, ...], weight: tuple[int, ...], is_first: bool
) -> bool:
    """True if one of LoRA's two matrices fits a weight; `is_first` selects the one to judge."""
    if len(first if is_first else second) != 2 or len(weight) != 2:
        return True
    into, out = first[1], second[0]
    # Some models keep a layer's weights the other way round.
    if (out, into) in (weight, weight[::-1]):
        return True
    return (into if is_first else out) == weight[is_first]
