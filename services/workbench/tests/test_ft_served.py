"""What `fts served` and `fts ask` see of a workbench."""

import re
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from typer.testing import CliRunner

import cmlapi
from ft import api
from ft.cli.app import app
from ft.cli.commands.serve import deployed
from ft.cli.exits import CommandFailed
from ft.cli.session import Session
from ft.local.errors import BadSetting, ModelRefused, NotServing
from ft.local.home import Home, Setup
from ft.local.served import ServedModel, ServedModelsClient
from ft.proto import fine_tuning_studio_pb2_grpc as studio_grpc

CODE = """
def answer(args):
    if "messages" in args:
        [said] = args["messages"]
        return f"{said['role']}: {said['content']}, {sorted(args)}"
    if not args["prompt"]:
        raise ValueError("prompt: must be given")
    return f"{args['prompt']} and {args.get('max_new_tokens')}"
"""


@pytest.fixture(scope="module")
def served(shared: Any) -> ServedModel:
    """A model that is served, and a newer one of the same name that is not."""
    workbench = shared.client()
    (shared.project / "served.py").write_text(CODE)
    made = [
        workbench.create_model(cmlapi.CreateModelRequest(name="asked"), "local") for _ in range(2)
    ]
    build = cmlapi.CreateModelBuildRequest(
        file_path="served.py", function_name="answer", auto_deploy_model=True
    )
    workbench.create_model_build(build, "local", made[0].id)
    models = ServedModelsClient(Home(shared.home))
    found = models.find(made[0].id)
    while found.status in ("pending", "deploying"):
        found = models.find(made[0].id)
    assert models.find("asked").id == made[1].id
    assert models.find("asked").status == "without a deployment"
    models.remove(models.find("asked"))
    return found


def fts(home: Path, *arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments, "--home", str(home)], catch_exceptions=False)


def test_served_model_is_listed_called_and_its_log_shown(shared: Any, served: ServedModel) -> None:
    assert served.status == "deployed"
    assert "asked" in fts(shared.home, "served").stdout
    assert "access_key" not in fts(shared.home, "served", "list", "--json").stdout
    asked = fts(shared.home, "ask", "asked", "a question", "--max-new-tokens", "3")
    assert asked.stdout == "a question and 3\n"
    chat = fts(shared.home, "ask", "asked", "hi", "--chat", "--max-new-tokens", "3")
    assert chat.stdout == "user: hi, ['max_new_tokens', 'messages']\n"
    assert "and serving" in fts(shared.home, "served", "logs", "asked").stdout


def test_refusal_of_a_served_model_is_reported(shared: Any, served: ServedModel) -> None:
    refused = fts(shared.home, "ask", "asked", "")
    assert (refused.exit_code, refused.stderr) == (4, "error: prompt: must be given\n")
    unknown = fts(shared.home, "ask", "nobody", "x")
    assert unknown.exit_code == 4
    assert "no served model has the id or name 'nobody'" in unknown.stderr


class Taken(studio_grpc.FineTuningStudioServicer):
    """A studio that has the name already, whichever it is."""

    def ExportModel(self, request: Any, context: grpc.ServicerContext) -> Any:
        context.abort(grpc.StatusCode.ALREADY_EXISTS, "model_name: is taken")


@pytest.fixture
def taken() -> Iterator[str]:
    """The address of such a studio."""
    server = grpc.server(futures.ThreadPoolExecutor(1))
    studio_grpc.add_FineTuningStudioServicer_to_server(Taken(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


def test_suggested_commands_quote_names_for_a_shell(shared: Any, taken: str) -> None:
    session = Session(taken, shared.home, False)
    models = ServedModelsClient(Home(shared.home))
    with pytest.raises(CommandFailed, match=re.escape("`fts served remove '$(date) x'`")):
        deployed(session, models, api.ExportModelRequest(model_name="$(date) x"), 1.0)


NEEDS_ITS_ADAPTER = """
import pathlib, sys
if not pathlib.Path("away").is_dir():
    sys.exit(78)
def answer(args): return "it is back"
"""


def test_failed_model_is_restarted(shared: Any, wait: Callable[..., Any]) -> None:
    workbench = shared.client()
    (shared.project / "needs.py").write_text(NEEDS_ITS_ADAPTER)
    made = workbench.create_model(cmlapi.CreateModelRequest(name="came back"), "local")
    without = fts(shared.home, "served", "restart", "came back")
    assert (without.exit_code, without.stderr) == (
        4,
        "error: the model is without a deployment and cannot be restarted\n",
    )
    build = cmlapi.CreateModelBuildRequest(
        file_path="needs.py", function_name="answer", auto_deploy_model=True
    )
    workbench.create_model_build(build, "local", made.id)
    models = ServedModelsClient(Home(shared.home))
    wait("it has failed", lambda: models.find(made.id).status == "failed")
    again = fts(shared.home, "served", "restart", "came back")
    assert again.exit_code == 1
    assert "came back is failed; its log ends with" in again.stderr
    (shared.project / "away").mkdir()
    assert fts(shared.home, "served", "restart", "came back").exit_code == 0
    assert fts(shared.home, "ask", "came back", "?").stdout == "it is back\n"
    models.remove(models.find(made.id))


def test_served_model_is_stopped_and_removed(
    shared: Any, served: ServedModel, wait: Callable[..., Any]
) -> None:
    models = ServedModelsClient(Home(shared.home))
    assert fts(shared.home, "served", "stop", "asked").exit_code == 0
    wait("it is stopped", lambda: models.find("asked").status == "stopped")
    with pytest.raises(ModelRefused, match="the model is stopped"):
        models.ask(served, {"prompt": "x"})
    assert fts(shared.home, "served", "remove", "asked").exit_code == 0
    with pytest.raises(ModelRefused, match="no served model"):
        models.find("asked")


def test_missing_workbench_is_reported(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(NotServing, match="fts up"):
        ServedModelsClient(home)
    home.workbench_url.write_text("http://127.0.0.1:9")
    home.workbench_key.write_text("key")
    with pytest.raises(NotServing, match="does not answer"):
        ServedModelsClient(home).all()
    home.remember(Setup(listen="", project="", trainer_python="", workspace=True))
    with pytest.raises(BadSetting, match="workspace"):
        ServedModelsClient(home)
    elsewhere = fts(tmp_path, "served", "--server", "127.0.0.1:1")
    assert elsewhere.exit_code == 2
    assert "on the machine of the studio" in elsewhere.stderr
    home.run_dir.mkdir()
    (home.run_dir / "facade.address").write_text("127.0.0.1:1")
    named = fts(tmp_path, "served", "--server", "127.0.0.1:1")
    assert "are in its workspace" in named.stderr, "it is the studio of this home"
