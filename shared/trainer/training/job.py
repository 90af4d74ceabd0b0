"""A fine-tuning job: base model, dataset and prompt -> LoRA adapter."""

from pathlib import Path
from typing import Any

import torch

from ft.configs.training import hardware_faults
from ft.job_protocol.variables import JOB_ARGUMENTS
from rows.chat.conversations import roles_of
from rows.errors import first_line
from trainer.data import prepared, texts
from trainer.errors import ArgumentsError, SettingsError, UnsupportedError
from trainer.job import effective_settings, ranks
from trainer.job.studio import model_reference
from trainer.model import adapter_checks, manifest, saving, settings_checks, vocabulary
from trainer.model.hardware import Hardware, detect, fit_quantisation, fit_training
from trainer.model.loading import load_model, load_tokenizer, longest_text, weight_type
from trainer.schemas import settings
from trainer.tracking import runs
from trainer.tracking.mlflow_callback import TolerantMLflowCallback
from trainer.training import adapter_files, checkpoints, early_stopping
from trainer.training.base import FineTuningBase
from trainer.training.guard import TrainingGuard
from trainer.training.progress import ProgressCallback
from trainer.training.step_notices import StepNotices


class FineTuning(FineTuningBase):
    """A job with the studio's own trainer."""

    def run(self) -> None:
        """Runs the job. Raises TrainerError or StudioError for errors that the user can resolve."""
        arguments = self._arguments
        if not arguments.prompt_id:
            raise ArgumentsError(f"{JOB_ARGUMENTS}: argument --prompt_id: required")
        self._model, source = self._look_up_model()
        if not ranks.rank():
            effective_settings.log_settings(
                self._studio, arguments.base_model_id, arguments.configs
            )
        hardware = detect(arguments.dist_cpu, arguments.dist_gpu)
        torch.set_num_threads(ranks.threads(hardware.cpus))
        # Faults of settings and data are found before the model is loaded.
        chosen = self._training_settings(hardware)
        config = settings.make_training_config(chosen, arguments.train_out_dir)
        # Some ways to start several processes end up with each of them training alone.
        if config.world_size != arguments.dist_num:
            raise UnsupportedError(
                f"{config.world_size} workers train together, but {arguments.dist_num} were "
                "requested."
            )
        lora = settings.make_lora_config(arguments.lora_config, self._events.notice)
        quantisation = settings.make_quantisation_config(
            "bnb_config",
            fit_quantisation(arguments.bnb_config, hardware, self._events.notice),
        )
        tokenizer = load_tokenizer(source, self._model.commit)
        train, held_out = self._examples(chosen, tokenizer, source)
        model = self._load_model(source, hardware, tokenizer, config, quantisation)
        trainer = self._make_trainer(model, tokenizer, config, lora, train, held_out)
        evaluated = trainer.eval_dataset
        settings_checks.check_batches(
            config, len(trainer.train_dataset), None if evaluated is None else len(evaluated)
        )
        prepared.check(trainer, len(train), self._events.notice)
        self._train(trainer, chosen, checkpoints.identity(arguments, train))
        if trainer.is_world_process_zero():
            self._save(trainer)

    def _train(self, trainer: Any, chosen: dict[str, Any], identity: str) -> None:
        if self._to_mlflow:
            trainer.add_callback(TolerantMLflowCallback(self._events.notice))
        output_dir = Path(self._arguments.train_out_dir)
        checkpoint = checkpoints.find_resume_checkpoint(
            output_dir, identity, self._rows_source, self._events
        )
        # Before the callback that marks checkpoints as complete, so that none has broken weights.
        guard = TrainingGuard(output_dir, identity, checkpoint is not None, self._events.notice)
        guard.watch(trainer)
        minutes = chosen.get("save_minutes", checkpoints.MINUTES)
        base = model_reference(self._model)
        trainer.add_callback(
            checkpoints.CheckpointCallback(identity, self._rows_source, minutes, base)
        )
        trainer.add_callback(StepNotices(chosen, self._events.notice))
        for callback in early_stopping.callbacks(chosen, self._events.notice):
            trainer.add_callback(callback)
        if checkpoint is not None and checkpoints.is_final(checkpoint):
            # The library would train one more step.
            checkpoints.restore_final(trainer, checkpoint)
        else:
            trainer.train(resume_from_checkpoint=checkpoint)
        guard.finish()

    def _training_settings(self, hardware: Hardware) -> dict[str, Any]:
        arguments = self._arguments
        chosen = settings.training_settings(
            arguments.training_arguments_config, self._events.notice, arguments.dist_num
        )
        wrong, _ = hardware_faults(arguments.training_arguments_config, hardware.gpus)
        if wrong:
            raise SettingsError(f"training_arguments_config: {'; '.join(wrong)}.")
        chosen = fit_training(chosen, hardware, self._events.notice)
        chosen = checkpoints.with_defaults(early_stopping.with_defaults(chosen))
        wanted = runs.prepare(
            "none" if ranks.rank() else chosen.get("report_to", "none"),
            arguments.experimentid,
            self._project,
            self._events.notice,
        )
        self._to_mlflow = "mlflow" in wanted
        chosen["report_to"] = [one for one in wanted if one != "mlflow"] or ["none"]
        # Progress is reported as events; a progress bar would fill the log.
        return {**chosen, "disable_tqdm": True, "dataset_text_field": texts.TEXT_COLUMN}

    def _examples(self, chosen: dict[str, Any], tokenizer: Any, source: str) -> tuple[Any, Any]:
        arguments = self._arguments
        train, held_out = self._read_rows()
        prompt = self._look_up_prompt()
        texts.check_held_out(held_out, chosen)
        about = self._about_rows(train, held_out)
        self._origin = manifest.Origin(
            prompt,
            about,
            source,
            chosen,
            arguments.dist_num,
            self._model.commit,
            adapter_checks.run_of(self._model),
        )
        self._asked = self._samples(prompt, train, held_out)
        roles = roles_of(self._dataset)
        examples = texts.Examples(prompt, chosen, tokenizer, train, roles)
        examples.check_rows(train, self._events.notice)
        made = examples.of(train)
        examples.check(made, self._events.notice)
        return made, examples.of(held_out)

    def _load_model(
        self, source: str, hardware: Hardware, tokenizer: Any, config: Any, quantisation: Any
    ) -> Any:
        """Loads the base model, and checks the settings against it."""
        arguments = self._arguments
        dtype = weight_type(hardware, fp16=bool(config.fp16))
        model = load_model(
            source,
            hardware,
            dtype,
            quantisation,
            commit=self._model.commit,
            notify=self._events.notice,
        )
        vocabulary.check(model, tokenizer, self._events.notice)
        settings_checks.check_adapter(arguments.lora_config, model)
        settings_checks.check_experts(config, model)
        # The library's default length may be more than the model supports.
        longest = longest_text(model)
        if longest and config.max_length and config.max_length > longest:
            if "max_length" in arguments.training_arguments_config:
                self._events.notice(
                    f"max_length {config.max_length} is replaced by {longest}, "
                    "the longest text that the base model takes."
                )
            config.max_length = longest
        return model

    def _make_trainer(
        self, model: Any, tokenizer: Any, config: Any, lora: Any, train: Any, held_out: Any
    ) -> Any:
        from trl.trainer.sft_trainer import SFTTrainer

        progress = ProgressCallback(
            self._events,
            train_rows=len(train),
            eval_rows=len(held_out),
            base_model=self._model.name,
        )
        try:
            return SFTTrainer(
                model,
                args=config,
                train_dataset=train,
                eval_dataset=held_out if config.eval_strategy != "no" else None,
                processing_class=tokenizer,
                peft_config=lora,
                callbacks=[progress],
            )
        except (ImportError, TypeError, ValueError) as error:
            raise SettingsError(f"These settings cannot be used: {first_line(error)}") from error

    def _save(self, trainer: Any) -> None:
        job_folder = Path(self._arguments.train_out_dir)

        def describe(folder: Path) -> None:
            adapter_files.write(
                self._origin, self._asked, trainer, folder, job_folder, self._events
            )

        saving.save_adapter(
            trainer.model,
            trainer.processing_class,
            model_reference(self._model),
            self._target,
            describe,
        )
        self._announce()
