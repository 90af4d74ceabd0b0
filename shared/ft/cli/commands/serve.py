"""`fts serve`, `ask` and `served`: adapters that answer over HTTP, from this machine."""

import shlex
import time
from typing import Annotated

import typer

from ft import api
from ft.cli.exits import CommandFailed, Exit
from ft.cli.options import GenerationConfig, OwnResources
from ft.cli.output.log_text import log_lines
from ft.cli.resources import ADAPTERS, text_or_file
from ft.cli.session import Session, alone, command
from ft.client import AlreadyExistsError
from ft.local.served import DEPLOYED, OVER, ServedModel, ServedModelsClient
from ft.local.studio import facade_address

POLL_SECONDS = 0.5
LOG_LINES = 12

ModelName = Annotated[str, typer.Argument(metavar="ID|NAME", help="A served model.")]
Wait = Annotated[float, typer.Option(help="Most seconds to wait until it is deployed.")]

served = typer.Typer(help="Models that are served on this machine; without a command, lists them.")


def serve(
    session: Session,
    adapter: Annotated[str, typer.Argument(metavar="ADAPTER", help="Its id, or its name.")],
    *,
    name: Annotated[
        str, typer.Option(help="Name to serve it under; the adapter's name by default.")
    ] = "",
    generation_config: GenerationConfig = "",
    resources: OwnResources,
    without_key: Annotated[
        bool, typer.Option(help="Require only the model's access key, no API key.")
    ] = False,
    wait: Wait = 600.0,
) -> None:
    """Serve an adapter on its base model, and say how to ask it."""
    models = _models(session)
    found = ADAPTERS.find(session.client, adapter)
    request = api.ExportModelRequest(
        type=api.ModelExportType.CML_MODEL,
        base_model_id=found.model_id,
        adapter_id=found.id,
        model_name=name or found.name,
        generation_config=text_or_file(generation_config),
        disable_authentication=without_key,
        **resources.asked(),
    )
    _tell(session, models, deployed(session, models, request, wait))


def deployed(
    session: Session, models: ServedModelsClient, request: api.ExportModelRequest, seconds: float
) -> ServedModel:
    """The model that the request asks for, once it is deployed.

    Raises CommandFailed if the name is taken, or with the end of the model's log if it cannot be
    served.
    """
    name = request.model_name
    try:
        model_id = session.client.ExportModel(request).cml_model_id
    except AlreadyExistsError:
        raise CommandFailed(
            f"a model named {name!r} already exists; `fts served remove {shlex.quote(name)}`, or "
            "choose another --name",
            Exit.REFUSED,
        ) from None
    session.out.announce(f"model {name}  {model_id}")
    return _awaited(models, model_id, time.monotonic() + seconds)


def ask(
    session: Session,
    model: ModelName,
    text: Annotated[
        str, typer.Argument(metavar="TEXT|@FILE", help="The prompt, as in the model's training.")
    ],
    chat: Annotated[
        bool,
        typer.Option(
            "--chat",
            help="Send the text as a chat message, to a model that was trained on conversations.",
        ),
    ] = False,
    max_new_tokens: Annotated[
        int | None, typer.Option(min=1, help="Most tokens of the answer.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, help="Sampling temperature; 0 for no randomness.")
    ] = None,
) -> None:
    """Ask a served model, and print what it writes behind the text."""
    models = _models(session)
    options = {"max_new_tokens": max_new_tokens, "temperature": temperature}
    given = {name: value for name, value in options.items() if value is not None}
    said = text_or_file(text)
    asked = {"messages": [{"role": "user", "content": said}]} if chat else {"prompt": said}
    answer = models.ask(models.find(model), {**asked, **given})
    if session.out.json:
        session.out.data({"response": answer})
    session.out.say(str(answer))


@command(served, "list")
def list_served(session: Session) -> None:
    """List the models that are served, or were."""
    found = _models(session).all()
    if session.out.json:
        session.out.data([model.facts() for model in found])
    elif not found:
        session.out.say("no models yet; `fts serve` serves one")
    else:
        rows = [[model.id, model.name, model.status, model.created_at] for model in found]
        session.out.table(["ID", "NAME", "STATUS", "SINCE"], rows)


alone(served, list_served)


@command(served, "stop")
def stop(session: Session, model: ModelName) -> None:
    """End a model's process."""
    models = _models(session)
    found = models.find(model)
    models.stop(found)
    _done(session, "stopped", found)


@command(served, "restart")
def restart(session: Session, model: ModelName, wait: Wait = 600.0) -> None:
    """Start a model again, in any state; returns once it is deployed."""
    models = _models(session)
    found = models.find(model)
    models.restart(found)
    _done(session, "restarted", _awaited(models, found.id, time.monotonic() + wait))


@command(served, "remove")
def remove(session: Session, model: ModelName) -> None:
    """End a model's process, and forget the model."""
    models = _models(session)
    found = models.find(model)
    models.remove(found)
    _done(session, "removed", found)


@command(served, "logs")
def logs(session: Session, model: ModelName) -> None:
    """Print the end of a model's log."""
    models = _models(session)
    log = models.log(models.find(model))
    if session.out.json:
        session.out.data({"log": log.decode(errors="replace")})
    session.out.say("\n".join(log_lines(log)))


def _models(session: Session) -> ServedModelsClient:
    # The environment may well name the studio that runs here.
    if not session.local and session.client.address != facade_address(session.home):
        raise CommandFailed("models are served on the studio's own machine; ask there", Exit.USAGE)
    return ServedModelsClient(session.home)


def _awaited(models: ServedModelsClient, model_id: str, deadline: float) -> ServedModel:
    """The model once it is deployed."""
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
                f"{shlex.quote(model.name)}` shows more",
                Exit.UNAVAILABLE,
            )
        time.sleep(POLL_SECONDS)


def _tell(session: Session, models: ServedModelsClient, model: ServedModel) -> None:
    address = f"{models.url}/model"
    if session.out.json:
        session.out.data({**model.facts(), "url": address, "access_key": model.access_key})
        return
    key = f'  -H "Authorization: Bearer $(cat {shlex.quote(str(models.key_file))})" \\\n'
    session.out.say(
        f'it is served; ask it with\n\n  fts ask {shlex.quote(model.name)} "..."\n\n'
        "(--chat, if it was trained on conversations) or\n\n"
        f"curl {address} -H 'Content-Type: application/json' \\\n"
        f"{key if model.auth_enabled else ''}"
        f'  -d \'{{"accessKey": "{model.access_key}", "request": {{"prompt": "..."}}}}\''
    )


def _done(session: Session, what: str, model: ServedModel) -> None:
    if session.out.json:
        session.out.data({what: model.id})
    session.out.say(f"{what} {model.name}  {model.id}")
