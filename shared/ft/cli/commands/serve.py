"""`fts serve`, `ask` and `served`: serves adapters over HTTP on this machine."""

import shlex
import time
from typing import Annotated

import typer

from ft import api
from ft.cli.exits import CommandFailed, Exit
from ft.cli.options import GenerationConfig, ProcessResources
from ft.cli.output.log_text import log_lines
from ft.cli.resources import ADAPTERS, text_or_file
from ft.cli.session import Session, command, set_default
from ft.client import AlreadyExistsError
from ft.local.served import DEPLOYED, OVER, ServedModel, ServedModelsClient
from ft.local.studio import facade_address

POLL_SECONDS = 0.5
LOG_LINES = 12

ModelName = Annotated[str, typer.Argument(metavar="ID|NAME", help="Id or name of a served model.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait until the model is deployed.")]

served = typer.Typer(
    help="Models that are served on this machine. Without a subcommand: list them."
)


def serve(
    session: Session,
    adapter: Annotated[str, typer.Argument(metavar="ADAPTER", help="Id or name of an adapter.")],
    *,
    name: Annotated[
        str, typer.Option(help="Name of the served model. Default: the name of the adapter.")
    ] = "",
    generation_config: GenerationConfig = "",
    resources: ProcessResources,
    without_key: Annotated[
        bool, typer.Option(help="Require only the access key of the model, and no API key.")
    ] = False,
    wait: Wait = 600.0,
) -> None:
    """Serve an adapter on its base model, and print how to ask it."""
    models = _models(session)
    found = ADAPTERS.find(session.client, adapter)
    request = api.ExportModelRequest(
        type=api.ModelExportType.CML_MODEL,
        base_model_id=found.model_id,
        adapter_id=found.id,
        model_name=name or found.name,
        generation_config=text_or_file(generation_config),
        disable_authentication=without_key,
        **resources.request_fields(),
    )
    model = deployed(session, models, request, wait)
    address = f"{models.url}/model"
    if session.out.json:
        session.out.data({**model.facts(), "url": address, "access_key": model.access_key})
    key = f'  -H "Authorization: Bearer $(cat {shlex.quote(str(models.key_file))})" \\\n'
    session.out.say(
        f'the model is served. Ask it with\n\n  fts ask {shlex.quote(model.name)} "..."\n\n'
        "(with --chat if it was trained on conversations), or with\n\n"
        f"curl {address} -H 'Content-Type: application/json' \\\n"
        f"{key if model.auth_enabled else ''}"
        f'  -d \'{{"accessKey": "{model.access_key}", "request": {{"prompt": "..."}}}}\''
    )


def deployed(
    session: Session, models: ServedModelsClient, request: api.ExportModelRequest, seconds: float
) -> ServedModel:
    """Exports a model to be served, and waits until it is deployed.

    Raises CommandFailed if the name is taken, or with the end of the model's log if it cannot be
    served.
    """
    name = request.model_name
    try:
        model_id = session.client.ExportModel(request).cml_model_id
    except AlreadyExistsError:
        raise CommandFailed(
            f"a model named {name!r} already exists: remove it with `fts served remove "
            f"{shlex.quote(name)}`, or choose another --name",
            Exit.REFUSED,
        ) from None
    session.out.announce(f"model {name}  {model_id}")
    return _awaited(models, model_id, time.monotonic() + seconds)


def ask(
    session: Session,
    model: ModelName,
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT|@FILE",
            help="The prompt, in the form of the training. @FILE reads a file.",
        ),
    ],
    chat: Annotated[
        bool,
        typer.Option(
            "--chat",
            help="Send the text as a chat message. For models trained on conversations.",
        ),
    ] = False,
    max_new_tokens: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of tokens of the answer.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, help="Sampling temperature. 0 disables sampling.")
    ] = None,
) -> None:
    """Ask a served model, and print its answer."""
    models = _models(session)
    options = {"max_new_tokens": max_new_tokens, "temperature": temperature}
    given = {name: value for name, value in options.items() if value is not None}
    prompt = text_or_file(text)
    request = {"messages": [{"role": "user", "content": prompt}]} if chat else {"prompt": prompt}
    answer = models.ask(models.find(model), {**request, **given})
    if session.out.json:
        session.out.data({"response": answer})
    session.out.say(str(answer))


@command(served, "list")
def list_served(session: Session) -> None:
    """List served models, including those that have stopped or failed."""
    found = _models(session).all()
    if session.out.json:
        session.out.data([model.facts() for model in found])
    elif not found:
        session.out.say("no models yet; `fts serve` serves one")
    else:
        rows = [[model.id, model.name, model.status, model.created_at] for model in found]
        session.out.table(["ID", "NAME", "STATUS", "SINCE"], rows)


set_default(served, list_served)


@command(served, "stop")
def stop(session: Session, model: ModelName) -> None:
    """Stop a model: end its process."""
    models = _models(session)
    found = models.find(model)
    models.stop(found)
    _done(session, "stopped", found)


@command(served, "restart")
def restart(session: Session, model: ModelName, wait: Wait = 600.0) -> None:
    """Start a model again, whatever its state, and wait until it is deployed."""
    models = _models(session)
    found = models.find(model)
    models.restart(found)
    _done(session, "restarted", _awaited(models, found.id, time.monotonic() + wait))


@command(served, "remove")
def remove(session: Session, model: ModelName) -> None:
    """Remove a model, and end its process."""
    models = _models(session)
    found = models.find(model)
    models.remove(found)
    _done(session, "removed", found)


@command(served, "logs")
def logs(session: Session, model: ModelName) -> None:
    """Print the end of the log of a model."""
    models = _models(session)
    log = models.log(models.find(model))
    if session.out.json:
        session.out.data({"log": log.decode(errors="replace")})
    session.out.say("\n".join(log_lines(log)))


def _models(session: Session) -> ServedModelsClient:
    # The environment may name the studio that runs here.
    if not session.local and session.client.address != facade_address(session.home):
        raise CommandFailed(
            "served models run on the machine of the studio: run the command there",
            Exit.USAGE,
        )
    return ServedModelsClient(session.home)


def _awaited(models: ServedModelsClient, model_id: str, deadline: float) -> ServedModel:
    """Waits until the model is deployed. Raises CommandFailed if it fails, or at the deadline."""
    while True:
        model = models.find(model_id)
        if model.status == DEPLOYED:
            return model
        if model.status in OVER:
            last = "\n".join(log_lines(models.log(model))[-LOG_LINES:])
            raise CommandFailed(f"{model.name} is {model.status}; its log ends with\n{last}")
        if time.monotonic() > deadline:
            raise CommandFailed(
                f"{model.name} is {model.status} and not deployed yet; `fts served logs "
                f"{shlex.quote(model.name)}` shows its log",
                Exit.UNAVAILABLE,
            )
        time.sleep(POLL_SECONDS)


def _done(session: Session, what: str, model: ServedModel) -> None:
    if session.out.json:
        session.out.data({what: model.id})
    session.out.say(f"{what} {model.name}  {model.id}")
