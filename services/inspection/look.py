"""One inspection, from start to end, in the process that is there for it."""

from pathlib import Path

from datasets import DatasetDict

from ft.proto.fine_tuning_studio_jobs_pb2 import DataSummary, MemoryEstimate
from ft.proto.inspection_pb2 import InspectionWork, InspectJobResponse
from rows import reading, templates
from rows.errors import DataError, EmptyError, TokenError
from services.inspection import adapters, data, fillings, memory, rules, weights
from services.inspection.findings import ERROR, NOTICE, WARNING, Findings
from services.inspection.settings import JobSettings
from services.inspection.steps import steps
from services.inspection.texts import Seen, Texts
from services.inspection.tokenizer import ModelTokenizer, NotCountableError, read_json

COUNTING_SHARE = 0.5
"""The share of a call's time that tokens may be counted for."""


class Look:
    """Looks into what a job would have."""

    def __init__(self, work: InspectionWork, hub_token: str | None) -> None:
        self._work = work
        self._token = hub_token
        self._settings = JobSettings(work.request)
        self._project = Path(work.project)
        self._files = {name: Path(path) for name, path in work.model_files.items()}
        config = self._files.get("config.json")
        self._model = read_json(config) if config else {}
        self._context = self._settings.context(self._model)
        self._findings = Findings()

    def response(self) -> InspectJobResponse:
        """All that was found."""
        tokenizer = self._tokenizer()
        pad_token = self._pad_token(tokenizer)
        parts = self._parts()
        seen = self._seen(parts, tokenizer) if parts else Seen()
        estimate = self._memory(seen)
        return InspectJobResponse(
            findings=self._findings.found,
            data=self._summary(parts, seen, pad_token) if parts else None,
            memory=estimate,
        )

    def _tokenizer(self) -> ModelTokenizer | None:
        try:
            return ModelTokenizer(self._files, self._model)
        except NotCountableError as error:
            description = f"tokens were not counted: {error}"
            self._findings.add(NOTICE, "base_model_id", rules.COUNTABLE, description)
            return None

    def _pad_token(self, tokenizer: ModelTokenizer | None) -> str:
        if tokenizer is None:
            return ""
        try:
            return tokenizer.pad_token()
        except TokenError as error:
            self._findings.add(ERROR, "base_model_id", rules.PAD_TOKEN, str(error))
            return ""

    def _parts(self) -> data.Parts | None:
        """The rows; None, and noted, if the job cannot have them."""
        request = self._work.request
        if not request.HasField("dataset"):
            return None
        try:
            splits = reading.load(request.dataset, self._project, self._token)
        except DataError as error:
            self._findings.add(ERROR, "dataset_id", rules.READABLE, str(error))
            return None
        if not self._columns_known(splits):
            return None
        try:
            return data.parts(splits, request, self._project)
        except EmptyError as error:
            self._findings.add(ERROR, "dataset_id", rules.ROWS_LEFT, str(error))
            return None

    def _columns_known(self, splits: DatasetDict) -> bool:
        prompt = self._work.request.prompt
        wanted = {self._settings.template_name: self._settings.template}
        if not self._settings.tuning:
            wanted["completion_template"] = prompt.completion_template
        try:
            for name, template in wanted.items():
                for rows in splits.values():
                    templates.check_columns(template, rows.column_names, name)
            if not self._settings.tuning:
                for rows in splits.values():
                    data.asked_column(prompt, rows)
        except DataError as error:
            self._findings.add(ERROR, "prompt_id", rules.COLUMNS, str(error))
            return False
        return True

    def _seen(self, parts: data.Parts, tokenizer: ModelTokenizer | None) -> Seen:
        if self._settings.tuning:
            fillings.check_evaluations(self._settings, parts, self._findings)
            fillings.check_batches(self._settings, parts, self._findings)
        else:
            fillings.check_answers(parts, self._findings)
        found = fillings.fillings(
            self._settings, self._work.chat_templates, parts.used.rows, tokenizer, self._findings
        )
        seen = [Seen()]
        for filling in found:
            seconds = self._work.seconds * COUNTING_SHARE / len(found)
            texts = Texts(self._settings, parts, filling, tokenizer, self._context, seconds)
            texts.look(self._findings)
            seen.append(texts.seen)
        return max(seen, key=lambda one: one.longest)

    def _summary(self, parts: data.Parts, seen: Seen, pad_token: str) -> DataSummary:
        a_pass, total = 0, 0
        if self._settings.training.get("packing") and self._settings.tuning:
            description = "packing puts rows together, so the number of steps is not known"
            self._findings.add(NOTICE, "training_arguments_config", rules.STEPS, description)
        elif self._settings.tuning:
            a_pass, total = steps(self._settings, len(parts.used))
        return DataSummary(
            rows=parts.total,
            used_rows=len(parts.used),
            held_out_rows=len(parts.held_out),
            tokens=seen.tokens,
            longest_row_tokens=seen.longest,
            context_tokens=self._context,
            steps_per_epoch=a_pass,
            total_steps=total,
            pad_token=pad_token,
        )

    def _check_model(self, told: weights.Shapes) -> None:
        """Notes what settings name that the base model does not have."""
        settings = self._settings
        if not settings.tuning:
            *_, vocabulary = weights.dimensions(self._model)
            adapters.check_tokens(settings.generation, vocabulary, self._findings)
            return
        adapters.check_experts(settings.training, self._model, self._findings)
        if told:
            adapters.check_adapter(settings.lora, told, self._findings)

    def _memory(self, seen: Seen) -> MemoryEstimate | None:
        told = {one.name: tuple(one.shape) for one in self._work.weights}
        told = told or weights.of_files(self._files)
        shapes = told or weights.of_config(self._model)
        if not shapes:
            description = "memory was not estimated: the model's files do not tell its size"
            self._findings.add(NOTICE, "base_model_id", rules.MODEL_FILES, description)
            return None
        self._check_model(told)
        row_tokens = min(filter(None, (seen.longest, self._context)), default=0)
        found = memory.estimate(self._settings, shapes, self._model, row_tokens)
        if not self._work.request.gpu and found.gib > found.asked_gib:
            description = (
                f"{found.asked_gib:g} GiB are asked for, but the job is expected to need "
                f"{found.gib:.1f} GiB"
            )
            self._findings.add(WARNING, "memory", rules.MEMORY, description)
        return found
