"""Checks that the weights of a base model are those that its config.json describes, by their names
and shapes."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chassis.rpc.findings import ERROR, WARNING, Findings
from ft.adapters import weight_files
from ft.adapters.weight_files import Shapes, shown
from services.inspection import rules
from services.inspection.model import weights
from services.inspection.settings import number

FIELD = "base_model_id"
_ALIKE = (
    "LlamaForCausalLM",
    "MistralForCausalLM",
    "Qwen2ForCausalLM",
    "Qwen3ForCausalLM",
)
"""Architectures whose weights have the names of `weights.of_config`."""
_EMBEDDINGS = {
    "bloom": "word_embeddings.weight",
    "falcon": "word_embeddings.weight",
    "gpt2": "wte.weight",
    "gpt_neo": "wte.weight",
    "gpt_neox": "embed_in.weight",
    **dict.fromkeys(
        ("gemma", "gemma2", "llama", "mistral", "opt", "phi", "phi3", "qwen2", "qwen3"),
        "embed_tokens.weight",
    ),
}
"""End of the name of the embedding, by model_type."""
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|layer|blocks)\.(\d+)\.")


def check(
    files: Mapping[str, Path] | None,
    config: Mapping[str, Any],
    on_hub: Shapes,
    findings: Findings,
) -> None:
    """Refuses files that no job could load, and weights that are missing or of another shape.

    `files` are those of a directory; None for a model of the hub, whose shapes are `on_hub`. A
    model without a config.json is not checked here.
    """
    if not config:
        return
    shapes = on_hub
    if files is not None:
        found = weight_files.of_files(files)
        for fault in found.faults:
            findings.add(ERROR, FIELD, rules.WEIGHTS, fault)
        shapes = {} if found.faults else found.shapes
    # Quantised weights have other names and shapes.
    if not shapes or config.get("quantization_config"):
        return
    for fault in _faults(config, shapes):
        description = f"{fault}; the job refuses such files, because it would use random numbers"
        findings.add(ERROR, FIELD, rules.WEIGHTS, description)
    wanted = weights.dimensions(dict(config))[1]
    if wanted and (spare := _layers(shapes) - wanted) > 0:
        description = f"the files have {spare} layers more than config.json says: they are not used"
        findings.add(WARNING, FIELD, rules.WEIGHTS, description)


def embedding_rows(config: Mapping[str, Any], shapes: Shapes) -> int:
    """Rows of the embedding; 0 if they are not known."""
    found = _embedding(config, shapes)
    return shapes[found][0] if found else number(dict(config), "vocab_size", 0)


def _faults(config: Mapping[str, Any], shapes: Shapes) -> Iterator[str]:
    """Clauses about weights that are missing or of another shape."""
    kind = (config.get("architectures") or [""])[0]
    if kind in _ALIKE:
        yield from _faults_by_name(kind, dict(config), shapes)
        return
    embedding = _embedding(config, shapes)
    wanted = _EMBEDDINGS.get(str(config.get("model_type")))
    if wanted and not embedding:
        yield f"the files have no weight {wanted}, which a model of type {config['model_type']} has"
        return
    hidden, layers, vocabulary = weights.dimensions(dict(config))
    known = hidden and vocabulary and config.get("model_type") != "opt"
    if embedding and known and shapes[embedding] != (vocabulary, hidden):
        found, says = _shape(shapes[embedding]), _shape((vocabulary, hidden))
        yield f"{embedding} has the shape {found}, but config.json describes {says}"
    if layers and 0 < _layers(shapes) < layers:
        yield f"the files have only {_layers(shapes)} of the {layers} layers in config.json"


def _faults_by_name(kind: str, config: dict[str, Any], shapes: Shapes) -> Iterator[str]:
    """The same for an architecture among `_ALIKE`, all of whose weights are known."""
    # Where the config does not say, it depends on the library.
    tied = config.get("tie_word_embeddings") is not False
    expected = weights.of_config({**config, "tie_word_embeddings": tied})
    hidden, layers, _ = weights.dimensions(config)
    if expected:
        expected["norm.weight"] = (hidden,)
        for layer in range(layers):
            for name in ("input_layernorm", "post_attention_layernorm"):
                expected[f"layers.{layer}.{name}.weight"] = (hidden,)
    expected = {_plain(name): shape for name, shape in expected.items()}
    own = {_plain(name): shape for name, shape in shapes.items()}
    if missing := sorted(name for name in expected if name not in own):
        yield f"{len(missing)} weights of {kind} are not in the files: {shown(missing)}"
    other = [
        f"{name} ({_shape(own[name])} in place of {_shape(shape)})"
        for name, shape in sorted(expected.items())
        if name in own and own[name] != shape
    ]
    if other:
        yield f"{len(other)} weights have another shape than config.json says: {shown(other)}"


def _embedding(config: Mapping[str, Any], shapes: Shapes) -> str:
    """The name of the embedding's weight; empty if there is none, or several."""
    wanted = _EMBEDDINGS.get(str(config.get("model_type")))
    ends = (wanted,) if wanted else tuple(set(_EMBEDDINGS.values()))
    found = [name for name, shape in shapes.items() if name.endswith(ends) and len(shape) == 2]
    return found[0] if len(found) == 1 else ""


def _layers(shapes: Shapes) -> int:
    found = [int(match[1]) for name in shapes if (match := _LAYER.search(name))]
    return max(found, default=-1) + 1


def _plain(name: str) -> str:
    return name.removeprefix("model.")


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
