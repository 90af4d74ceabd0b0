"""Models that a workbench serves, as the tests make and call them."""

import json
import textwrap
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import psutil

import cmlapi

ECHO = """
import os, pathlib, sys, time
with open("begun", "a") as file:
    file.write(f"{os.getpid()}\\n")
print("a line of the script's own", flush=True)

def answer(args):
    if args.get("bad"):
        raise ValueError("bad: must not be set")
    if args.get("wrong"):
        return 1 / 0
    if args.get("end"):
        os._exit(3)
    if args.get("strange"):
        return {1, 2}
    while args.get("wait_for") and not pathlib.Path(args["wait_for"]).exists():
        time.sleep(0.01)
    return {"echo": args, "pid": os.getpid(), "greeting": os.environ.get("GREETING")}
"""


@dataclass
class Served:
    """A model, its build and its deployment."""

    harness: Any
    model: cmlapi.Model
    build_id: str
    id: str

    @property
    def there(self) -> tuple[str, str, str, str]:
        return ("local", str(self.model.id), self.build_id, self.id)

    def status(self) -> str:
        return str(self.harness.client().get_model_deployment(*self.there).status)

    def call(self, request: Any, key: str | None = "", **body: Any) -> tuple[int, Any]:
        """HTTP status and content of the answer to a call; `key` None for one without a key."""
        bearer = self.harness.key if key == "" else key
        content = {"accessKey": self.model.access_key, "request": request} | body
        return post(self.harness.url, json.dumps(content).encode(), bearer)

    def log(self) -> str:
        path = "projects/{}/models/{}/builds/{}/deployments/{}/logs".format(*self.there)
        asked = urllib.request.Request(
            f"{self.harness.url}/api/v2/{path}",
            headers={"Authorization": f"Bearer {self.harness.key}"},
        )
        with urllib.request.urlopen(asked, timeout=120) as answer:
            return str(answer.read().decode())


def deployed(harness: Any, code: str, *, of: Served | None = None, **fields: Any) -> Served:
    """A script, built and on its way to be served; as another build of the model `of`, if given."""
    api = harness.client()
    script = harness.project / f"model{len(list(harness.project.glob('model*.py')))}.py"
    script.write_text(textwrap.dedent(code))
    options = {
        "disable_authentication": fields.pop("disable_authentication", False),
        "accelerator_label_id": fields.pop("accelerator_label_id", None),
    }
    model = (
        of.model
        if of
        else api.create_model(cmlapi.CreateModelRequest(name=script.stem, **options), "local")
    )
    request = cmlapi.CreateModelBuildRequest(
        file_path=fields.pop("file_path", script.name),
        function_name=fields.pop("function_name", "answer"),
        auto_deploy_model=True,
        auto_deployment_config=cmlapi.ShortCreateModelDeployment(**fields),
    )
    build = api.create_model_build(request, "local", model.id)
    listed = api.list_model_deployments("local", model.id, build.id)
    return Served(harness, model, build.id, listed.model_deployments[0].id)


def post(url: str, content: bytes, bearer: str | None) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    if bearer is not None:
        headers["Authorization"] = f"Bearer {bearer}"
    asked = urllib.request.Request(f"{url}/model", content, headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
