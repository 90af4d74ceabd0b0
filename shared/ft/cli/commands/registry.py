"""`fts datasets`, `models`, `adapters`, `prompts`, `configs`."""

import uuid
from typing import Annotated

import typer

from ft import api
from ft.cli.config_check import config_faults
from ft.cli.exits import CommandFailed, Exit
from ft.cli.references import referring
from ft.cli.resources import (
    ADAPTERS,
    CONFIGS,
    DATASETS,
    MODELS,
    PROMPTS,
    Filters,
    Reference,
    Sort,
    add_list,
    add_remove,
    group,
    parsed_filters,
    removed,
    text_or_file,
)
from ft.cli.session import Session, command
from ft.data_files import type_of

Name = Annotated[str, typer.Option(help="Name. It must be unique among the records of this kind.")]
HubName = Annotated[str, typer.Option("--hub", help="Name on the Hugging Face hub.")]
Location = Annotated[str, typer.Option(help="Path relative to the project directory.")]

datasets = group(DATASETS, "Datasets for fine-tuning and evaluation.")
models = group(MODELS, "Base models.")
adapters = group(ADAPTERS, "Adapters: the results of fine-tuning base models.")
prompts = group(PROMPTS, "Prompts: templates that make texts of the rows of a dataset.")
configs = group(CONFIGS, "Configs: settings of jobs.")

for app, resource in (
    (datasets, DATASETS),
    (models, MODELS),
    (adapters, ADAPTERS),
    (prompts, PROMPTS),
):
    add_list(app, resource)
add_remove(models, MODELS, "Its files stay.")
add_remove(adapters, ADAPTERS, "Its files stay.")
add_remove(prompts, PROMPTS)
add_remove(configs, CONFIGS, "Jobs keep their copies.")


@command(datasets, "add")
def add_dataset(
    session: Session,
    type: Annotated[
        api.DatasetType | None,
        typer.Option(help="Type of the data. Default: derived from the other options."),
    ] = None,
    name: Name = "",
    location: Location = "",
    hub: HubName = "",
    roles: Annotated[
        str,
        typer.Option(
            metavar="ROLE=ROLE,…",
            help="Mapping of the roles in its conversations, such as human=user,gpt=assistant.",
        ),
    ] = "",
) -> None:
    """Register a dataset: --hub NAME, or --location PATH with --name."""
    guessed = api.DatasetType.HUGGINGFACE if hub else type_of(location)
    request = api.AddDatasetRequest(
        type=type or guessed,
        name=name,
        location=location,
        huggingface_name=hub,
        roles=_role_mapping(roles),
    )
    added = session.client.AddDataset(request)
    session.out.item(added.dataset)
    for notice in added.notices:
        session.out.note(notice)


def _role_mapping(roles: str) -> dict[str, str]:
    """Roles by name. Raises CommandFailed for a text that is not ROLE=ROLE."""
    pairs = {}
    for part in filter(None, map(str.strip, roles.split(","))):
        name, equals, role = (one.strip() for one in part.partition("="))
        if not (name and equals and role):
            raise CommandFailed(f"--roles: {part!r} is not ROLE=ROLE", Exit.USAGE)
        if name in pairs:
            raise CommandFailed(f"--roles: {name!r} is given twice", Exit.USAGE)
        pairs[name] = role
    return pairs


@command(datasets, "remove")
def remove_dataset(
    session: Session,
    reference: Reference,
    prompts: Annotated[bool, typer.Option("--prompts", help="Remove its prompts as well.")] = False,
) -> None:
    """Remove one dataset. Its files stay."""
    found = DATASETS.find(session.client, reference)
    DATASETS.remove(session.client, found.id, remove_prompts=prompts)
    removed(session, DATASETS, found.id)
    for sentence in referring(session.client, found.id):
        session.out.note(sentence)


@command(models, "add")
def add_model(
    session: Session,
    name: Annotated[str, typer.Option(help="Name, for a model with --location.")] = "",
    location: Annotated[
        str,
        typer.Option(
            help="Directory made by `save_pretrained`, relative to the project directory."
        ),
    ] = "",
    hub: HubName = "",
    registry: Annotated[str, typer.Option(help="Id in the workspace's model registry.")] = "",
) -> None:
    """Register a base model: --hub NAME, --location PATH or --registry ID."""
    if hub:
        kind = api.ModelType.HUGGINGFACE
    else:
        kind = api.ModelType.MODEL_REGISTRY if registry else api.ModelType.PROJECT
    request = api.AddModelRequest(
        type=kind, name=name, location=location, huggingface_name=hub, model_registry_id=registry
    )
    session.out.item(session.client.AddModel(request).model)


