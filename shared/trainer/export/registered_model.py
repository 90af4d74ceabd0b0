"""Code of a registered model: MLflow runs this file wherever the model is loaded.

It must not need the studio. Base model and adapter are logged with it, the latter with tokenizer
and generation settings, and so is the part of the studio's `rows` that reads messages. Number
types, batches and messages are those of the trainer, so that it writes the same as the trainer's
own model.
"""

import math
from itertools import takewhile
from typing import Any

import numpy
import pandas
import torch
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel
from peft import PeftModel, get_peft_model_state_dict, load_peft_weights
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from rows.chat import call_arguments, messages
from rows.errors import DataError

BATCH_ROWS = 16
_OF_SAMPLING = ("temperature", "top_p", "top_k")
"""Settings without effect if nothing is sampled; the library warns of them."""


class AdaptedModel(PythonModel):
    """Continues the texts of the column `prompt`, or answers the conversations of `messages`, which
    may call the tools of `tools`. Messages have the same forms as in training data.

    `params` are generation settings; for others the exported settings are used. Temperature 0 is
    greedy.
    """

    def load_context(self, context: Any) -> None:
        """Loads base model, adapter and tokenizer. Raises ValueError if weights are missing."""
        base, adapter = context.artifacts["base"], context.artifacts["adapter"]
        device, dtype = "cpu", torch.float32
        if torch.cuda.is_available():
            device = "cuda:0"
            dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        model, info = AutoModelForCausalLM.from_pretrained(
            base, dtype=dtype, device_map={"": device}, output_loading_info=True
        )
        _require(not info["missing_keys"], f"the base model lacks {info['missing_keys']}")
        self._model = PeftModel.from_pretrained(model, adapter).eval()
        wanted = set(get_peft_model_state_dict(self._model, save_embedding_layers=False))
        missing = sorted(wanted - set(load_peft_weights(adapter, device="cpu")))
        _require(not missing, f"the adapter lacks {missing}")
        self._tokenizer = AutoTokenizer.from_pretrained(adapter, padding_side="left")
        self._generation = GenerationConfig.from_pretrained(adapter)
        self._chat_ends = context.model_config["chat_ends"]
        self._roles = context.model_config["roles"]

    def predict(
        self, model_input: pandas.DataFrame, params: dict[str, Any] | None = None
    ) -> list[str]:
        """The continuations, in order, each without its prompt and without special tokens."""
        talks = "messages" in model_input
        for name in ("messages", "tools"):
            if name in model_input and "prompt" in model_input:
                raise ValueError(f"{name}: cannot be given together with a prompt")
        if not talks and "prompt" not in model_input:
            raise ValueError("prompt: give a prompt, or messages instead")
        wanted = {**self._generation.to_dict(), **(params or {})}
        if wanted.get("temperature") == 0:
            wanted["do_sample"] = False
        if not wanted.get("do_sample"):
            wanted = {name: value for name, value in wanted.items() if name not in _OF_SAMPLING}
        generation = GenerationConfig.from_dict(wanted)
        if talks:
            generation.eos_token_id = self._chat_ends
            conversations = model_input["messages"]
            none = [None] * len(conversations)
            tools = model_input.get("tools", none)
            pairs = zip(conversations, tools, strict=True)
            prompts = [
                self._asked(_plain(talk), _plain(of_talk), number)
                for number, (talk, of_talk) in enumerate(pairs, start=1)
            ]
        else:
            prompts = [str(text) for text in model_input["prompt"]]
        written: list[str] = []
        for start in range(0, len(prompts), BATCH_ROWS):
            batch = prompts[start : start + BATCH_ROWS]
            # The text of a chat template has every special token already.
            encoded = self._tokenizer(
                batch,
                return_tensors="pt",
                padding=True,
                return_token_type_ids=False,
                add_special_tokens=not talks,
            )
            written += self._continue(encoded, generation)
        return written

    def _asked(self, talk: Any, tools: Any, number: int) -> str:
        """The text that asks for an answer; `number` is the row's."""

        def write(fitting: list[messages.Message]) -> str:
            return str(
                self._tokenizer.apply_chat_template(
                    fitting, tools=known, tokenize=False, add_generation_prompt=True
                )
            )

        if not isinstance(talk, list) or not talk:
            raise ValueError(f"row {number}: messages: must be a list of objects")
        try:
            known = messages.tools(tools)
            made = messages.of(talk, self._roles, called=True)
        except DataError as error:
            raise ValueError(f"row {number}: messages: {error}") from error
        try:
            return call_arguments.fitted(messages.for_template(made), write)[1]
        except Exception as error:
            why = f"row {number}: messages: the chat template refuses them: {error}"
            raise ValueError(why) from error

    @torch.inference_mode()
    def _continue(self, encoded: Any, generation: GenerationConfig) -> list[str]:
        encoded = encoded.to(self._model.device)
        output = self._model.generate(**encoded, generation_config=generation)
        written = output[:, encoded["input_ids"].shape[1] :].tolist()
        end = generation.eos_token_id
        ends = end if isinstance(end, list) else [end]
        said = [list(takewhile(lambda token: token not in ends, one)) for one in written]
        texts: list[str] = self._tokenizer.batch_decode(
            said, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return texts


def _plain(value: Any) -> Any:
    """A cell as JSON has it: in a frame that was read from Parquet, lists are arrays."""
    if isinstance(value, numpy.ndarray):
        value = value.tolist()
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _require(holds: bool, fault: str) -> None:
    if not holds:
        raise ValueError(f"{fault[:500]}: the library would put random numbers in their place")


set_model(AdaptedModel())
