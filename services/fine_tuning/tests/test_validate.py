"""A job that is looked at in place of being started."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.rpc import errors
from chassis.testing.services import put_rows, services
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    DataSummary,
    Finding,
    MemoryEstimate,
    ValidateFineTuningJobRequest,
)
from ft.proto.fine_tuning_studio_pb2 import (
    ListConfigsRequest,
)
from jobs.testing import PROJECT_ID, Inspector, WorkbenchProcess, inspecting
from services.fine_tuning.tests.looks import PEERS, RAN, ROWS, WRONG, Studio, found


@pytest.fixture
async def studio(tmp_path: Path, workspace: WorkbenchProcess) -> AsyncIterator[Studio]:
    async with services(tmp_path, *PEERS, "fine_tuning"), inspecting(tmp_path) as inspector:
        for name, rows in ROWS.items():
            await put_rows(tmp_path, name, *rows)
        studio = Studio(tmp_path, workspace, inspector)
        yield studio
        await studio.close()


SHIPPED_NOTICES = [
    "warmup_ratio has no effect: lr_scheduler_type constant has no warm-up",
    "fp16 is replaced by 32-bit floating point: the job has no GPU",
    "optim paged_adamw_32bit is replaced by adamw_torch: the job has no GPU",
]
"""What is said of the shipped settings of a training without a GPU."""
EFFECTS = {("NOTICE", "training_arguments_config", "FT-816")}


async def test_valid_request_is_valid_and_changes_nothing(studio: Studio) -> None:
    response = await studio.look(lora_config='{"r": 3}', user_config='{"a": 1}')
    assert response.valid
    assert {(one.severity, one.rule) for one in response.findings} == {("NOTICE", "FT-816")}
    assert [one.description for one in response.findings] == SHIPPED_NOTICES
    assert not any(response.HasField(name) for name in ("data", "memory", "time"))


async def test_inspection_sees_the_job_as_it_would_start(studio: Studio) -> None:
    await studio.look(
        num_gpu=1,
        learning_rate=0.002,
        dataset_fraction=0.5,
        train_test_split=0.75,
        adapter_bnb_config='{"load_in_8bit": true}',
    )
    [asked] = studio.inspector.asked
    assert (asked.kind, asked.model.location, asked.dataset.name) == (
        "fine_tuning",
        "base",
        "intents",
    )
    assert asked.prompt.id == "p"
    assert (asked.dataset_fraction, asked.train_test_split) == (0.5, 0.75)
    training = json.loads(asked.training_arguments_json)
    assert (training["learning_rate"], training["optim"]) == (0.002, "paged_adamw_32bit")
    assert json.loads(asked.lora_config_json)["r"] == 16
    assert json.loads(asked.bnb_config_json) == {"load_in_8bit": True}
    assert (asked.gpu, asked.memory_gib, asked.num_workers) == (1, 4, 1)


async def test_errors_of_every_kind_are_reported_together(studio: Studio) -> None:
    response = await studio.look(**WRONG)
    assert not response.valid
    assert found(response) == {
        ("ERROR", "adapter_name", "FT-602"),
        ("ERROR", "base_model_id", "FT-012"),
        ("ERROR", "prompt_id", "FT-605"),
        ("ERROR", "output_dir", "FT-010"),
        ("ERROR", "num_workers", "FT-608"),
        ("ERROR", "num_cpu", "FT-802"),
        ("ERROR", "lora_config", "FT-806"),
        ("ERROR", "user_config_id", "FT-012"),
    }
    assert "Did you mean lora_alpha?" in str(response.findings)
    assert studio.inspector.asked == []


@pytest.mark.parametrize("field", WRONG)
async def test_start_refuses_what_validate_finds_invalid(studio: Studio, field: str) -> None:
    wrong = {field: WRONG[field]}
    found = (await studio.look(**wrong)).findings
    [finding] = [one for one in found if one.rule != "FT-816"]
    with pytest.raises(errors.Refusal) as refused:
        await studio.jobs(lambda s: s.StartFineTuningJob, studio.request(**wrong))
    assert finding.description in refused.value.message
    rules = {violation.rule for violation in refused.value.violations}
    assert finding.rule in (rules or {refused.value.metadata["rule"]})


async def test_start_accepts_what_validate_finds_valid(studio: Studio) -> None:
    script = studio.workbench.script("train.py", "")
    fields = {"user_script": script, "num_epochs": 2}
    assert (await studio.look(**fields)).valid
    started = await studio.jobs(lambda s: s.StartFineTuningJob, studio.request(**fields))
    assert started.fine_tuning_job.status.state == "SCHEDULED"


async def test_invalid_field_is_not_also_reported_as_missing(studio: Studio) -> None:
    response = await studio.look(base_model_id="", prompt_id="a b")
    assert found(response) == {
        ("ERROR", "base_model_id", "FT-001"),
        ("ERROR", "prompt_id", "FT-801"),
    }


@pytest.mark.parametrize(
    ("type", "text", "broken"),
    [
        ("axolotl", "{datasets: [{type: alpaca}], adapter: lora}", []),
        ("axolotl", "{datasets: [{path: d}], adapter: lora}", ["FT-607"]),
        ("axolotl", "{datasets: [], adapter: lora}", ["FT-607"]),
        ("axolotl", "base_model: m", ["FT-607", "FT-609"]),
        ("custom", '{"datasets": [{"type": "alpaca"}], "adapter": "lora"}', ["FT-607"]),
        ("axolotl", "{datasets: [{type: alpaca}]}", ["FT-609"]),
        ("axolotl", "{datasets: [{type: gpteacher}], adapter: lora}", ["FT-610"]),
        ("axolotl", "{datasets: [{type: invented}], adapter: lora}", ["FT-610"]),
        ("axolotl", "{datasets: [{typ: alpaca}]}", ["FT-607", "FT-609", "FT-612"]),
    ],
)
async def test_axolotl_config_names_a_format_that_the_data_has_and_an_adapter(
    studio: Studio, type: str, text: str, broken: list[str]
) -> None:
    response = await studio.look(**await studio.axolotl(text, type))
    assert [f.rule for f in response.findings if f.field == "axolotl_config_id"] == broken
    assert response.valid == (not broken)


async def test_settings_that_axolotl_refuses_or_ignores_are_reported(
    studio: Studio,
) -> None:
    text = "{datasets: [{type: alpaca}], adapter: lora, lora_r: eight, learning_rte: 1e-4}"
    fields = await studio.axolotl(text)
    response = await studio.look(**fields)
    assert [(one.field, one.rule) for one in response.findings] == [
        ("axolotl_config_id", "FT-612"),
        ("axolotl_config_id", "FT-612"),
    ]
    # In the order in which the config is stored.
    [name, value] = [one.description for one in response.findings]
    assert value.startswith('lora_r must be a whole number, not "eight", for Axolotl ')
    assert name.startswith("learning_rte is not known to Axolotl ")
    assert name.endswith("Did you mean learning_rate?")
    with pytest.raises(errors.FailedPrecondition) as refused:
        await studio.jobs(lambda s: s.StartFineTuningJob, studio.request(**fields))
    assert [one.description for one in refused.value.violations] == [name, value]
    assert refused.value.code_reason == "AXOLOTL_SETTINGS_UNFIT"


async def test_axolotl_needs_its_config_and_no_prompt(studio: Studio) -> None:
    fields = await studio.axolotl()
    response = await studio.look(**{**fields, "axolotl_config_id": "nope"})
    assert found(response) == {("ERROR", "axolotl_config_id", "FT-012")}


async def test_settings_that_axolotl_decides_are_reported(studio: Studio) -> None:
    fields = await studio.axolotl()
    response = await studio.look(**fields, num_epochs=2, lora_config='{"r": 4}')
    assert found(response) == {
        ("NOTICE", "framework_type", "FT-810"),
        ("NOTICE", "num_epochs", "FT-611"),
        ("NOTICE", "lora_config", "FT-611"),
    }
    assert studio.inspector.asked == []


async def test_axolotl_trains_on_one_worker(studio: Studio) -> None:
    response = await studio.look(**await studio.axolotl(), num_workers=2)
    assert ("ERROR", "num_workers", "FT-606") in found(response)


@pytest.mark.parametrize(
    ("said", "valid"), [("legacy", False), ("legacy, axolotl", True), ("", True)]
)
async def test_axolotl_request_without_axolotl_is_refused(
    studio: Studio, said: str, valid: bool
) -> None:
    fields = await studio.axolotl()
    studio.workbench.let_jobs_have(said)
    response = await studio.look(**fields)
    assert response.valid == valid
    if not valid:
        [finding] = [one for one in response.findings if one.severity == "ERROR"]
        assert (finding.field, finding.rule) == ("framework_type", "FT-606")
        assert finding.description == "axolotl is not installed where jobs run; installed: legacy"
        with pytest.raises(errors.FailedPrecondition):
            await studio.jobs(lambda s: s.StartFineTuningJob, studio.request(**fields))


async def test_errors_apart_from_the_data_do_not_prevent_its_inspection(
    studio: Studio,
) -> None:
    studio.inspector.answer.data.CopyFrom(DataSummary(rows=7))
    response = await studio.look(adapter_name="taken", output_dir="nowhere")
    assert not response.valid
    assert response.data.rows == 7


async def test_inspection_findings_count_and_come_by_severity(
    studio: Studio,
) -> None:
    for severity in ("NOTICE", "WARNING", "ERROR"):
        studio.inspector.answer.findings.append(
            Finding(severity=severity, field="dataset_id", rule="FT-x", description="d", rows=2)
        )
    studio.inspector.answer.memory.CopyFrom(MemoryEstimate(gib=3.5, asked_gib=4))
    response = await studio.look()
    found = [one.severity for one in response.findings if one.rule == "FT-x"]
    assert found == ["ERROR", "WARNING", "NOTICE"]
    assert not response.valid
    assert (response.memory.gib, response.findings[0].rows) == (3.5, 2)
    del studio.inspector.answer.findings[2:]
    assert (await studio.look()).valid


async def test_users_script_is_not_checked(studio: Studio) -> None:
    script = studio.workbench.script("own.py", "")
    response = await studio.look(user_script=script, lora_config='{"rank": 3}')
    assert response.valid
    assert found(response) == {("NOTICE", "user_script", "FT-810")}
    assert studio.inspector.asked == []


async def test_time_is_taken_from_the_newest_jobs_on_the_same_hardware(studio: Studio) -> None:
    data = DataSummary(tokens=1000, steps_per_epoch=10, total_steps=30)
    studio.inspector.answer.data.CopyFrom(data)
    assert not (await studio.look()).HasField("time")
    speeds = [1.0, 100.0, 200.0, 50.0, 400.0, 150.0]
    ran = [{**RAN, "id": f"j-{n}", "tokens_per_second": s} for n, s in enumerate(speeds)]
    others = [
        {**RAN, "id": "o-1", "num_cpu": 2, "tokens_per_second": 9.0},
        {**RAN, "id": "o-2", "num_gpu": 1, "tokens_per_second": 9.0},
        {**RAN, "id": "o-3", "base_model_id": "other", "tokens_per_second": 9.0},
        {**RAN, "id": "o-4", "state": "FAILED", "tokens_per_second": 9.0},
        {**RAN, "id": "o-5", "gpu_label_id": 3, "tokens_per_second": 9.0},
        {**RAN, "id": "o-6"},
    ]
    await put_rows(studio.folder, "fine_tuning", *ran, *others)
    time = (await studio.look()).time
    assert list(time.job_ids) == ["j-5", "j-4", "j-3", "j-2", "j-1"]
    assert (time.tokens_per_second, time.seconds) == (150.0, 20.0)


async def test_shipped_configs_pass_the_check_of_settings(studio: Studio) -> None:
    shipped = (await studio.configs(lambda s: s.ListConfigs, ListConfigsRequest())).configs
    by_type = {config.type: config.config for config in shipped if config.is_default}
    response = await studio.look(
        training_arguments_config=by_type["training_arguments"],
        lora_config=by_type["lora_config"],
        model_bnb_config=by_type["bitsandbytes_config"],
    )
    assert [one.description for one in response.findings] == [
        *SHIPPED_NOTICES,
        "4-bit quantisation is replaced by 32-bit weights: the job has no GPU",
    ]


@pytest.mark.parametrize("away", [*PEERS, "inspection"])
async def test_domain_that_is_down_is_named(
    tmp_path: Path, workspace: WorkbenchProcess, away: str
) -> None:
    async with services(tmp_path, "fine_tuning"):
        async with services(tmp_path, *PEERS):
            for name, rows in ROWS.items():
                await put_rows(tmp_path, name, *rows)
        there = [name for name in PEERS if name != away]
        studio = Studio(tmp_path, workspace, Inspector())
        async with services(tmp_path, *there):
            request = ValidateFineTuningJobRequest(request=studio.request())
            with pytest.raises(errors.Unavailable) as refused:
                await studio.jobs(lambda s: s.ValidateFineTuningJob, request)
        await studio.close()
    assert refused.value.metadata == {"service": away}


async def test_workspace_that_is_down_is_a_warning(
    tmp_path: Path, workspace: WorkbenchProcess, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDSW_API_URL", f"http://127.0.0.1:{closed_port}/api/v2")
    async with services(tmp_path, *PEERS, "fine_tuning"), inspecting(tmp_path) as inspector:
        for name, rows in ROWS.items():
            await put_rows(tmp_path, name, *rows)
        studio = Studio(tmp_path, workspace, inspector)
        response = await studio.look()
        await studio.close()
    assert (response.valid, len(inspector.asked)) == (True, 1)
    assert found(response) - EFFECTS == {("WARNING", "", "FT-809")}


async def test_workspace_without_the_template_job_is_an_error(studio: Studio) -> None:
    template = studio.workbench.job("Accel_Finetuning_Base_Job")
    renamed = studio.workbench.job("Accel_Finetuning_Base_Job")
    renamed.name = "Another_Base_Job"
    studio.workbench.api.update_job(renamed, PROJECT_ID, str(template.id))
    try:
        response = await studio.look()
    finally:
        studio.workbench.api.update_job(template, PROJECT_ID, str(template.id))
    assert found(response) - EFFECTS == {("ERROR", "", "FT-809")}
    assert "Accel_Finetuning_Base_Job" in response.findings[0].description


TWICE = [
    ({"num_epochs": 3}, {"num_train_epochs": 5}, "training_arguments_config", "num_train_epochs 5"),
    (
        {"learning_rate": 0.5},
        {"learning_rate": 0.1},
        "training_arguments_config",
        "learning_rate 0",
    ),
    ({"num_epochs": 3}, {"max_steps": 9}, "num_epochs", "num_epochs 3 has no effect: max_steps 9"),
]


@pytest.mark.parametrize(("fields", "config", "field", "said"), TWICE)
async def test_setting_given_twice_is_reported(
    studio: Studio, fields: dict[str, float], config: dict[str, float], field: str, said: str
) -> None:
    response = await studio.look(**fields, training_arguments_config=json.dumps(config))

    assert response.valid
    [told] = [one for one in response.findings if one.rule == "FT-132"]
    assert (told.severity, told.field) == ("NOTICE", field)
    assert said in told.description


@pytest.mark.parametrize(
    "fields",
    [
        {"num_epochs": 5, "training_arguments_config": '{"num_train_epochs": 5.0}'},
        {"num_epochs": 5, "training_arguments_config": '{"num_train_epochs": null}'},
        {"num_epochs": 5, "training_arguments_config": '{"max_steps": -1}'},
        {"training_arguments_config": '{"num_train_epochs": 5}'},
        {"num_epochs": 5, "learning_rate": 0.5},
    ],
)
async def test_setting_given_once_is_not_reported(studio: Studio, fields: dict[str, Any]) -> None:
    response = await studio.look(**fields)
    assert "FT-132" not in {one.rule for one in response.findings}
