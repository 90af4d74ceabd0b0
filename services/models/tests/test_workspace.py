"""Models of the registry and served models, in a real workbench."""

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import cmlapi
from chassis import domains
from chassis.rpc import errors
from chassis.testing.services import ServiceProcess, put_rows, services, settings_in
from chassis.testing.weights import lora, write_adapter
from cmlapi.rest import ApiException
from ft.proto.fine_tuning_studio_pb2 import (
    AddModelRequest,
    ExportModelRequest,
    ExportModelResponse,
    ModelMetadata,
)
from tests.processes import starts_processes


@pytest.fixture(scope="module")
@starts_processes
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a workbench that answers."""
    folder = tmp_path_factory.mktemp("workbench")
    starter = str(folder / "no-starter")
    with ServiceProcess(folder, "workbench", FTS_WORKBENCH_STARTER_DIR=starter) as process:
        deadline = time.monotonic() + 120
        while not _answers(folder):
            assert time.monotonic() < deadline, process.log.read_text()
            time.sleep(0.05)
        yield folder


def _answers(folder: Path) -> bool:
    try:
        url = (folder / "workbench.url").read_text()
        with urllib.request.urlopen(f"{url}/healthz", timeout=5):
            return True
    except OSError:
        return False


class Studio:
    """Calls to the services and to the workspace."""

    def __init__(self, folder: Path, api: cmlapi.CMLServiceApi) -> None:
        settings = settings_in(folder, "test")
        self.api = api
        self.models = domains.models(settings)
        self.adapters = domains.adapters(settings)

    async def close(self) -> None:
        await self.models.close()
        await self.adapters.close()

    async def add(self, registry_id: str) -> ModelMetadata:
        request = AddModelRequest(type="model_registry", model_registry_id=registry_id)
        return (await self.models(lambda s: s.AddModel, request)).model

    async def export(self, **fields: Any) -> ExportModelResponse:
        sent: dict[str, Any] = {
            "type": "cml_model",
            "base_model_id": "m-project",
            "adapter_id": "a-project",
            "model_name": "served",
            **fields,
        }
        return await self.models(lambda s: s.ExportModel, ExportModelRequest(**sent))

    def served(self, name: str) -> Any:
        found = self.api.list_models("local", search_filter=json.dumps({"name": name})).models
        return found[0] if found else None

    def all_served(self, name: str) -> list[str]:
        """Ids of the workspace's models of that name."""
        found = self.api.list_models("local", search_filter=json.dumps({"name": name})).models
        return [str(model.id) for model in found or []]


@pytest.fixture
async def studio(
    workbench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Studio]:
    monkeypatch.setenv("CDSW_API_URL", (workbench / "workbench.url").read_text())
    monkeypatch.setenv("CDSW_APIV2_KEY", (workbench / "workbench.key").read_text().strip())
    monkeypatch.setenv("CDSW_PROJECT_ID", "local")
    async with services(tmp_path, "models", "adapters", "prompts"):
        studio = Studio(tmp_path, cmlapi.default_client())
        await put_rows(tmp_path, "models", *MODELS)
        await put_rows(tmp_path, "adapters", *ADAPTERS)
        await put_rows(tmp_path, "prompts", PROMPT)
        yield studio
        await studio.close()


MODELS = [
    {"id": "m-project", "type": "project", "name": "base", "location": "models/base"},
    {"id": "m-hub", "type": "huggingface", "name": "o/m", "huggingface_model_name": "o/m"},
    {"id": "m-registry", "type": "model_registry", "name": "r"},
]
TEMPLATES = {
    "prompt_template": "{a}: {b}",
    "input_template": "{a}:",
    "completion_template": " {b}",
}
PROMPT = {"id": "p", "type": "in_place", "name": "p", "dataset_id": "d", **TEMPLATES}
ADAPTERS = [
    {
        "id": "a-prompted",
        "type": "project",
        "model_id": "m-project",
        "location": "adapters/prompted",
        "prompt_id": "p",
    },
    {"id": "a-project", "type": "project", "model_id": "m-project", "location": "adapters/a"},
    {"id": "a-of-hub", "type": "project", "model_id": "m-hub", "location": "adapters/b"},
    {"id": "a-hub", "type": "huggingface", "model_id": "m-project"},
    {"id": "a-registry", "type": "project", "model_id": "m-registry", "location": "adapters/c"},
]


