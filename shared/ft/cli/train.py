"""`fts train`."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from ft import api
from ft.cli import check
from ft.cli.jobs import started
from ft.cli.options import Dataset, Json, Model, Resources, Start
from ft.cli.resources import DATASETS, MODELS, PROMPTS, text_or_file
from ft.cli.session import Session


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
    lora_config: Json = ""
    training_arguments: Json = ""
    bnb_config: Json = ""
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
            "lora_config": text_or_file(self.lora_config),
            "training_arguments_config": text_or_file(self.training_arguments),
            "model_bnb_config": text_or_file(self.bnb_config),
            "framework_type": self.framework,
            "axolotl_config_id": self.axolotl_config,
            "user_script": self.user_script,
            "user_config": text_or_file(self.user_config),
            "gpu_label_id": self.gpu_label,
        }


def train(
    session: Session,
    *,
    adapter: NewAdapter,
    model: Model,
    dataset: Dataset,
    prompt: Annotated[str, typer.Option(help="Prompt (id or name); not for axolotl.")] = "",
    recipe: Recipe,
    resources: Resources,
    start: Start,
) -> None:
    """Start a fine-tuning job, or only check one."""
    client = session.client
    request = api.StartFineTuningJobRequest(
        base_model_id=MODELS.id_of(client, model),
        dataset_id=DATASETS.id_of(client, dataset),
        prompt_id=PROMPTS.id_of(client, prompt),
        retry=start.policy,
        **adapter.asked(),
        **recipe.asked(),
        **resources.asked(client),
    )
    if start.check:
        wanted = api.ValidateFineTuningJobRequest(request=request)
        check.show(session, client.ValidateFineTuningJob(wanted))
    else:
        started(session, [client.StartFineTuningJob(request).fine_tuning_job], start.watch)
