"""`fts train`."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from ft import api
from ft.cli import check
from ft.cli.configs_given import Configs, completed
from ft.cli.jobs import started
from ft.cli.options import Dataset, Json, Model, Resources, Settings, Start, WholeConfig
from ft.cli.resources import DATASETS, MODELS, PROMPTS, text_or_file
from ft.cli.session import Session
from ft.client import FineTuningStudioClient


@dataclass(frozen=True, kw_only=True)
class NewAdapter:
    """What a job is to make."""

    name: Annotated[str, typer.Option(help="Name of the adapter to make: letters, digits, -.")]
    output_dir: Annotated[
        str, typer.Option(help="Existing directory in which the adapter gets a folder.")
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

    epochs: Annotated[int | None, typer.Option(help="Passes over the rows.")] = None
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None
    split: Annotated[float | None, typer.Option(help="Share of rows to train on.")] = None
    fraction: Annotated[float | None, typer.Option(help="Share of rows to use at all.")] = None
    lora_config: Settings = ""
    training_arguments: Settings = ""
    bnb_config: Settings = ""
    whole_config: WholeConfig = False
    framework: Annotated[api.FineTuningFrameworkType, typer.Option(help="What trains.")] = (
        api.FineTuningFrameworkType.LEGACY
    )
    axolotl_config: Annotated[str, typer.Option(help="Id of a stored axolotl config.")] = ""
    user_script: Annotated[str, typer.Option(help="Script to run in place of the own.")] = ""
    user_config: Json = ""
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
        return completed(client, model_id, given, needed, self.whole_config)

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
