"""`fts export`: exports a fine-tuned model."""

from typing import Annotated

import typer

from ft import api
from ft.cli.commands.jobs import started
from ft.cli.options import GenerationConfig, RetryOptions, WorkerResources
from ft.cli.resources import ADAPTERS, text_or_file
from ft.cli.session import Session

Destination = Annotated[
    api.ExportType,
    typer.Option(
        help="Destination: the model registry, a served model (cml_model), or one directory in the "
        "project (merged)."
    ),
]


def export(
    session: Session,
    adapter: Annotated[str, typer.Argument(metavar="ID|NAME", help="Id or name of the adapter.")],
    *,
    name: Annotated[str, typer.Option(help="Name of the exported model.")],
    type: Destination = api.ExportType.MODEL_REGISTRY,
    description: Annotated[str, typer.Option(help="Description for the model registry.")] = "",
    generation_config: GenerationConfig = "",
    resources: WorkerResources,
    retry: RetryOptions,
) -> None:
    """Export an adapter together with its base model."""
    client = session.client
    found = ADAPTERS.find(client, adapter)
    request = api.ExportModelRequest(
        type=type,
        base_model_id=found.model_id,
        adapter_id=found.id,
        model_name=name,
        model_description=description,
        generation_config=text_or_file(generation_config),
        retry=retry.policy,
        **resources.request_fields(client),
    )
    response = client.ExportModel(request)
    if response.export_job_id:
        started(session, [client.get_job(response.export_job_id)], retry.watch)
    else:
        session.out.item(response)
