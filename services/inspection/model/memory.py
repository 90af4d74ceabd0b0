"""Estimate of the memory that a worker needs, part by part."""

import math
import re
from typing import Any

from ft.proto.fine_tuning_studio_jobs_pb2 import MemoryEstimate
from services.inspection.model import weights
from services.inspection.model.weights import Shapes
from services.inspection.settings import JobSettings, number

GIB = 1024**3
EXACT, HALF = 4, 2
"""Bytes of a value on a CPU, and of one on a GPU, see `trainer.model.loading.weight_type`."""
SCALE_BITS = 0.5
"""Bits of each quantised weight for scales: a scale of 32 bits is kept for 64 weights."""
RUNTIME_GIB = 0.54
"""Memory of Python and the libraries on a CPU, whatever the model.

Measured: the trainer's peak resident memory with the starter model (1 M parameters) is 561 MiB for
one row at a time, 941 MiB for 64 rows of about 45 tokens and 692 MiB for 64 rows of 16 tokens; on
the line through these, no tokens leave 555 MiB.
"""
LAYER_VALUES = 61
"""Values of the hidden size that training keeps for each token and layer: the slope of that line,
0.13 MiB a token with 4 layers of 128 values in 4 bytes, less the logits."""
RANK = 8
"""Rank of an adapter whose config does not say: the default of LoraConfig."""


class Estimate:
    """The parts of an estimate, each with a line that explains it."""

    def __init__(self) -> None:
        self.gib = 0.0
        self.reasoning: list[str] = []

    def add(self, name: str, size: float, how: str) -> None:
        """Adds a part of `size` bytes."""
        self.gib += size / GIB
        self.reasoning.append(f"{name}: {size / GIB:.2f} GiB ({how})")


def estimate(
    settings: JobSettings, shapes: Shapes, config: dict[str, Any], row_tokens: int
) -> MemoryEstimate:
    """Estimates the memory of one worker whose rows have up to `row_tokens` tokens."""
    found, gpu = Estimate(), settings.request.gpu > 0
    whole, bits = weights.count(shapes), settings.quantised_bits
    if bits:
        linear = weights.count(weights.linear(shapes))
        size = linear * (bits + SCALE_BITS) / 8 + (whole - linear) * HALF
        how = f"{linear:,} parameters of {bits} bits with scales, {whole - linear:,} of 2 bytes"
    else:
        each = HALF if gpu else EXACT
        size, how = whole * each, f"{whole:,} parameters of {each} bytes"
    found.add("base weights", size, how)
    if settings.tuning:
        rank = number(settings.lora, "r", RANK)
        modules = targets(settings.lora, shapes)
        size = sum(rank * sum(shape) for shape in modules.values())
        how = f"{size:,} parameters: rank {rank} on {len(modules)} linear layers"
        found.add("adapter", 4 * size, f"{how}, 4 bytes each")
        found.add("gradients", 4 * size, "4 bytes for each parameter of the adapter")
        found.add("optimiser", 8 * size, "AdamW keeps 2 values of 4 bytes for each of them")
    _add_batch(found, settings, config, row_tokens)
    if gpu:
        found.reasoning.append("this is GPU memory, without what the GPU's libraries need")
    else:
        found.add("runtime", RUNTIME_GIB * GIB, "Python and the libraries, measured")
    asked = float(settings.request.memory_gib)
    return MemoryEstimate(gib=found.gib, asked_gib=asked, reasoning=found.reasoning, on_gpu=gpu)


def targets(lora: dict[str, Any], shapes: Shapes) -> Shapes:
    """The linear weights that an adapter lies on; all of them where its config names none."""
    wanted, every = lora.get("target_modules"), weights.linear(shapes)
    if isinstance(wanted, list) and wanted:
        names = tuple(f".{one}" for one in wanted)
        return {name: shape for name, shape in every.items() if f".{name}".endswith(names)}
    if isinstance(wanted, str) and wanted not in ("", "all-linear"):
        try:
            return {name: shape for name, shape in every.items() if re.fullmatch(wanted, name)}
        except re.error:
            return {}
    return every


def _add_batch(
    found: Estimate, settings: JobSettings, config: dict[str, Any], row_tokens: int
) -> None:
    """Adds the values that a worker keeps for the rows that it processes at a time."""
    hidden, layers, vocabulary = weights.dimensions(config)
    rows, size = settings.batch_rows, HALF if settings.request.gpu else EXACT
    if settings.tuning:
        # On a GPU only the input of a layer is kept, and its values are computed again.
        checkpoints = settings.training.get("gradient_checkpointing", bool(settings.request.gpu))
        kept = layers + LAYER_VALUES if checkpoints else layers * LAYER_VALUES
        tokens, batch = rows * row_tokens, f"{rows} rows of {row_tokens} tokens"
        how = f"{batch}, {kept} times {hidden} values of {size} bytes each"
        found.add("activations", tokens * hidden * kept * size, how)
        how = f"{batch}, {vocabulary} values of 4 bytes, twice"
        found.add("logits", tokens * vocabulary * 4 * 2, how)
        return
    heads = number(config, "num_attention_heads", number(config, "n_head", 1))
    head = number(config, "head_dim", math.ceil(hidden / heads))
    width = number(config, "num_key_value_heads", heads) * head
    length = row_tokens + settings.new_tokens
    batch = f"{rows} rows of {length} tokens"
    how = f"{batch}, keys and values of {width} in {layers} layers, {size} bytes each"
    found.add("activations", rows * length * 2 * width * layers * size, how)
    how = f"{rows} rows, {vocabulary} values of 4 bytes, twice"
    found.add("logits", rows * vocabulary * 4 * 2, how)
