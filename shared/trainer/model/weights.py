"""Checks of weights in memory: values that are not finite, and changes by a training."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import torch

from ft.adapters import files
from trainer.errors import ModelError

Named = Iterable[tuple[str, torch.Tensor]]
_RANDOM = (".lora_A.", ".lora_embedding_B.")
"""Parts of the names of LoRA's matrices that start as random numbers. They have no effect while the
other matrix of the pair is zero."""
_ZERO = (".lora_B.", ".lora_embedding_A.")


def require_finite(named: Named, what: str, remedy: str) -> None:
    """Raises ModelError with the names of tensors that have a value which is not finite."""
    if wrong := [name for name, tensor in named if not is_finite(tensor)]:
        raise ModelError(files.not_finite(what, wrong, remedy))


@torch.no_grad()
def is_finite(tensor: torch.Tensor) -> bool:
    """Tells whether every value is finite. Integers are; of a quantised weight the scales count."""
    scales = getattr(tensor, "quant_state", None)
    if scales is not None:
        parts = (getattr(scales, "absmax", None), getattr(scales, "offset", None))
        return all(is_finite(part) for part in parts if isinstance(part, torch.Tensor))
    if not tensor.is_floating_point() or tensor.is_meta or not tensor.numel():
        return True
    if tensor.element_size() == 1:  # Few operations support 8-bit numbers.
        tensor = tensor.to(torch.float32)
    # Minimum and maximum need no extra memory, and are nan if any value is.
    low, high = torch.aminmax(tensor.detach())
    return bool(torch.isfinite(low) & torch.isfinite(high))


def trainable(model: Any) -> dict[str, torch.Tensor]:
    """The parameters that are trained, by name."""
    return {name: one for name, one in model.named_parameters() if one.requires_grad}


def digest(named: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of the weights that determine what an adapter does, to detect a change.

    LoRA's random matrices are left out: weight decay changes them in any case.
    """
    found = {name: one for name, one in named.items() if not any(part in name for part in _RANDOM)}
    total = hashlib.sha256()
    for name, tensor in sorted((found or named).items()):
        total.update(name.encode())
        content = tensor.detach().cpu().contiguous()
        total.update(content.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


@torch.no_grad()
def changes_nothing(named: Mapping[str, torch.Tensor]) -> bool:
    """Tells whether an adapter has no effect: it has LoRA matrices only, and one of each pair is
    zero."""
    zero = [one for name, one in named.items() if any(part in name for part in _ZERO)]
    others = [name for name in named if not any(part in name for part in (*_RANDOM, *_ZERO))]
    return bool(zero) and not others and not any(bool(one.any()) for one in zero)


@torch.inference_mode()
def outputs_unchanged(adapted: Any) -> bool:
    """Tells whether the model has the same logits with and without its adapter, for a few
    tokens."""
    tokens = min(_TOKENS, adapted.get_input_embeddings().weight.shape[0])
    ids = torch.arange(tokens, device=adapted.device).unsqueeze(0)
    adapted.eval()
    found = adapted(input_ids=ids).logits
    with adapted.disable_adapter():
        alone = adapted(input_ids=ids).logits
    return bool(torch.equal(found[:, -tokens:], alone))


_TOKENS = 16
