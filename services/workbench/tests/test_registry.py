"""Models, their builds and deployments, and the model registry, through the real client."""

import json
from collections.abc import Callable
from typing import Any

import cmlapi
from cmlapi.utils import Cursor
from services.workbench.tests.refusals import refused


def test_models_builds_and_deployments_are_kept(
    shared: Any, api: cmlapi.CMLServiceApi, wait: Callable[..., Any]
) -> None:
    model = api.create_model(cmlapi.CreateModelRequest(name="m", description="d"), "local")
    where = ("local", model.id or "")
    build = api.create_model_build(
        cmlapi.CreateModelBuildRequest(
            file_path="no-such-script.py",
            function_name="api_wrapper",
            auto_deploy_model=True,
            auto_deployment_config=cmlapi.ShortCreateModelDeployment(
                cpu=2, memory=8, nvidia_gpus=1, environment={"A": "b"}
            ),
        ),
        *where,
    )
    assert (build.status, build.function_name) == ("pending", "api_wrapper")
    (deployment,) = Cursor(api.list_model_deployments, *where, build.id).items()
    assert (deployment.cpu, deployment.nvidia_gpu) == (2, 1)
    assert json.loads(deployment.environment) == {"A": "b"}
    there = (*where, build.id or "", deployment.id)
    wait("it fails", lambda: api.get_model_deployment(*there).status == "failed")
    assert api.get_model_build(*where, build.id or "").status == "build failed"
    assert api.stop_model_deployment(*there).status == "failed"
    renamed = api.update_model(cmlapi.UpdateSingleModel(name="n"), *where)
    assert (renamed.name, renamed.description) == ("n", "d")
    api.delete_model(*where)
    refused(404, api.get_model, *where)
    refused(404, api.get_model_deployment, *there)


def _register(api: cmlapi.CMLServiceApi, run: str) -> Any:
    return api.create_registered_model(
        cmlapi.CreateRegisteredModelRequest(
            project_id="local",
            experiment_id="7",
            run_id=run,
            model_path="model",
            model_name="registered",
            tags=[cmlapi.Tag(key="k", value="v")],
        )
    )


def test_registry_numbers_versions_and_keeps_them(api: cmlapi.CMLServiceApi) -> None:
    first = _register(api, "r1")
    again = _register(api, "r2")
    assert again.model_id == first.model_id
    assert [v.number for v in again.model_versions] == [1, 2]
    newest = again.model_versions[1]
    metadata = newest.model_version_metadata
    assert (metadata.mlops_type, metadata.mlflow_metadata.experiment_id) == ("MLFLOW", "7")
    assert (metadata.mlflow_metadata.run_id, newest.tags[0].value) == ("r2", "v")
    api.delete_registered_model_version(again.model_id, newest.model_version_id)
    assert [v.number for v in _register(api, "r3").model_versions] == [1, 3]
    wanted = json.dumps({"model_name": "registered"})
    (listed,) = api.list_registered_models(search_filter=wanted).models or []
    assert (listed.model_id, listed.count) == (first.model_id, 2)
    page = api.get_registered_model(first.model_id, page_size=1)
    assert page.next_page_token
    api.delete_registered_model(first.model_id)
    refused(404, api.get_registered_model, first.model_id)
    refused(404, api.get_registered_model_version, first.model_id, newest.model_version_id)