@pytest.mark.starts_processes
async def test_registry_model_is_registered(studio: Studio) -> None:
    registered = studio.api.create_registered_model(
        cmlapi.CreateRegisteredModelRequest(
            project_id="local",
            experiment_id="7",
            run_id="run-1",
            model_path="model",
            model_name="tuned",
        )
    )
    assert registered.model_id
    added = await studio.add(registered.model_id)
    assert (added.type, added.name) == ("model_registry", "tuned")
    assert added.cml_registered_model_id == registered.model_id
    assert (added.mlflow_experiment_id, added.mlflow_run_id) == ("7", "run-1")
    with pytest.raises(errors.AlreadyExists, match=added.id):
        await studio.add(registered.model_id)


async def test_model_missing_from_the_registry_is_refused(studio: Studio) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add("no-such-model")
    assert [v.field for v in refused.value.violations] == ["model_registry_id"]


async def test_base_model_is_served_with_its_adapter(studio: Studio) -> None:
    response = await studio.export(model_description="d", generation_config='{"top_k": 5}')
    assert (response.base_model_id, response.adapter_id) == ("m-project", "a-project")
    model = studio.served("served")
    assert (model.description, model.auth_enabled) == ("d", True)
    assert response.cml_model_id == model.id
    [build] = studio.api.list_model_builds("local", model.id).model_builds or []
    jobs = studio.api.list_jobs("local").jobs or []
    template = next(job for job in jobs if job.name == "Accel_Finetuning_Base_Job")
    assert build.file_path == str(Path(template.script or "").with_name("predict.py"))
    assert build.function_name == "api_wrapper"
    assert build.runtime_identifier == template.runtime_identifier
    deployments = studio.api.list_model_deployments("local", model.id, build.id or "")
    [deployment] = deployments.model_deployments or []
    assert (deployment.cpu, deployment.memory, deployment.nvidia_gpu) == (2, 8, 1)
    assert json.loads(deployment.environment or "") == {
        "FINE_TUNING_STUDIO_BASE_MODEL_HF_NAME": "models/base",
        "FINE_TUNING_STUDIO_ADAPTER_LOCATION": "adapters/a",
        "FINE_TUNING_STUDIO_GEN_CONFIG_STRING": '{"top_k": 5}',
    }


async def test_resources_and_access_of_a_served_model_are_options(studio: Studio) -> None:
    await studio.export(model_name="small", cpu=1, memory=3, gpu=0, disable_authentication=True)
    model = studio.served("small")
    assert model.auth_enabled is False
    [build] = studio.api.list_model_builds("local", model.id).model_builds or []
    deployments = studio.api.list_model_deployments("local", model.id, build.id or "")
    [deployment] = deployments.model_deployments or []
    assert (deployment.cpu, deployment.memory, deployment.nvidia_gpu) == (1, 3, 0)


async def test_values_out_of_range_are_named(studio: Studio) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.export(cpu=0, memory=-1, gpu=-1, generation_config='{"top_q": 1}')
    found = {violation.field: violation.rule for violation in refused.value.violations}
    assert found == {
        "cpu": "FT-802",
        "memory": "FT-802",
        "gpu": "FT-803",
        "generation_config": "FT-806",
    }


