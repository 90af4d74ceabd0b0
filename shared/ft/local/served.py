"""Client for the models that the workbench of this machine serves.

Uses HTTP, with the address and the key from the studio's home.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import asdict, dataclass
from typing import Any

from ft.local.errors import BadSetting, ModelRefused, NotServing
from ft.local.home import Home
from ft.local.layout import PROJECT_ID

DEPLOYED = "deployed"
OVER = ("failed", "stopped", "build failed")
PAGE_SIZE = 100
_REQUEST_SECONDS = 60.0
CALL_SECONDS = 660.0
"""Longer than the workbench waits for the answer of a model."""


@dataclass(frozen=True)
class ServedModel:
    """A model with its newest deployment."""

    id: str
    name: str
    access_key: str
    auth_enabled: bool
    build_id: str = ""
    deployment_id: str = ""
    status: str = "without a deployment"
    created_at: str = ""

    def facts(self) -> dict[str, Any]:
        """Its fields without the access key."""
        return {name: value for name, value in asdict(self).items() if name != "access_key"}


class ServedModelsClient:
    """Lists, asks and controls the models of the workbench.

    Raises NotServing if it does not answer, ModelRefused if it refuses a request, and BadSetting
    for a studio whose models are in a workspace.
    """

    def __init__(self, home: Home) -> None:
        setup = home.setup()
        if setup is not None and setup.workspace:
            raise BadSetting(
                "the models of this studio are in its workspace: use the pages of the workspace"
            )
        self.key_file = home.workbench_key
        try:
            self.url = home.workbench_url.read_text().strip()
            self._key = home.workbench_key.read_text().strip()
        except OSError:
            raise NotServing(f"no workbench runs in {home.path}; `fts up` starts one") from None

    def all(self) -> list[ServedModel]:
        """Every model, oldest first."""
        return [self._with_deployment(found) for found in self._pages("models", "")]

    def find(self, reference: str) -> ServedModel:
        """The model with that id or name; the newest if several have the name."""
        models = self._pages("models", "")
        found = [m for m in models if m["id"] == reference] or [
            m for m in models if m["name"] == reference
        ]
        if not found:
            raise ModelRefused(f"no served model has the id or name {reference!r}")
        return self._with_deployment(found[-1])

    def ask(self, model: ServedModel, request: dict[str, Any]) -> Any:
        """Sends a request to the model, and returns its answer."""
        body = {"accessKey": model.access_key, "request": request}
        answer = self._json("POST", "/model", body, CALL_SECONDS)
        return answer["response"]

    def stop(self, model: ServedModel) -> None:
        """Ends the model's process; the model stays."""
        if model.deployment_id:
            self._json("POST", f"{_deployment(model)}:stop")

    def restart(self, model: ServedModel) -> None:
        """Starts the model again when its present process has ended."""
        if not model.deployment_id:
            raise ModelRefused(f"the model is {model.status} and cannot be restarted")
        self._json("POST", f"{_deployment(model)}:restart")

    def remove(self, model: ServedModel) -> None:
        """Ends the model's processes and removes it."""
        self._json("DELETE", f"{_models()}/{model.id}")

    def log(self, model: ServedModel) -> bytes:
        """The end of the output of the model's process."""
        if not model.deployment_id:
            return b""
        return self._answer("GET", f"{_deployment(model)}/logs")

    def _with_deployment(self, model: dict[str, Any]) -> ServedModel:
        facts = {name: model[name] for name in ("id", "name", "access_key", "auth_enabled")}
        builds = self._pages("model_builds", f"/{model['id']}/builds")
        if not builds:
            return ServedModel(**facts)
        build = builds[-1]
        path = f"/{model['id']}/builds/{build['id']}/deployments"
        deployments = self._pages("model_deployments", path)
        if not deployments:
            return ServedModel(**facts, build_id=build["id"], status=build["status"])
        newest = deployments[-1]
        return ServedModel(
            **facts,
            build_id=build["id"],
            deployment_id=newest["id"],
            status=newest["status"],
            created_at=newest["created_at"],
        )

    def _pages(self, field: str, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            query = urllib.parse.urlencode({"page_size": PAGE_SIZE, "page_token": token})
            page = self._json("GET", f"{_models()}{path}?{query}")
            found.extend(page.get(field) or [])
            token = page.get("next_page_token") or ""
            if not token:
                return found

    def _json(
        self, method: str, path: str, body: Any = None, seconds: float = _REQUEST_SECONDS
    ) -> Any:
        return json.loads(self._answer(method, path, body, seconds) or b"{}")

    def _answer(
        self, method: str, path: str, body: Any = None, seconds: float = _REQUEST_SECONDS
    ) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - the workbench's own address
            f"{self.url}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
            method=method,
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=seconds) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            try:
                refusal = json.loads(error.read())
                message = "; ".join(refusal.get("errors") or [refusal["message"]])
            except (ValueError, KeyError, TypeError, AttributeError):
                message = f"HTTP {error.code}"
            raise ModelRefused(message) from None
        except OSError as error:
            raise NotServing(f"the workbench at {self.url} does not answer: {error}") from None


def _models() -> str:
    return f"/api/v2/projects/{PROJECT_ID}/models"


def _deployment(model: ServedModel) -> str:
    return f"{_models()}/{model.id}/builds/{model.build_id}/deployments/{model.deployment_id}"
