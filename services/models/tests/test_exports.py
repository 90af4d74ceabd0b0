"""Exports by a job, with real peers and a job that really runs, in a real workbench."""

import json
from pathlib import Path

import pytest

import cmlapi
from chassis.rpc import errors
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    ExportJobMetadata,
    ListJobEventsRequest,
    RegisterExportRequest,
    RemoveExportJobRequest,
)
from ft.proto.fine_tuning_studio_pb2 import GetModelRequest, RemoveAdapterRequest
from jobs.testing import PROJECT_ID
from services.models.tests.conftest import MADE, TEMPLATE, Studio


async def test_export_becomes_a_model_of_the_registry_and_of_the_studio(studio: Studio) -> None:
    job = await studio.start(
        model_name="a tuned one",
        model_description="said of it",
        artifact_location="place",
        generation_config='{"top_k": 5}',
        job_cpu=1,
        job_memory=3,
    )
    assert (job.status.state, job.location) == ("SCHEDULED", f"exports/{job.id}")
    assert (job.num_cpu, job.num_memory, job.num_gpu) == (1, 3, 0)
    await _is_told_what_to_export(studio, job)

    model = await studio.register(job, **MADE)

    assert (model.type, model.name) == ("model_registry", "a tuned one")
    assert (model.mlflow_experiment_id, model.mlflow_run_id) == ("7", "run-1")
    registered = studio.workbench.api.get_registered_model(model.cml_registered_model_id)
    assert (registered.name, registered.description) == ("a tuned one", "said of it")
    for one in (await studio.adapter(), await studio.get(job.id)):
        found = (one.cml_registered_model_id, one.mlflow_experiment_id, one.mlflow_run_id)
        assert found == (model.cml_registered_model_id, "7", "run-1")
    # The answer may get lost: the same again makes no other.
    assert await studio.register(job, **MADE) == model
    assert len(registered.model_versions or []) == 1
    ended = await studio.ends(job)
    assert ended.model_id == model.id
    request = ListJobEventsRequest(job_id=job.id)
    events = (await studio.models(lambda s: s.ListJobEvents, request)).events
    assert [event.state for event in events if event.kind == "STATE"][-1] == "SUCCEEDED"


async def _is_told_what_to_export(studio: Studio, job: ExportJobMetadata) -> None:
    flags = (await studio.seen(job))["flags"]
    assert json.loads(flags.pop("--model_name")) == "a tuned one"
    assert json.loads(flags.pop("--generation_config")) == {"top_k": 5}
    assert flags == {
        "--export_type": "model_registry",
        "--base_model_id": "m",
        "--adapter_id": "a",
        "--artifact_location": "place",
        "--result_dir": f"exports/{job.id}",
    }


async def test_interrupted_registration_is_continued(studio: Studio) -> None:
    job = await studio.start()
    half = studio.workbench.api.create_registered_model(
        cmlapi.CreateRegisteredModelRequest(
            project_id=PROJECT_ID, experiment_id="7", run_id="run-1", model_name="tuned"
        )
    )

    model = await studio.register(job, **MADE)

    assert model.cml_registered_model_id == half.model_id


async def test_adapter_removal_does_not_end_its_export(
    studio: Studio,
) -> None:
    job = await studio.start()
    await studio.adapters(lambda s: s.RemoveAdapter, RemoveAdapterRequest(id="a"))
    model = await studio.register(job, **MADE)
    assert (await studio.ends(job)).model_id == model.id


async def test_name_taken_meanwhile_is_not_registered(studio: Studio) -> None:
    job = await studio.start()
    studio.workbench.api.create_registered_model(
        cmlapi.CreateRegisteredModelRequest(
            project_id=PROJECT_ID, experiment_id="8", run_id="another", model_name="tuned"
        )
    )

    with pytest.raises(errors.AlreadyExists, match="'tuned' is already used"):
        await studio.register(job, **MADE)

    assert not (await studio.get(job.id)).model_id
    assert not (await studio.adapter()).mlflow_run_id


async def test_merged_export_becomes_a_model_of_the_project(studio: Studio) -> None:
    job = await studio.start(type="merged", model_name="merged")
    assert (await studio.seen(job))["flags"]["--export_type"] == "merged"

    model = await studio.register(job)

    assert (model.type, model.name) == ("project", "merged")
    assert model.location == f"exports/{job.id}/model"
    assert await studio.register(job) == model
    assert (await studio.get(job.id)).model_id == model.id
    assert not (await studio.adapter()).cml_registered_model_id