async def test_model_that_cannot_be_built_leaves_nothing(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = cmlapi.CMLServiceApi.create_model_build

    def refuse(api: cmlapi.CMLServiceApi, body: Any, *where: Any, **named: Any) -> Any:
        body.auto_deployment_config.nvidia_gpus = -1
        return build(api, body, *where, **named)

    monkeypatch.setattr(cmlapi.CMLServiceApi, "create_model_build", refuse)
    with pytest.raises(errors.FailedPrecondition, match="nvidia_gpus: must not be negative"):
        await studio.export(model_name="withdrawn")
    assert studio.served("withdrawn") is None


async def test_adapter_is_served_with_the_prompt_of_its_training(
    studio: Studio, tmp_path: Path
) -> None:
    folder = settings_in(tmp_path, "test").project / "adapters" / "prompted"
    write_adapter(folder, lora({"model.layers.0.self_attn.q_proj": (8, 8)}), ["q_proj"])
    trained = folder / "parity.json"
    trained.write_text(json.dumps({**TEMPLATES, "input_template": "{a} -"}))
    wanted = {"adapter_id": "a-prompted", "model_name": "prompted"}
    for type in ("cml_model", "model_registry", "merged"):
        with pytest.raises(errors.FailedPrecondition, match="wrong template: input_") as found:
            await studio.export(type=type, **wanted)
        assert [v.rule for v in found.value.violations] == ["FT-208"]
    assert studio.served("prompted") is None
    # What is damaged, the served process tells of; what agrees is served.
    for content in ("{", "[]", json.dumps(TEMPLATES)):
        trained.write_text(content)
        assert (await studio.export(**wanted | {"model_name": f"of {content}"})).cml_model_id


@pytest.mark.parametrize("type", ["cml_model", "model_registry", "merged"])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("adapter_model.safetensors", b"version https://git-lfs.github.com/spec/v1", "LFS pointer"),
        ("adapter_config.json", b"{", "cannot be read or has no peft_type"),
        ("adapter_config.json", b'{"peft_type": "LORA", "task_type": "SEQ_CLS"}', "task SEQ_CLS"),
        ("manifest.json", b'{"base_model": {"name": "a/other"}}', ""),
    ],
)
async def test_broken_adapter_is_neither_exported_nor_served(
    studio: Studio, tmp_path: Path, type: str, name: str, content: bytes, said: str
) -> None:
    folder = settings_in(tmp_path, "test").project / "adapters" / "a"
    write_adapter(folder, lora({"model.layers.0.self_attn.q_proj": (8, 8)}), ["q_proj"])
    (folder / name).write_bytes(content)

    if not said:  # A name of the hub says nothing of a base that is a directory.
        # Jobs of this workbench have no trainer.
        assert type != "cml_model" or await studio.export(type=type, model_name="fits")
        return
    with pytest.raises(errors.FailedPrecondition, match=said) as refused:
        await studio.export(type=type)
    assert [(one.field, one.rule) for one in refused.value.violations] == [("adapter_id", "FT-225")]


async def test_hub_model_is_served_by_its_hub_name(studio: Studio) -> None:
    await studio.export(base_model_id="m-hub", adapter_id="a-of-hub", model_name="from-hub")
    model = studio.served("from-hub")
    [build] = studio.api.list_model_builds("local", model.id).model_builds or []
    deployments = studio.api.list_model_deployments("local", model.id, build.id or "")
    [deployment] = deployments.model_deployments or []
    environment = json.loads(deployment.environment or "")
    assert environment["FINE_TUNING_STUDIO_BASE_MODEL_HF_NAME"] == "o/m"
    assert environment["FINE_TUNING_STUDIO_GEN_CONFIG_STRING"] == "{}"


async def test_export_names_every_wrong_field(studio: Studio) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.export(
            type="other", base_model_id="", adapter_id="", model_name=" ", generation_config="[]"
        )
    fields = {violation.field for violation in refused.value.violations}
    assert fields == {"type", "base_model_id", "adapter_id", "model_name", "generation_config"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"base_model_id": "nope"}, "base_model_id: model 'nope' does not exist"),
        ({"adapter_id": "nope"}, "adapter_id: adapter 'nope' does not exist"),
        ({"adapter_id": "a-of-hub"}, "was trained on model 'm-hub'"),
        ({"adapter_id": "a-hub"}, "adapter of type 'huggingface' cannot be served"),
        (
            {"base_model_id": "m-registry", "adapter_id": "a-registry"},
            "base model of type 'model_registry' cannot be served",
        ),
    ],
)
async def test_models_that_cannot_be_served_are_refused(
    studio: Studio, fields: dict[str, str], message: str
) -> None:
    with pytest.raises(errors.FailedPrecondition, match=message):
        await studio.export(model_name="refused", **fields)
    assert studio.served("refused") is None


