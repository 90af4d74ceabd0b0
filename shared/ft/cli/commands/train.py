"""`fts train`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from ft import api
from ft.cli import check
from ft.cli.commands.jobs import started
from ft.cli.configs_given import Configs, completed
from ft.cli.exits import CommandFailed, Exit
from ft.cli.options import Dataset, Model, Resources, Settings, Start, WholeConfig
from ft.cli.resources import DATASETS, MODELS, PROMPTS, text_or_file
from ft.cli.session import Session
from ft.client import FineTuningStudioClient
from ft.configs.merging import parsed


@dataclass(frozen=True, kw_only=True)
class NewAdapter:
    """What a job is to make."""

    name: Annotated[str, typer.Option(help="Name of the adapter to make: letters, digits, -.")]
    output_dir: Annotated[
        str,
        typer.Option(
            help="Existing directory in which the adapter gets a folder; the project's `adapters` "
            "if not given."
        ),
    ] = ""
    add_adapter: Annotated[bool, typer.Option(help="Register the adapter when it is trained.")] = (
        True
    )

    def asked(self) -> dict[str, Any]:
        """Fields of the request."""
        return {
            "adapter_name": self.name,
            "output_dir": self.output_dir,
            "auto_add_adapter": self.add_adapter,
        }


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a job trains."""

    epochs: Annotated[
        int | None, typer.Option(help="Passes over the rows; 1 if neither this nor a config says.")
    ] = None
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Peak learning rate; 0.0002 if neither this nor a config says."),
    ] = None
    workers: Annotated[int | None, typer.Option(help="Worker processes; 1 if not given.")] = None
    split: Annotated[
        float | None, typer.Option(help="Share of rows to train on; 0.9 if not given.")
    ] = None
    fraction: Annotated[
        float | None, typer.Option(help="Share of rows to use at all; 1 if not given.")
    ] = None
    lora_config: Settings = ""
    training_arguments: Settings = ""
    bnb_config: Settings = ""
    whole_config: WholeConfig = False
    framework: Annotated[api.FineTuningFrameworkType, typer.Option(help="What trains.")] = (
        api.FineTuningFrameworkType.LEGACY
    )
    axolotl_config: Annotated[str, typer.Option(help="Id of a stored axolotl config.")] = ""
    user_script: Annotated[str, typer.Option(help="Script to run in place of the own.")] = ""
    user_config: Annotated[
        str,
        typer.Option(
            metavar="JSON|@FILE",
            help="Settings for --user-script, which gets the id of the config that they become.",
            show_default=False,
        ),
    ] = ""
    gpu_label: Annotated[int | None, typer.Option(help="Accelerator label.")] = None

    def asked(self) -> dict[str, Any]:
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

    def configs(self, client: FineTuningStudioClient, model_id: str) -> Configs:
        """The configs of the request. Raises CommandFailed if a file cannot be read."""
        given = {
            "training_arguments_config": text_or_file(self.training_arguments),
            "lora_config": text_or_file(self.lora_config),
            "model_bnb_config": text_or_file(self.bnb_config),
        }
        if self.framework == api.FineTuningFrameworkType.AXOLOTL or self.user_script:
            # Neither has a use for a shipped config.
            return Configs({name: text for name, text in given.items() if text})
        needed = ("training_arguments_config", "lora_config")
        typed = parsed(given["training_arguments_config"]) or {}
        self._require_one_value(typed)
        configs = completed(client, model_id, given, needed, self.whole_config)
        if settings := parsed(configs.sent.get("training_arguments_config", "")):
            # The options count in place of shipped values.
            for name, value in self.training_fields.items():
                if value is not None and name in settings:
                    settings[name] = value
            configs.sent["training_arguments_config"] = json.dumps(settings)
        return configs

    def _require_one_value(self, typed: Mapping[str, Any]) -> None:
        """Raises CommandFailed where an option and a typed config give a setting two values."""
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
                f"--epochs {self.epochs} has no effect beside max_steps {steps} of "
                "--training-arguments, which ends the training: give one of them",
                Exit.USAGE,
            )

    @property
    def training_fields(self) -> dict[str, Any]:
        """Settings of the training that have options of their own, which win over a config."""
        return {"num_train_epochs": self.epochs, "learning_rate": self.learning_rate}


def train(
    session: Session,
    *,
    adapter: NewAdapter,
    model: Model,
    dataset: Dataset,
    prompt: Annotated[
        str, typer.Option(help="Prompt (id or name); not for axolotl, nor for every own script.")
    ] = "",
    recipe: Recipe,
    resources: Resources,
    start: Start,
) -> None:
    """Start a fine-tuning job, or only check one."""
    client = session.client
    model_id = MODELS.id_of(client, model)
    configs = recipe.configs(client, model_id)
    request = api.StartFineTuningJobRequest(
        base_model_id=model_id,
        dataset_id=DATASETS.id_of(client, dataset),
        prompt_id=PROMPTS.id_of(client, prompt),
        retry=start.policy,
        **adapter.asked(),
        **recipe.asked(),
        **configs.sent,
        **resources.asked(client),
    )
    wanted = api.ValidateFineTuningJobRequest(request=request)
    if start.check:
        report = client.ValidateFineTuningJob(wanted)
        check.show(session, report, configs, recipe.training_fields)
    else:
        if not start.unchecked:
            check.before_start(session, lambda: client.ValidateFineTuningJob(wanted))
        started(session, [client.StartFineTuningJob(request).fine_tuning_job], start.watch)
