"""`fts train`: starts fine-tuning jobs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from ft import api
from ft.cli import check
from ft.cli.commands.jobs import started
from ft.cli.exits import CommandFailed, Exit
from ft.cli.options import Dataset, Model, Settings, StartOptions, WholeConfig, WorkerResources
from ft.cli.request_configs import RequestConfigs, merged_configs
from ft.cli.resources import DATASETS, MODELS, PROMPTS, text_or_file
from ft.cli.session import Session
from ft.client import FineTuningStudioClient
from ft.configs.merging import parsed


@dataclass(frozen=True, kw_only=True)
class NewAdapter:
    """The adapter that a job makes."""

    name: Annotated[str, typer.Option(help="Name of the new adapter: letters, digits and hyphens.")]
    output_dir: Annotated[
        str,
        typer.Option(
            help="Existing directory in which the adapter gets a folder. Default: `adapters` in "
            "the project directory."
        ),
    ] = ""
    add_adapter: Annotated[bool, typer.Option(help="Register the adapter after the training.")] = (
        True
    )

    def request_fields(self) -> dict[str, Any]:
        """Fields of the request."""
        return {
            "adapter_name": self.name,
            "output_dir": self.output_dir,
            "auto_add_adapter": self.add_adapter,
        }


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Settings of the training."""

    epochs: Annotated[
        int | None,
        typer.Option(help="Passes over the rows. Default: that of the config, or else 1."),
    ] = None
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Peak learning rate. Default: that of the config, or else 0.0002."),
    ] = None
    workers: Annotated[int | None, typer.Option(help="Number of worker processes. Default: 1.")] = (
        None
    )
    split: Annotated[
        float | None, typer.Option(help="Share of the rows to train on. Default: 0.9.")
    ] = None
    fraction: Annotated[
        float | None, typer.Option(help="Share of the dataset to use. Default: 1.")
    ] = None
    lora_config: Settings = ""
    training_arguments: Settings = ""
    bnb_config: Settings = ""
    whole_config: WholeConfig = False
    framework: Annotated[
        api.FineTuningFrameworkType, typer.Option(help="Software that trains.")
    ] = api.FineTuningFrameworkType.LEGACY
    axolotl_config: Annotated[str, typer.Option(help="Id of a stored Axolotl config.")] = ""
    user_script: Annotated[
        str, typer.Option(help="Script to run instead of the studio's own trainer.")
    ] = ""
    user_config: Annotated[
        str,
        typer.Option(
            metavar="JSON|@FILE",
            help="Settings for --user-script. They are stored as a config; the script gets its id.",
            show_default=False,
        ),
    ] = ""
    gpu_label: Annotated[
        int | None,
        typer.Option(help="Number of an accelerator label, which selects a kind of GPU."),
    ] = None

    def request_fields(self) -> dict[str, Any]:
        """Fields of the request. Raises CommandFailed if a file cannot be read."""
        return {
            "num_epochs": self.epochs,
            "learning_rate": self.learning_rate,
            "num_workers": self.workers,
            "train_test_split": self.split,
            "dataset_fraction": self.fraction,
            "framework_type": self.framework,
            "axolotl_config_id": self.axolotl_config,
            "user_script": self.user_script,
            "user_config": text_or_file(self.user_config),
            "gpu_label_id": self.gpu_label,
        }

    def configs(self, client: FineTuningStudioClient, model_id: str) -> RequestConfigs:
        """The configs of the request. Raises CommandFailed if a file cannot be read."""
        given = {
            "training_arguments_config": text_or_file(self.training_arguments),
            "lora_config": text_or_file(self.lora_config),
            "model_bnb_config": text_or_file(self.bnb_config),
        }
        if self.framework == api.FineTuningFrameworkType.AXOLOTL or self.user_script:
            # These do not use shipped configs.
            return RequestConfigs({name: text for name, text in given.items() if text})
        needed = ("training_arguments_config", "lora_config")
        typed = parsed(given["training_arguments_config"]) or {}
        self._require_no_contradiction(typed)
        configs = merged_configs(client, model_id, given, needed, self.whole_config)
        if settings := parsed(configs.sent.get("training_arguments_config", "")):
            # The options override shipped values.
            for name, value in self.training_fields.items():
                if value is not None and name in settings:
                    settings[name] = value
            configs.sent["training_arguments_config"] = json.dumps(settings)
        return configs

    def _require_no_contradiction(self, typed: Mapping[str, Any]) -> None:
        """Raises CommandFailed if an option and a given config give a setting two values."""
        options = {"num_train_epochs": "--epochs", "learning_rate": "--learning-rate"}
        for name, value in self.training_fields.items():
            if value is not None and name in typed and typed[name] not in (None, value):
                raise CommandFailed(
                    f"{options[name]} {value:g} and {name} {json.dumps(typed[name])} of "
                    "--training-arguments are the same setting with two values: give one of them",
                    Exit.USAGE,
                )
        steps = typed.get("max_steps")
        if self.epochs is not None and isinstance(steps, int | float) and steps > 0:
            raise CommandFailed(
                f"--epochs {self.epochs} has no effect, because max_steps {steps} of "
                "--training-arguments ends the training: give one of them",
                Exit.USAGE,
            )

    @property
    def training_fields(self) -> dict[str, Any]:
        """Settings with options of their own, which override a config."""
        return {"num_train_epochs": self.epochs, "learning_rate": self.learning_rate}


def train(
    session: Session,
    *,
    adapter: NewAdapter,
    model: Model,
    dataset: Dataset,
    prompt: Annotated[
        str, typer.Option(help="Id or name of the prompt. Axolotl and some scripts use none.")
    ] = "",
    training: TrainingOptions,
    resources: WorkerResources,
    start: StartOptions,
) -> None:
    """Start a fine-tuning job, or only check it (--check)."""
    client = session.client
    model_id = MODELS.id_of(client, model)
    configs = training.configs(client, model_id)
    request = api.StartFineTuningJobRequest(
        base_model_id=model_id,
        dataset_id=DATASETS.id_of(client, dataset),
        prompt_id=PROMPTS.id_of(client, prompt),
        retry=start.policy,
        **adapter.request_fields(),
        **training.request_fields(),
        **configs.sent,
        **resources.request_fields(client),
    )
    wanted = api.ValidateFineTuningJobRequest(request=request)
    if start.check:
        report = client.ValidateFineTuningJob(wanted)
        check.show(session, report, configs, training.training_fields)
    else:
        if not start.unchecked:
            check.before_start(session, lambda: client.ValidateFineTuningJob(wanted))
        started(session, [client.StartFineTuningJob(request).fine_tuning_job], start.watch)
