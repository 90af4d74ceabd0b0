"""An export job: merges an adapter into its base model, or registers both in MLflow."""

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

KEEP_BESIDE = "Export it as model_registry, which keeps base model and adapter apart."
STEPS = 4
"""Loaded, written, verified, registered."""


@dataclass(frozen=True)
class LoadedAdapter:
    """The adapter on its base model, and its answers to sample prompts."""

    base: ModelMetadata
    source: str
    prompt: PromptMetadata | None
    model: Any
    tokenizer: Any
    hardware: Hardware
    parity: Parity
    roles: dict[str, str]
    """Roles that were mapped to others in the conversations that the adapter was trained on."""


class Export:
    """One job, from its arguments to a registered model."""

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
        """Runs the job. Raises TrainerError or StudioError for errors that the user can resolve."""
        self._events.write(Started(total_steps=STEPS))
        folder = self._project / self._arguments.result_dir
        with work_folder.within(folder, self._project, self._events.notice) as work:
            loaded = self._load()
            self._done(1)
            if self._arguments.export_type == ExportType.MERGED:
                self._export_merged(loaded, work)
            else:
                self._export_to_registry(loaded, work)
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
        # Weights merged in 16 bits are rounded, so that some texts are continued otherwise.
        merged = self._arguments.export_type == ExportType.MERGED
        return torch.float32 if merged else weight_type(hardware)

    def _export_merged(self, loaded: LoadedAdapter, work: WorkFolder) -> None:
        target = self._project / self._arguments.result_dir / MERGED_FOLDER
        partial = work.folder / MERGED_FOLDER
        merged = merged_model(loaded.model, KEEP_BESIDE)
        if self._arguments.generation_config:
            merged.generation_config = self._generation(loaded)
        elif loaded.parity.chat:
            # A served model must end answers where the adapter has learned to.
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
            if not _may_be_registered(error):
                shutil.rmtree(target, ignore_errors=True)
            raise

    def _export_to_registry(self, loaded: LoadedAdapter, work: WorkFolder) -> None:
        name = self._arguments.model_name
        experiment = self._identity.job_id or Path(self._arguments.result_dir).name
        work.logs_into(experiment)
        runs.open_experiment(experiment, self._project)
        logged = self._log_model(loaded, work.folder / "logged")
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
            if not _may_be_registered(error):
                try:
                    if number:
                        registry.deregister(name, number)
                    logged.discard()
                except TrackingError as tracking_error:
                    # The job fails for another reason, which must not be lost.
                    self._events.notice(
                        f"The logged model of the export was not deleted. {tracking_error}"
                    )
            raise

    def _log_model(self, loaded: LoadedAdapter, folder: Path) -> registry.LoggedModel:
        generation = self._generation(loaded)
        prompt = loaded.prompt or PromptMetadata()
        metadata = {
            "base_model": model_reference(loaded.base),
            "prompt_template": prompt.prompt_template,
            "input_template": prompt.input_template,
            "completion_template": prompt.completion_template,
            "tokenizer_sha256": fingerprint(loaded.tokenizer),
        }
        source = Path(loaded.source)
        files = (
            source.absolute()
            if source.is_dir()
            else hub.model_folder(loaded.source, loaded.base.commit)
        )
        # MLflow does not follow links out of the folder, as those of the hub's cache are.
        shutil.copytree(files, folder / "base", copy_function=_link_or_copy)
        reference = metadata["base_model"]
        saving.save_adapter(loaded.model, loaded.tokenizer, reference, folder / "adapter")
        generation.save_pretrained(folder / "adapter")
        location, run_name = self._arguments.artifact_location, self._arguments.model_name
        chat_ends: list[int] = []
        if loaded.tokenizer.chat_template:
            own = self._arguments.generation_config.get("eos_token_id")
            if own is None:
                chat_ends = chat.end_tokens(loaded.model, loaded.tokenizer)
            else:
                chat_ends = own if isinstance(own, list) else [own]
        interface = registry.ModelInterface(generation, chat_ends, loaded.roles)
        return registry.log(folder, location, interface, metadata, run_name)

    def _generation(self, loaded: LoadedAdapter) -> Any:
        parity = loaded.parity
        ends = {"eos_token_id": parity.generation_config["eos_token_id"]} if parity.chat else {}
        wanted = {**ends, **self._arguments.generation_config}
        return settings.make_generation_config(wanted, loaded.tokenizer)

    def _register(self, **made: str) -> None:
        identity = self._identity
        request = RegisterExportRequest(job_id=identity.job_id, token=identity.token, **made)
        model = retry(lambda: self._studio.RegisterExport(request), PATIENCE_SECONDS).model
        self._events.write(Registered(model_id=model.id))

    def _done(self, step: int) -> None:
        self._events.write(Progress(step=step, total_steps=STEPS, epoch=0.0))


def _link_or_copy(source: str, target: str) -> None:
    """Links a file to another place, or copies it if it cannot be linked."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)


def _may_be_registered(error: Exception) -> bool:
    """Tells whether the studio may have registered the export in spite of the error."""
    return isinstance(error, StudioError) and error.code not in REFUSALS
