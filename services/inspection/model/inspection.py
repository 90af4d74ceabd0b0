"""The inspection of a job's model: its weights, adapters, tokenizer and settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.rpc.findings import ERROR, NOTICE, Findings
from ft.adapters.weight_files import Shapes, shown
from ft.enums import ModelType
from ft.proto.inspection_pb2 import InspectionWork
from rows.errors import TokenError
from services.inspection import rules
from services.inspection.model import adapter_weights, adapters, base_model, weights
from services.inspection.model.adapter_weights import BaseFacts
from services.inspection.model.tokenizer import ModelTokenizer, NotCountableError, read_json
from services.inspection.settings import JobSettings


@dataclass(frozen=True)
class InspectedModel:
    """The model of a job, as far as its files describe it."""

    config: dict[str, Any]
    """Content of its config.json; empty if there is none."""
    shapes: Shapes
    """Shapes of its weights, by the headers of its files; empty if they are not known."""
    tokenizer: ModelTokenizer | None
    """None if tokens cannot be counted."""
    pad_token: str
    """Token with which the trainer pads rows; empty if it is not known."""


def inspect_model(work: InspectionWork, findings: Findings) -> InspectedModel:
    """Checks the files of the base model and of adapters."""
    model = work.request.model
    files = {name: Path(path) for name, path in work.model_files.items()}
    config_file = files.get("config.json")
    config = read_json(config_file) if config_file else {}
    on_hub: Shapes = {one.name: tuple(one.shape) for one in work.weights}
    local = model.type == ModelType.PROJECT
    base_model.check(files if local else None, config, on_hub, findings)
    shapes = on_hub or weights.of_files(files)
    facts = BaseFacts(model, files, config, shapes)
    for source in work.adapters:
        adapter_weights.check(source, facts, findings)
    embedded = base_model.embedding_rows(config, shapes)
    try:
        tokenizer = ModelTokenizer(files, config, embedded)
    except NotCountableError as error:
        description = f"tokens were not counted: {error}"
        findings.add(NOTICE, "base_model_id", rules.COUNTABLE, description)
        return InspectedModel(config, shapes, None, "")
    special, others = tokenizer.unembedded()
    if special:
        description = (
            f"the embedding of the base model has {embedded:,} rows, too few for these tokens, "
            f"which the tokenizer adds or which are special: {shown(special)}"
        )
        findings.add(ERROR, "base_model_id", rules.EMBEDDED, description)
    elif others:
        description = (
            f"{len(others)} tokens of the tokenizer have no row in the embedding of the base "
            f"model, which has {embedded:,}: {shown(others)}; a text with one of them is refused"
        )
        findings.add(NOTICE, "base_model_id", rules.EMBEDDED, description)
    pad_token = ""
    try:
        pad_token = tokenizer.pad_token()
    except TokenError as error:
        findings.add(ERROR, "base_model_id", rules.PAD_TOKEN, str(error))
    if pad_token and pad_token == tokenizer.end_of_text:
        description = (
            f"the tokenizer has no pad token, so rows are padded with {pad_token!r}, its "
            "end-of-text token; attention and loss ignore the padding, but not the end of each "
            "text"
        )
        findings.add(NOTICE, "base_model_id", rules.PAD_TOKEN, description)
    return InspectedModel(config, shapes, tokenizer, pad_token)


def check_settings(settings: JobSettings, model: InspectedModel, findings: Findings) -> None:
    """Checks that the modules and tokens that settings name exist in the base model."""
    if not settings.tuning:
        *_, vocabulary = weights.dimensions(model.config)
        adapters.check_tokens(settings.generation, vocabulary, findings)
        return
    adapters.check_experts(settings.training, model.config, findings)
    if model.shapes:
        adapters.check_adapter(settings.lora, model.shapes, findings)
