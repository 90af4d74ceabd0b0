"""Comparison of an exported model with the adapter: both must write exactly the same.

`trainer.serving.trained_answers` compares an adapter with the model that was trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ft.api import AdapterMetadata, GetDatasetRequest, GetPromptRequest, PromptMetadata
from ft.client import NotFoundError
from rows import reading
from rows.chat.conversations import roles_of
from rows.errors import RowsError
from trainer.data import chat, questions
from trainer.data.questions import ModelInput
from trainer.errors import ModelError
from trainer.job.studio import Studio
from trainer.model import hub, manifest
from trainer.model.generation import continue_texts
from trainer.model.hardware import Notify
from trainer.model.loading import adapter_source
from trainer.schemas import settings

ROWS = 8
MAX_NEW_TOKENS = 32
"""Maximum tokens of a continuation that are compared."""
GENERAL = ("Hello", "Once upon a time", "The answer is", "1 2 3 4")
"""Prompts for an adapter whose prompt is not known."""


@dataclass(frozen=True)
class Parity:
    """Sample prompts, and the adapter's own greedy answers to them."""

    prompts: Sequence[ModelInput]
    generation_config: dict[str, Any]
    expected: list[str]

    @classmethod
    def of(
        cls,
        model: Any,
        tokenizer: Any,
        generation_config: dict[str, Any],
        prompts: Sequence[ModelInput],
    ) -> "Parity":
        """Records the model's answers to those of the prompts that fit it; `generation_config` is
        that of the export.

        Raises ModelError for conversations without a chat template, DataError if the template
        refuses all.
        """
        tokens = min(generation_config.get("max_new_tokens") or MAX_NEW_TOKENS, MAX_NEW_TOKENS)
        talks = questions.are_chat(prompts)
        if talks:
            chat.require_template(tokenizer)
        prompts = questions.that_fit(prompts, model, tokenizer, tokens) or prompts
        ends = chat.end_settings(model, tokenizer, answers=talks)
        greedy = {**ends, **generation_config, "do_sample": False, "max_new_tokens": tokens}
        return cls(prompts, greedy, _written(model, tokenizer, greedy, prompts))

    @property
    def chat(self) -> bool:
        """True if the prompts are conversations."""
        return questions.are_chat(self.prompts)

    def require_model(self, model: Any, tokenizer: Any) -> None:
        """Raises ModelError unless that model writes the same."""
        self.require(_written(model, tokenizer, self.generation_config, self.prompts))

    def require(self, written: Sequence[str]) -> None:
        """Raises ModelError, naming the first prompt with another answer."""
        if len(written) != len(self.prompts):
            raise ModelError(
                f"The exported model answers {len(self.prompts)} prompts with {len(written)} texts."
            )
        for prompt, expected, text in zip(self.prompts, self.expected, written, strict=True):
            if text != expected:
                raise ModelError(
                    "The exported model does not write what the adapter writes: "
                    f"after {prompt!r} it writes {text!r}, not {expected!r}."
                )


def prompt_of(studio: Studio, adapter: AdapterMetadata) -> PromptMetadata | None:
    """The prompt that the adapter was trained with; None if it is no longer known."""
    if not adapter.prompt_id:
        return None
    try:
        return studio.GetPrompt(GetPromptRequest(id=adapter.prompt_id)).prompt
    except NotFoundError:
        return None


def sample_prompts(
    studio: Studio,
    prompt: PromptMetadata | None,
    project: Path,
    adapter: AdapterMetadata,
    notify: Notify,
) -> Sequence[ModelInput]:
    """The first rows of the prompt's dataset as inputs; general texts if they are not available.
    Reports if another version of the reader has read the adapter's rows."""
    if prompt is None:
        notify("The adapter's prompt is not known: the export is checked on general texts.")
        return list(GENERAL)
    try:
        dataset = studio.GetDataset(GetDatasetRequest(id=prompt.dataset_id)).dataset
        loaded = reading.read(dataset, project, hub.token())
        folder = Path(adapter_source(adapter, project))
        manifest.report_reader_change(folder, adapter.name, loaded.source, notify)
        rows, roles = next(iter(loaded.splits.values())), roles_of(dataset)
        return questions.samples(prompt, rows, ROWS, roles) or list(GENERAL)
    except (NotFoundError, RowsError, LookupError) as error:
        notify(
            f"The export is checked on general texts: the adapter's rows cannot be read ({error})."
        )
        return list(GENERAL)


def _written(
    model: Any, tokenizer: Any, generation_config: dict[str, Any], prompts: Sequence[ModelInput]
) -> list[str]:
    generation = settings.make_generation_config(generation_config, tokenizer)
    texts = [questions.written(prompt, tokenizer) for prompt in prompts]
    whole = questions.are_chat(prompts)
    found = continue_texts(model, tokenizer, generation, texts, whole=whole)
    return [continuation.text for continuation in found]