async def test_name_is_served_once_for_concurrent_requests(studio: Studio) -> None:
    asked = [studio.export(model_name="wanted by many") for _ in range(20)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    [made] = [one for one in outcomes if isinstance(one, ExportModelResponse)]
    refused = [one for one in outcomes if isinstance(one, errors.AlreadyExists)]
    assert len(refused) == 19
    assert {r.metadata["holder_id"] for r in refused} == {made.cml_model_id}
    assert studio.all_served("wanted by many") == [made.cml_model_id]


async def test_name_served_meanwhile_by_another_process_is_not_served_twice(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = cmlapi.CMLServiceApi.create_model

    def slowly(api: cmlapi.CMLServiceApi, body: Any, project_id: str, **named: Any) -> Any:
        create(api, cmlapi.CreateModelRequest(name=body.name), project_id)
        return create(api, body, project_id, **named)

    monkeypatch.setattr(cmlapi.CMLServiceApi, "create_model", slowly)
    with pytest.raises(errors.AlreadyExists, match="is already used") as refused:
        await studio.export(model_name="contended")
    assert studio.all_served("contended") == [refused.value.metadata["holder_id"]]


async def test_repeated_request_serves_one_model(studio: Studio) -> None:
    wanted = {"model_name": "asked again", "request_id": "served-1"}
    answers = await asyncio.gather(*(studio.export(**wanted) for _ in range(20)))
    [model_id] = {answer.cml_model_id for answer in answers}
    assert studio.all_served("asked again") == [model_id]
    for other in ({"model_name": "another"}, {"type": "merged"}):
        with pytest.raises(errors.InvalidArgument) as refused:
            await studio.export(**wanted | other)
        assert [(v.field, v.rule) for v in refused.value.violations] == [("request_id", "FT-018")]
    # What is gone is made anew.
    studio.api.delete_model("local", model_id)
    again = (await studio.export(**wanted)).cml_model_id
    assert again != model_id
    assert studio.all_served("asked again") == [again]


async def test_repeat_of_a_request_cut_off_before_the_build_is_served(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise ApiException(status=503, reason="away")

    wanted = {"model_name": "cut off", "request_id": "served-2"}
    with monkeypatch.context() as patched:
        # Neither the build nor the withdrawal gets through, as when the service is killed.
        patched.setattr(cmlapi.CMLServiceApi, "create_model_build", away)
        patched.setattr(cmlapi.CMLServiceApi, "delete_model", away)
        with pytest.raises(errors.Refusal):
            await studio.export(**wanted)
    [left] = studio.all_served("cut off")
    served = (await studio.export(**wanted)).cml_model_id
    assert studio.all_served("cut off") == [served] != [left]
    assert studio.api.list_model_builds("local", served).model_builds


@pytest.mark.parametrize("type", ["cml_model", "model_registry", "merged"])
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("x" * 257, "FT-222"),
        ("two\nlines", "FT-120"),
        ("a bell\a", "FT-120"),
        ("a line\u2028end", "FT-120"),
    ],
)
async def test_name_without_visible_characters_is_refused(
    studio: Studio, type: str, name: str, rule: str
) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.export(type=type, model_name=name)
    assert [(v.field, v.rule) for v in refused.value.violations] == [("model_name", rule)]


async def test_name_may_be_long_and_in_any_script(studio: Studio) -> None:
    name = "日本語 \N{FAMILY} " + "ü" * 200
    assert (await studio.export(model_name=name)).cml_model_id