async def test_registration_needs_the_token_of_the_job(studio: Studio) -> None:
    job = await studio.start()
    for id, token in ((job.id, "none"), ("no-such-job", (await studio.seen(job))["token"])):
        request = RegisterExportRequest(job_id=id, token=token, **MADE)
        with pytest.raises(errors.Unauthenticated):
            await studio.models(lambda s, r=request: s.RegisterExport, request)  # type: ignore[misc]


async def test_export_is_cancelled_and_removed(studio: Studio) -> None:
    job = await studio.start()
    await studio.seen(job)
    stopping = await studio.cancel(job)
    assert stopping.status.state in ("STOPPING", "STOPPED")
    for _ in range(2):
        await studio.models(lambda s: s.RemoveExportJob, RemoveExportJobRequest(id=job.id))
    assert (await studio.listed(), studio.workbench.jobs()) == ([], [])
    with pytest.raises(errors.NotFound, match="export job"):
        await studio.get(job.id)


async def test_export_without_its_template_uses_the_one_for_training(studio: Studio) -> None:
    api = studio.workbench.api
    template = studio.workbench.job(TEMPLATE)
    older = studio.workbench.job("Accel_Finetuning_Base_Job")
    template.name = "Renamed_Base_Job"
    api.update_job(template, PROJECT_ID, str(template.id))
    try:
        job = await studio.start()
        created = api.get_job(PROJECT_ID, job.cml_job_id)
        assert created.script == str(Path(older.script or "").with_name("export.py"))
        assert created.runtime_identifier == older.runtime_identifier
    finally:
        template.name = TEMPLATE
        api.update_job(template, PROJECT_ID, str(template.id))


async def test_export_names_every_wrong_field(studio: Studio) -> None:
    refusal = await studio.refusal(
        base_model_id=" ",
        adapter_id="",
        model_name="a/b",
        artifact_location="../x",
        generation_config="[]",
        job_cpu=0,
        job_memory=-1,
        job_gpu=-1,
    )
    assert isinstance(refusal, errors.InvalidArgument)
    assert {v.field: v.rule for v in refusal.violations} == {
        "base_model_id": "FT-001",
        "adapter_id": "FT-001",
        "model_name": "FT-220",
        "artifact_location": "FT-220",
        "generation_config": "FT-006",
        "job_cpu": "FT-802",
        "job_memory": "FT-802",
        "job_gpu": "FT-803",
    }


@pytest.mark.parametrize("name", [".", ".."])
async def test_name_of_an_existing_folder_is_refused(studio: Studio, name: str) -> None:
    refusal = await studio.refusal(model_name=name)
    assert [(v.field, v.rule) for v in refusal.violations] == [("model_name", "FT-220")]


async def test_unknown_settings_are_refused(studio: Studio) -> None:
    refusal = await studio.refusal(generation_config='{"top_kk": 5, "top_p": "most"}')
    assert [v.rule for v in refusal.violations] == ["FT-806", "FT-807"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"base_model_id": "nope"}, "base_model_id: model 'nope' does not exist"),
        ({"adapter_id": "nope"}, "adapter_id: adapter 'nope' does not exist"),
        ({"adapter_id": "a-other"}, "was trained on model 'other'"),
        ({"adapter_id": "a-registry"}, "of type 'model_registry' cannot be exported"),
    ],
)
async def test_contradicting_options_are_refused(
    studio: Studio, fields: dict[str, str], message: str
) -> None:
    refusal = await studio.refusal(**fields)
    assert isinstance(refusal, errors.FailedPrecondition)
    assert message in refusal.message


async def test_taken_name_is_refused(studio: Studio) -> None:
    refusal = await studio.refusal(model_name="base")
    assert isinstance(refusal, errors.AlreadyExists)
    assert (refusal.metadata["field"], refusal.metadata["holder_id"]) == ("model_name", "m")
    studio.workbench.api.create_registered_model(
        cmlapi.CreateRegisteredModelRequest(
            project_id=PROJECT_ID, experiment_id="8", run_id="another", model_name="tuned"
        )
    )
    refusal = await studio.refusal()
    assert isinstance(refusal, errors.AlreadyExists)
    assert refusal.metadata["field"] == "model_name"
    # A merged model goes to the studio alone.
    assert (await studio.start(type="merged")).type == "merged"


async def test_exported_model_can_be_fetched(studio: Studio) -> None:
    job = await studio.start()
    model = await studio.register(job, **MADE)
    found = (await studio.models(lambda s: s.GetModel, GetModelRequest(id=model.id))).model
    assert found == model
