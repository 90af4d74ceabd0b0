"""Settings of a job that an inspection needs."""

from typing import Any

from chassis.rpc import json_objects
from ft.configs import training
from ft.proto.inspection_pb2 import InspectJobRequest

MAX_LENGTH = 1024
"""Tokens of a row where the training settings do not say: the default of SFTConfig."""
TEMPLATE_PATH = "chat_template_path"
"""The setting that names another chat template than the model's."""
NEW_TOKENS = 20
"""Tokens that are generated where the settings do not say: the default of GenerationConfig."""
MOST = 2**53
"""Limit of whole numbers; larger values are not used."""


class JobSettings:
    """The settings of a request. A malformed setting counts as not given: it is reported with the
    request."""

    def __init__(self, request: InspectJobRequest) -> None:
        self.request = request
        self.training = training.with_current_names(_object(request.training_arguments_json))
        self.lora = _object(request.lora_config_json)
        self.generation = _object(request.generation_config_json)
        self.quantisation = _object(request.bnb_config_json)

    @property
    def tuning(self) -> bool:
        """True if the job trains, False if it evaluates."""
        return self.request.kind == "fine_tuning"

    @property
    def template(self) -> str:
        """The template that makes the model's input of a row."""
        prompt = self.request.prompt
        return prompt.prompt_template if self.tuning else prompt.input_template

    @property
    def template_name(self) -> str:
        """The name of `template` in a prompt."""
        return "prompt_template" if self.tuning else "input_template"

    @property
    def new_tokens(self) -> int:
        """Tokens that an evaluation lets the model write."""
        return number(self.generation, "max_new_tokens", NEW_TOKENS)

    def context(self, model: dict[str, Any]) -> int:
        """Most tokens that a row may have by settings and the model's config; 0 for any number."""
        longest = number(model, "max_position_embeddings", number(model, "n_positions", 0))
        if not self.tuning:
            return max(longest - self.new_tokens, 1) if longest else 0
        unlimited = "max_length" in self.training and self.training["max_length"] is None
        wanted = 0 if unlimited else number(self.training, "max_length", MAX_LENGTH)
        return min(wanted, longest) if wanted and longest else wanted or longest

    @property
    def batch_rows(self) -> int:
        """Rows that a worker holds at a time."""
        return number(self.training, "per_device_train_batch_size", 8) if self.tuning else 16

    @property
    def quantised_bits(self) -> int:
        """Bits of a base weight that is quantised, which only a GPU can do; 0 if none is."""
        if not self.request.gpu:
            return 0
        if self.quantisation.get("load_in_4bit"):
            return 4
        return 8 if self.quantisation.get("load_in_8bit") else 0


def number(settings: dict[str, Any], name: str, default: int) -> int:
    """A whole number above 0; the default where there is none."""
    value = settings.get(name)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value < MOST
    return int(value) if usable and value is not None else default


def _object(text: str) -> dict[str, Any]:
    try:
        return json_objects.parse(text) if text.strip() else {}
    except json_objects.JsonFault:
        return {}
