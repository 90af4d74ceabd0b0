"""Modules of a base model that an adapter's settings name, by the rules of PEFT.

A model is given as the shapes of its parameters by name, as the headers of its files have them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ft.configs.lora import ALL_LINEAR, as_list, is_pattern

__all__ = ["BaseModules", "faults", "targeted"]

Shapes = Mapping[str, tuple[int, ...]]
Config = Mapping[str, Any]
HEAD = "lm_head"
_EMBEDDINGS = ("embed", "wte", "wpe")
_SHOWN = 12
_EXPERTS = ".experts"


class BaseModules:
    """Modules of a base model, derived from the names of its parameters."""

    def __init__(self, shapes: Shapes) -> None:
        self.parameters = dict(shapes)
        self.is_tied = f"{HEAD}.weight" not in shapes
        self.weights = {
            name.removesuffix(".weight"): shape
            for name, shape in shapes.items()
            if name.endswith(".weight")
        }
        if any(name.startswith("model.") for name in shapes):
            # Where it has the embedding's weights it is in no file.
            head = next((s for n, s in self.weights.items() if _is_embedding(n)), (0, 0))
            self.weights.setdefault(HEAD, head)
        names: dict[str, None] = {}
        for parameter in [*shapes, f"{HEAD}.weight"]:
            parts = parameter.split(".")[:-1]
            names |= dict.fromkeys(".".join(parts[: at + 1]) for at in range(len(parts)))
        self.modules = [name for name in names if name != HEAD or HEAD in self.weights]

    @property
    def is_whole(self) -> bool:
        """Tells whether the modules have the names that they have when the model is loaded."""
        begins = all(
            name.startswith(("model.", "transformer.", "gpt_neox.", HEAD, "embed_out"))
            for name in self.parameters
        )
        return begins and not any(_EXPERTS in name for name in self.parameters)

    def is_linear(self, module: str) -> bool:
        """Tells whether an adapter can lie on the module."""
        return len(self.weights.get(module, ())) >= 2

    @property
    def linear(self) -> list[str]:
        """Modules that `all-linear` selects."""
        return [
            name
            for name, shape in self.weights.items()
            if len(shape) == 2 and not _is_embedding(name) and name != HEAD
        ]

    @property
    def kinds(self) -> str:
        """Names of linear layers to choose from."""
        found = dict.fromkeys(name.rpartition(".")[2] for name in self.linear)
        return ", ".join(list(found)[:_SHOWN])


def targeted(config: Config, base: BaseModules) -> list[str]:
    """Modules that get an adapter, in the order of the model."""
    is_named = _matcher(config, base)
    excluded = config.get("exclude_modules") or ()
    saved = [one for one in config.get("modules_to_save") or () if is_pattern(one)]

    def is_excluded(module: str) -> bool:
        if isinstance(excluded, str):
            if is_pattern(excluded) and re.fullmatch(excluded, module):
                return True
        elif _named(module, excluded):
            return True
        return any(re.match(rf"(^|.*\.){one}($|\..*)", module) for one in saved)

    return [one for one in base.modules if is_named(one) and not is_excluded(one)]


def faults(config: Config, base: BaseModules) -> list[str]:
    """Names in the settings that the base model does not have, a clause each.

    The settings must have no conflicts, see `ft.configs.lora`."""
    return [
        *_target_faults(config, base),
        *_exclusion_faults(config, base),
        *_layer_faults(config, base),
        *_token_faults(config, base),
        *_parameter_faults(config, base),
    ]


def _matcher(config: Config, base: BaseModules) -> Callable[[str], bool]:
    """A function that tells whether `target_modules` names a module."""
    targets = config.get("target_modules")
    if not targets:
        if config.get("target_parameters"):
            return lambda _: False
        targets = ALL_LINEAR
    if isinstance(targets, str):
        if targets.lower() == ALL_LINEAR:
            linear = set(base.linear)
            return lambda module: module in linear
        if not is_pattern(targets):
            return lambda _: False
        pattern = re.compile(targets)
        return lambda module: bool(pattern.fullmatch(module))
    layers = config.get("layers_to_transform")
    if layers is None:
        return lambda module: _named(module, targets)
    numbers = as_list(layers)
    return lambda module: (
        module in targets or (_named(module, targets) and _layer(module, config) in numbers)
    )


def _named(module: str, names: Sequence[str]) -> bool:
    return module in names or any(module.endswith(f".{one}") for one in names)


def _layer(module: str, config: Config) -> int | None:
    patterns = as_list(config.get("layers_pattern") or None)
    expressions = [rf"(?:^|.*?\.){one}\.(?P<idx>\d+)\." for one in patterns if is_pattern(one)]
    for expression in expressions or [r".*?\.[^.]*\.(?P<idx>\d+)\."]:
        if match := re.match(expression, module):
            return int(match["idx"])
    return None


def _target_faults(config: Config, base: BaseModules) -> Iterator[str]:
    targets = config.get("target_modules")
    found = targeted(config, base)
    for name in targets if isinstance(targets, list) else ():
        if not any(_named(one, [name]) for one in base.modules):
            yield (
                f"target_modules names {name}, which is not a module of the base model; its "
                f"linear layers are {base.kinds}"
            )
        elif not any(_named(one, [name]) for one in found):
            yield f"target_modules names {name}, but the other settings exclude all its modules"
    unfit = [one for one in found if not base.is_linear(one)]
    if unfit:
        yield (
            f"target_modules matches {unfit[0]}, which is not a linear layer; linear layers are "
            f"{base.kinds}"
        )
    if HEAD in found:
        yield f"target_modules matches {HEAD}, because the loss is computed directly from it"
    if found or config.get("target_parameters"):
        return
    if isinstance(targets, str) and targets.lower() != ALL_LINEAR:
        every = {name: None for name in base.modules if re.fullmatch(targets, name)}
        if not every:
            yield (
                f"target_modules {targets!r} matches no module of the base model from its first "
                f"to its last character; modules are such as {next(iter(base.linear), '')}"
            )
            return
    if not isinstance(targets, list) or any(_named(m, targets) for m in base.modules):
        yield "exclude_modules, modules_to_save and layers leave no module to train an adapter on"


def _exclusion_faults(config: Config, base: BaseModules) -> Iterator[str]:
    """Faults of `exclude_modules` and `modules_to_save`, whose modules get no adapter."""
    excluded = config.get("exclude_modules") or ()
    if isinstance(excluded, str):
        if not any(re.fullmatch(excluded, one) for one in base.modules):
            yield f"exclude_modules {excluded!r} matches no module of the base model"
        excluded = ()
    for name in excluded:
        if not any(_named(one, [name]) for one in base.modules):
            yield f"exclude_modules names {name}, which is not a module of the base model"
    parts = [one.rpartition(".") for one in base.modules]
    saved: list[str] = []
    for name in config.get("modules_to_save") or ():
        here = [one for one in base.modules if _named(one, [name])]
        other = next((o for o in base.modules if o.endswith(name) and not _named(o, [name])), "")
        if not here:
            yield f"modules_to_save names {name}, which is not a module of the base model"
        elif any(parent in here and part.isdigit() for parent, _, part in parts):
            yield (
                f"modules_to_save names {name}, which is a list of modules: name the modules in it"
            )
        elif other:
            yield (
                f"modules_to_save names {name}, but {other} also ends with it: write a longer name"
            )
        saved += here
    for one in saved:
        if any(one.startswith(f"{parent}.") for parent in saved):
            yield f"modules_to_save names {one} twice, by itself and as a part of another"
            return


def _layer_faults(config: Config, base: BaseModules) -> Iterator[str]:
    """Faults of `layers_to_transform`, `rank_pattern` and `alpha_pattern`."""
    layers, targets = config.get("layers_to_transform"), config.get("target_modules")
    if layers is not None and isinstance(targets, list):
        there = {_layer(one, config) for one in base.modules if _named(one, targets)}
        missing = [str(one) for one in as_list(layers) if one not in there]
        if missing:
            known = sorted(one for one in there if one is not None)
            has = f"has layers {known[0]} to {known[-1]}" if known else "has none by layers_pattern"
            yield f"layers_to_transform names {', '.join(missing)}; the base model {has}"
    found = targeted(config, base)
    for name in ("rank_pattern", "alpha_pattern"):
        for key in config.get(name) or ():
            if not any(re.match(rf"(.*\.)?({key})$", one) for one in found):
                yield f"{name} has {key!r}, which matches no module that gets an adapter"


def _token_faults(config: Config, base: BaseModules) -> Iterator[str]:
    tokens = config.get("trainable_token_indices")
    if not tokens:
        return
    if base.is_tied:
        yield (
            "trainable_token_indices cannot be trained on a model whose embedding and lm_head are "
            "the same weights; modules_to_save can name embed_tokens"
        )
        return
    given = tokens if isinstance(tokens, dict) else {"": tokens}
    if any(_named(HEAD, [name]) for name in given if name):
        yield (
            f"trainable_token_indices cannot name {HEAD}, because the loss is computed directly "
            "from it"
        )
        return
    for name, ids in given.items():
        here = [
            one
            for one in base.weights
            if (_is_embedding(one) or one == HEAD) and (not name or _named(one, [name]))
        ]
        if not here:
            yield (
                f"trainable_token_indices names {name}, which is not an embedding of the base model"
            )
            continue
        rows = base.weights[here[0]][0]
        beyond = [str(one) for one in ids if rows and one >= rows]
        if beyond:
            shown = ", ".join(beyond[:_SHOWN])
            yield f"trainable_token_indices has {shown}; the base model has tokens 0 to {rows - 1}"
        if any(one in targeted(config, base) for one in here):
            yield f"trainable_token_indices and target_modules both name {here[0]}"


def _parameter_faults(config: Config, base: BaseModules) -> Iterator[str]:
    found = set(targeted(config, base))
    for name in config.get("target_parameters") or ():
        here = [one for one in base.parameters if _named(one, [name])]
        if not here:
            yield f"target_parameters names {name}, which is not a parameter of the base model"
        elif any(len(base.parameters[one]) not in (2, 3) for one in here):
            yield f"target_parameters names {name}, which is not a matrix"
        elif any(one.rpartition(".")[0] in found for one in here):
            yield f"target_parameters names {name}, which also gets an adapter by target_modules"


def _is_embedding(name: str) -> bool:
    return any(part in name for part in _EMBEDDINGS)
