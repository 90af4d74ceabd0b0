"""The weights of a model, by their shapes: from the headers of its files, or from its config."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ft.adapters import weight_files
from ft.adapters.weight_files import Shapes
from services.inspection.settings import number

__all__ = ["Shapes", "count", "dimensions", "linear", "of_config", "of_files"]

_OUTSIDE = ("lm_head", "embed", "wte", "wpe")
"""Parts of the names of weights outside of a model's layers."""


def of_files(files: Mapping[str, Path]) -> Shapes:
    """The shapes in the headers of safetensors files; none if there are none or one is broken."""
    found = weight_files.of_files(files)
    return {} if found.faults else found.shapes


def of_config(config: dict[str, Any]) -> Shapes:
    """The shapes that a decoder with such a config has; none if it does not say how large it is."""
    hidden, layers, vocabulary = dimensions(config)
    if not (hidden and layers and vocabulary):
        return {}
    heads = number(config, "num_attention_heads", number(config, "n_head", 1))
    head = number(config, "head_dim", hidden // heads or 1)
    keys = number(config, "num_key_value_heads", heads) * head
    inner = number(config, "intermediate_size", number(config, "n_inner", 4 * hidden))
    shapes: Shapes = {"model.embed_tokens.weight": (vocabulary, hidden)}
    if not config.get("tie_word_embeddings", True):
        shapes["lm_head.weight"] = (vocabulary, hidden)
    for layer in range(min(layers, 1000)):
        at = f"model.layers.{layer}"
        shapes |= {
            f"{at}.self_attn.q_proj.weight": (heads * head, hidden),
            f"{at}.self_attn.k_proj.weight": (keys, hidden),
            f"{at}.self_attn.v_proj.weight": (keys, hidden),
            f"{at}.self_attn.o_proj.weight": (hidden, heads * head),
            f"{at}.mlp.gate_proj.weight": (inner, hidden),
            f"{at}.mlp.up_proj.weight": (inner, hidden),
            f"{at}.mlp.down_proj.weight": (hidden, inner),
        }
    return shapes


def dimensions(config: dict[str, Any]) -> tuple[int, int, int]:
    """Hidden size, layers and size of the vocabulary; 0 where the config does not say."""
    return (
        number(config, "hidden_size", number(config, "n_embd", 0)),
        number(config, "num_hidden_layers", number(config, "n_layer", 0)),
        number(config, "vocab_size", 0),
    )


def count(shapes: Shapes) -> int:
    """Parameters in all."""
    return sum(math.prod(shape) for shape in shapes.values())


def linear(shapes: Shapes) -> Shapes:
    """The linear weights of a model's layers, by the names of their modules."""
    return {
        name.removesuffix(".weight"): shape
        for name, shape in shapes.items()
        if name.endswith(".weight")
        and len(shape) == 2
        and not any(part in name for part in _OUTSIDE)
    }
