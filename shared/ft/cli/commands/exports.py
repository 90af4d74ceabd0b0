"""`fts export`: a fine-tuned model to where others find it."""

from typing import Annotated

import typer

from ft import api
from ft.cli.commands.jobs import started
from ft.cli.options import Attempts, GenerationConfig, Resources
from ft.cli.resources import ADAPTERS, Reference, text_or_file
from ft.cli.session import Session

Destination = Annotated[
    api.ExportType, typer.Option(help="Destination. merged makes one directory in the project.")
]


def export(
    session: Session,
    adapter: Reference,
    *,
    name: Annotated[str, typer.Option(help="Name of the export at its destination.")],
    type: Destination = api.ExportType.MODEL_REGISTRY,
    description: Annotated[str, typer.Option(help="Description for the registry.")] = "",
    generation_config: GenerationConfig = "",
    resources: Resources,
    attempts: Attempts,
) -> None:
    """Export an adapter with its base model."""
    client = session.client
    found = ADAPTERS.find(client, adapter)
    request = api.ExportModelRequest(
        type=type,
        base_model_id=found.model_id,
        adapter_id=found.id,
        model_name=name,
        model_description=description,
        generation_config=text_or_file(generation_config),
        retry=attempts.policy,
        **resources.asked(client),
    )
    response = client.ExportModel(request)
    if response.export_job_id:
        started(session, [client.get_job(response.export_job_id)], attempts.watch)
    else:
        session.out.item(response)