@command(adapters, "add")
def add_adapter(
    session: Session,
    name: Name,
    model: Annotated[str, typer.Option(help="Id or name of its base model.")],
    location: Location = "",
    hub: HubName = "",
    job: Annotated[str, typer.Option(help="Id of the fine-tuning job that trained it.")] = "",
    prompt: Annotated[
        str, typer.Option(help="Id or name of the prompt that it was trained with.")
    ] = "",
) -> None:
    """Register an adapter that was trained elsewhere."""
    request = api.AddAdapterRequest(
        type=api.AdapterType.HUGGINGFACE if hub else api.AdapterType.PROJECT,
        name=name,
        model_id=MODELS.id_of(session.client, model),
        location=location,
        huggingface_name=hub,
        fine_tuning_job_id=job,
        prompt_id=PROMPTS.id_of(session.client, prompt),
    )
    added = session.client.AddAdapter(request)
    session.out.item(added.adapter)
    for notice in added.notices:
        session.out.note(notice)


@command(prompts, "add")
def add_prompt(
    session: Session,
    name: Name,
    dataset: Annotated[str, typer.Option(help="Id or name of its dataset.")],
    prompt_template: Annotated[
        str, typer.Option(help="The whole text, with {column} placeholders. @FILE reads a file.")
    ],
    input_template: Annotated[
        str, typer.Option(help="The text that the model is asked with. @FILE reads a file.")
    ],
    completion_template: Annotated[
        str, typer.Option(help="The answer that the model is to give. @FILE reads a file.")
    ],
) -> None:
    """Store a prompt. Its templates are Python format strings with the columns of the dataset."""
    prompt = api.PromptMetadata(
        id=str(uuid.uuid4()),
        type=api.PromptType.IN_PLACE,
        name=name,
        dataset_id=DATASETS.id_of(session.client, dataset),
        prompt_template=text_or_file(prompt_template),
        input_template=text_or_file(input_template),
        completion_template=text_or_file(completion_template),
    )
    added = session.client.AddPrompt(api.AddPromptRequest(prompt=prompt))
    session.out.item(added.prompt)
    for one in added.notices:
        session.out.note(f"{one.field} {one.description} ({one.rule})")


@command(configs, "list")
def list_configs(
    session: Session,
    type: Annotated[
        api.ConfigType | None, typer.Option(help="List only configs of this type.")
    ] = None,
    model: Annotated[str, typer.Option(help="List the configs for this model (id or name).")] = "",
    adapter: Annotated[
        str, typer.Option(help="List the configs with which this adapter was trained (id or name).")
    ] = "",
    job: Annotated[str, typer.Option(help="List the configs of this fine-tuning job (id).")] = "",
    filter: Filters = None,
    sort: Sort = "",
) -> None:
    """List configs: shipped ones and stored ones."""
    found = CONFIGS.all(
        session.client,
        type=type or "",
        model_id=MODELS.id_of(session.client, model),
        adapter_id=ADAPTERS.id_of(session.client, adapter),
        fine_tuning_job_id=job,
        filter=parsed_filters(filter),
        order_by=sort,
    )
    session.out.items(found, CONFIGS.columns, "no configs match the filter")


@command(configs, "add")
def add_config(
    session: Session,
    type: Annotated[api.ConfigType, typer.Option(help="Type of the config.")],
    config: Annotated[
        str, typer.Option(help="The config as JSON (YAML for axolotl). @FILE reads a file.")
    ],
    description: Annotated[
        str, typer.Option(help="Name of the model that the config is for.")
    ] = "",
) -> None:
    """Store a config. If one with the same content is stored already, show that one."""
    request = api.AddConfigRequest(type=type, config=text_or_file(config), description=description)
    session.out.item(session.client.AddConfig(request).config)
    for fault in config_faults(session.client, type, request.config):
        session.out.note(fault)
