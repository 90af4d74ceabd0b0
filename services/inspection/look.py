"""One inspection, from start to end, in the process that is there for it."""

from pathlib import Path

from datasets import DatasetDict

from chassis.rpc.findings import ERROR, NOTICE, WARNING, Findings
from ft.adapters.weight_files import shown
from ft.configs import training
from ft.enums import ModelType
from ft.proto.fine_tuning_studio_jobs_pb2 import DataSummary, MemoryEstimate
from ft.proto.inspection_pb2 import InspectionWork, InspectJobResponse
from rows import reading, templates
from rows.chat.conversations import column_of, roles_of
from rows.errors import DataError, EmptyError, TokenError
from services.inspection import rules
from services.inspection.data import answers, fillings
from services.inspection.data import rows as data
from services.inspection.data.texts import Seen, Texts
from services.inspection.model import adapter_weights, adapters, base_model, memory, weights
from services.inspection.model.adapter_weights import BaseFacts
from services.inspection.model.tokenizer import ModelTokenizer, NotCountableError, read_json
from services.inspection.settings import JobSettings
from services.inspection.steps import steps

COUNTING_SHARE = 0.5
"""The share of a call's time that tokens may be counted for."""
ANSWERS_SHARE = 0.1
"""The share in which those of the expected answers may be counted."""


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
        told = {one.name: tuple(one.shape) for one in self._work.weights}
        local = self._work.request.model.type == ModelType.PROJECT
        base_model.check(self._files if local else None, self._model, told, self._findings)
        self._shapes = told or weights.of_files(self._files)
        self._check_adapters()
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

    def _check_adapters(self) -> None:
        facts = BaseFacts(self._work.request.model, self._files, self._model, self._shapes)
        for source in self._work.adapters:
            adapter_weights.check(source, facts, self._findings)

    def _tokenizer(self) -> ModelTokenizer | None:
        rows = base_model.embedding_rows(self._model, self._shapes)
        try:
            tokenizer = ModelTokenizer(self._files, self._model, rows)
            self._tell_unembedded(tokenizer, rows)
            return tokenizer
        except NotCountableError as error:
            description = f"tokens were not counted: {error}"
            self._findings.add(NOTICE, "base_model_id", rules.COUNTABLE, description)
            return None

    def _tell_unembedded(self, tokenizer: ModelTokenizer, rows: int) -> None:
        special, others = tokenizer.unembedded()
        if special:
            description = (
                f"the embedding has {rows:,} rows, and these tokens, which the tokenizer adds or "
                f"which are special, lie beyond: {shown(special)}"
            )
            self._findings.add(ERROR, "base_model_id", rules.EMBEDDED, description)
        elif others:
            description = (
                f"{len(others)} tokens of the tokenizer have no row in the embedding, which has "
                f"{rows:,}: {shown(others)}; a text with one of them is refused"
            )
            self._findings.add(NOTICE, "base_model_id", rules.EMBEDDED, description)

    def _pad_token(self, tokenizer: ModelTokenizer | None) -> str:
        if tokenizer is None:
            return ""
        try:
            found = tokenizer.pad_token()
        except TokenError as error:
            self._findings.add(ERROR, "base_model_id", rules.PAD_TOKEN, str(error))
            return ""
        if found == tokenizer.end_of_text:
            description = (
                f"the tokenizer has no token to pad with but {found!r}, which ends a text: where "
                "it pads it is left out of attention and loss, and the end of each text counts"
            )
            self._findings.add(NOTICE, "base_model_id", rules.PAD_TOKEN, description)
        return found

    def _parts(self) -> data.Parts | None:
        """The rows; None, and noted, if the job cannot have them."""
        request = self._work.request
        if not request.HasField("dataset"):
            return None
        try:
            roles_of(request.dataset)  # those of a record that was imported may be broken
            loaded = reading.read(request.dataset, self._project, self._token)
        except DataError as error:
            self._findings.add(ERROR, "dataset_id", rules.READABLE, str(error))
            return None
        for said in loaded.source.notices:
            self._findings.add(NOTICE, "dataset_id", rules.AS_WRITTEN, said)
        if not self._columns_known(loaded.splits):
            return None
        try:
            return data.parts(loaded, request)
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
                    data.asked_column(self._work.request, rows)
            else:
                for rows in splits.values():
                    column_of(self._settings.template, rows)
        except DataError as error:
            self._findings.add(ERROR, "prompt_id", rules.COLUMNS, str(error))
            return False
        return True

    def _seen(self, parts: data.Parts, tokenizer: ModelTokenizer | None) -> Seen:
        fillings.check_templates(self._settings, parts.used.rows, tokenizer, self._findings)
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
            counted = tokenizer if filling.countable else None
            texts = Texts(self._settings, parts, filling, counted, self._context, seconds)
            texts.look(self._findings)
            seen.append(texts.seen)
        if not self._settings.tuning and tokenizer is not None:
            seconds = self._work.seconds * ANSWERS_SHARE
            answers.check_room(self._settings, parts, tokenizer, seconds, self._findings)
        return max(seen, key=lambda one: one.longest)

    def _summary(self, parts: data.Parts, seen: Seen, pad_token: str) -> DataSummary:
        a_pass, total = 0, 0
        if self._settings.training.get("packing") and self._settings.tuning:
            description = "packing puts rows together, so the number of steps is not known"
            self._findings.add(NOTICE, "training_arguments_config", rules.STEPS, description)
        elif self._settings.tuning:
            a_pass, total = steps(self._settings, len(parts.used))
            for clause in training.step_notices(self._settings.training, a_pass, total):
                field = "training_arguments_config"
                self._findings.add(WARNING, field, rules.STEPS_FIT, clause)
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
        told = self._shapes
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
