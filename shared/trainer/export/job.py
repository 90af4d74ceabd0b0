"""An export job: a base model with its adapter, to where others find it."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ft.api import (
    AdapterType,
    ExportType,
    GetAdapterRequest,
    GetModelRequest,
    ModelMetadata,
    PromptMetadata,
    RegisterExportRequest,
)
from ft.client import StudioError
from ft.job_protocol.events import Progress, Registered, Started
from ft.job_protocol.files import MERGED_FOLDER
from trainer.data import chat
from trainer.errors import REFUSALS, TrackingError
from trainer.export import registry, work_folder
from trainer.export.parity import Parity, prompt_of, sample_prompts
from trainer.export.work_folder import WorkFolder
from trainer.job.arguments import ExportArguments
from trainer.job.events import EventLog
from trainer.job.registration import PATIENCE_SECONDS
from trainer.job.studio import Identity, Studio, model_reference, model_source
from trainer.job.studio_client import retry
from trainer.model import adapter_checks, hub, manifest, saving, vocabulary
from trainer.model.hardware import Hardware, detect
from trainer.model.loading import (
    adapter_source,
    load_adapter,
    load_model,
    load_tokenizer,
    merged_model,
    report_newest_commit,
    require_effect,
    weight_type,
)
from trainer.model.tokenizer import fingerprint
from trainer.schemas import settings
from trainer.serving import trained_answers
from trainer.tracking import runs

KEEP_BESIDE = "Export it as model_registry, which keeps it beside the base model."
STEPS = 4
"""LoadedAdapter, written, found to be right, registered."""


@dataclass(frozen=True)
class LoadedAdapter:
    """What is exported, ready to be."""

    base: ModelMetadata
    source: str
    prompt: PromptMetadata | None
    model: Any
    tokenizer: Any
    hardware: Hardware
    parity: Parity
    roles: dict[str, str]
    """What roles stood for in the conversations that the adapter was trained on."""


class Export:
    """One job, from what its arguments name to a model that the studio lists."""

    def __init__(
        self,
        arguments: ExportArguments,
        identity: Identity,
        studio: Studio,
        events: EventLog,
        project: Path,
    ) -> None:
        self._arguments = arguments
        self._identity = identity
        self._studio = studio
        self._events = events
        self._project = project

    def run(self) -> None:
        """Raises TrainerError or StudioError where the user can do something about it."""
        self._events.write(Started(total_steps=STEPS))
        folder = self._project / self._arguments.result_dir
        with work_folder.within(folder, self._project, self._events.notice) as work:
            loaded = self._load()
            self._done(1)
            if self._arguments.export_type == ExportType.MERGED:
                self._merge(loaded, work)
            else:
                self._log(loaded, work)
        self._done(STEPS)

    def _load(self) -> LoadedAdapter:
        arguments = self._arguments
        base = self._studio.GetModel(GetModelRequest(id=arguments.base_model_id)).model
        adapter = self._studio.GetAdapter(GetAdapterRequest(id=arguments.adapter_id)).adapter
        prompt = prompt_of(self._studio, adapter)
        prompts = sample_prompts(self._studio, prompt, self._project, adapter, self._events.notice)
        hardware = detect()
        torch.set_num_threads(hardware.cpus)
        notify = self._events.notice
        report_newest_commit(adapter, self._project, notify)
        adapter_checks.settle_commit(base, adapter_source(adapter, self._project), notify)
        source = model_source(base, self._project)
        tokenizer = load_tokenizer(source, base.commit)
        dtype = self._weight_type(hardware)
        model = load_model(source, hardware, dtype, None, commit=base.commit, notify=notify)
        vocabulary.check(model, tokenizer, notify)
        adapted = load_adapter(model, adapter, self._project, adapter_checks.base_of(base, source))
        require_effect(adapted, adapter.name)
        chat.set_saved_template(adapter_source(adapter, self._project), tokenizer)
        if adapter.type == AdapterType.PROJECT:
            folder = self._project / adapter.location
            trained_answers.check(folder, adapted, tokenizer, self._events.notice)
        parity = Parity.of(adapted, tokenizer, arguments.generation_config, prompts)
        roles = manifest.learned_roles(Path(adapter_source(adapter, self._project)))
        return LoadedAdapter(base, source, prompt, adapted, tokenizer, hardware, parity, roles)

    def _weight_type(self, hardware: Hardware) -> torch.dtype:
        # What is merged in 16 bits is rounded, and goes on with texts in another way now and then.
        merged = self._arguments.export_type == ExportType.MERGED
        return torch.float32 if merged else weight_type(hardware)

    def _merge(self, loaded: LoadedAdapter, work: WorkFolder) -> None:
        target = self._project / self._arguments.result_dir / MERGED_FOLDER
        partial = work.folder / MERGED_FOLDER
        merged = merged_model(loaded.model, KEEP_BESIDE)
        if self._arguments.generation_config:
            merged.generation_config = self._generation(loaded)
        elif loaded.parity.chat:
            # Whoever serves the model is to end an answer where the adapter was taught to.
            merged.generation_config.eos_token_id = loaded.parity.generation_config["eos_token_id"]
        try:
            saving.save_merged(merged, loaded.tokenizer, partial)
            self._done(2)
            dtype = self._weight_type(loaded.hardware)
            again = load_model(str(partial), loaded.hardware, dtype, None)
            loaded.parity.require_model(again, load_tokenizer(str(partial)))
            self._done(3)
            saving.replace_directory(partial, target)
            self._register()
        except Exception as error:
            if not _undecided(error):
                shutil.rmtree(target, ignore_errors=True)
            raise

    def _log(self, loaded: LoadedAdapter, work: WorkFolder) -> None:
        name = self._arguments.model_name
        experiment = self._identity.job_id or Path(self._arguments.result_dir).name
        work.logs_into(experiment)
        runs.open_experiment(experiment, self._project)
        logged = self._logged(loaded, work.folder / "logged")
        self._done(2)
        number = ""
        try:
            loaded.parity.require(logged.predictions(loaded.parity, loaded.roles))
            self._done(3)
            number = registry.register(logged, name)
            self._register(
                mlflow_experiment_id=logged.experiment_id,
                mlflow_run_id=logged.run_id,
                mlflow_model_path=logged.path,
            )
        except Exception as error:
            if not _undecided(error):
                self._take_back(logged, number)
            raise

    def _take_back(self, logged: registry.LoggedModel, number: str) -> None:
        try:
            if number:
                registry.deregister(self._arguments.model_name, number)
            logged.discard()
        except TrackingError as error:
            # The reason of the failure is another, and must not be lost over this.
            self._events.notice(f"What was logged of the export is still there. {error}")

    def _logged(self, loaded: LoadedAdapter, folder: Path) -> registry.LoggedModel:
        generation = self._generation(loaded)
        prompt = loaded.prompt or PromptMetadata()
        metadata = {
            "base_model": model_reference(loaded.base),
            "prompt_template": prompt.prompt_template,
            "input_template": prompt.input_template,
            "completion_template": prompt.completion_template,
            "tokenizer_sha256": fingerprint(loaded.tokenizer),
        }
        # MLflow follows no links out of what it is given, as those of the hub's cache are.
        shutil.copytree(
            _files(loaded.source, loaded.base.commit), folder / "base", copy_function=_same_file
        )
        reference = metadata["base_model"]
        saving.save_adapter(loaded.model, loaded.tokenizer, reference, folder / "adapter")
        generation.save_pretrained(folder / "adapter")
        location, run_name = self._arguments.artifact_location, self._arguments.model_name
        form = registry.ModelInterface(generation, self._chat_ends(loaded), loaded.roles)
        return registry.log(folder, location, form, metadata, run_name)

    def _generation(self, loaded: LoadedAdapter) -> Any:
        parity = loaded.parity
        ends = {"eos_token_id": parity.generation_config["eos_token_id"]} if parity.chat else {}
        wanted = {**ends, **self._arguments.generation_config}
        return settings.make_generation_config(wanted, loaded.tokenizer)

    def _chat_ends(self, loaded: LoadedAdapter) -> list[int]:
        """The tokens that end an answer to messages; none of a model that takes no messages."""
        if not loaded.tokenizer.chat_template:
            return []
        own = self._arguments.generation_config.get("eos_token_id")
        if own is None:
            return chat.end_tokens(loaded.model, loaded.tokenizer)
        return own if isinstance(own, list) else [own]

    def _register(self, **made: str) -> None:
        identity = self._identity
        request = RegisterExportRequest(job_id=identity.job_id, token=identity.token, **made)
        model = retry(lambda: self._studio.RegisterExport(request), PATIENCE_SECONDS).model
        self._events.write(Registered(model_id=model.id))

    def _done(self, step: int) -> None:
        self._events.write(Progress(step=step, total_steps=STEPS, epoch=0.0))


def _files(source: str, commit: str) -> Path:
    """The directory with the base model's files; of one of the hub, what was loaded of it."""
    return Path(source).absolute() if Path(source).is_dir() else hub.model_folder(source, commit)


def _same_file(source: str, target: str) -> None:
    """Puts a file into another place, if it can be without taking its space again."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)


def _undecided(error: Exception) -> bool:
    """Whether the studio may have taken the export all the same."""
    return isinstance(error, StudioError) and error.code not in REFUSALS
