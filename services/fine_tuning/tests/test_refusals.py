"""What is not started, and what is said of it."""

import asyncio
from pathlib import Path

import pytest

from chassis.rpc import errors
from chassis.testing.services import put_rows, services
from jobs.testing import WorkbenchProcess
from services.fine_tuning.tests.studio import (
    PEERS,
    Studio,
)


async def test_invalid_fields_and_paths_are_reported_together(studio: Studio) -> None:
    refusal = await studio.refusal(
        adapter_name="a b", output_dir="nowhere", user_script="../train.py", num_cpu=0
    )
    assert isinstance(refusal, errors.InvalidArgument)
    fields = {v.field for v in refusal.violations}
    assert fields == {"adapter_name", "output_dir", "user_script", "num_cpu"}


async def test_prompt_id_that_no_script_could_read_is_refused(studio: Studio) -> None:
    refusal = await studio.refusal(prompt_id="p q")
    assert isinstance(refusal, errors.InvalidArgument)
    assert [v.field for v in refusal.violations] == ["prompt_id"]


@pytest.mark.parametrize("field", ["base_model_id", "dataset_id", "prompt_id", "user_config_id"])
async def test_references_must_exist(studio: Studio, field: str) -> None:
    refusal = await studio.refusal(**{field: "nope"})
    assert isinstance(refusal, errors.FailedPrecondition)
    assert refusal.violations[0].field == field
    assert "'nope'" in refusal.message


async def test_prompt_of_another_dataset_is_refused(studio: Studio) -> None:
    refusal = await studio.refusal(dataset_id="d-2")
    assert isinstance(refusal, errors.FailedPrecondition)
    assert refusal.code_reason == "PROMPT_OF_OTHER_DATASET"
    assert "'d'" in refusal.message
    assert "'d-2'" in refusal.message


async def test_prompt_that_does_not_fit_the_loss_is_refused(studio: Studio) -> None:
    settings = {"training_arguments_config": '{"completion_only_loss": true}'}
    prompts = {
        "p-fits": ("{a} {b}", "{a}", " {b}"),
        "p-other": ("{a} {b}", "{a}", "{b}"),
        "p-blank": ("{a} {b}", "{a} ", "{b}"),
    }
    names = ("prompt_template", "input_template", "completion_template")
    rows = [
        {"id": id, "name": id, "dataset_id": "d", **dict(zip(names, texts, strict=True))}
        for id, texts in prompts.items()
    ]
    await put_rows(studio.home, "prompts", *rows)
    for prompt, said in (
        ("p-other", "followed by its completion_template"),
        ("p-blank", "does not end in a space"),
    ):
        refusal = await studio.refusal(prompt_id=prompt, user_script="", **settings)
        assert refusal.code_reason == "PROMPT_UNFIT_FOR_LOSS"
        [violation] = refusal.violations
        assert (violation.field, violation.rule) == ("prompt_id", "FT-621")
        assert said in violation.description
    # A script of the user's own may make of it what it likes; and what fits is taken.
    await studio.start(prompt_id="p-other", **settings)
    await studio.start(prompt_id="p-fits", adapter_name="fits", user_script="", **settings)


async def test_name_of_an_adapter_or_a_job_is_refused(studio: Studio) -> None:
    refusal = await studio.refusal(adapter_name="alone")
    assert isinstance(refusal, errors.AlreadyExists)
    assert (refusal.metadata["holder_id"], refusal.metadata["rule"]) == ("a-alone", "FT-602")
    job = await studio.start()
    with pytest.raises(errors.AlreadyExists) as refused:
        await studio.start()
    assert refused.value.metadata["holder_id"] == job.id


async def test_name_goes_to_one_of_concurrent_starts(studio: Studio) -> None:
    outcomes = await asyncio.gather(*(studio.start() for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(outcome, errors.AlreadyExists) for outcome in outcomes) == 3
    assert len(await studio.listed()) == len(studio.workbench.jobs()) == 1


async def test_request_sent_many_times_at_once_makes_one_job(studio: Studio) -> None:
    sent = []
    for _ in range(40):
        sent.append(asyncio.create_task(studio.start(request_id="r-1")))
        await asyncio.sleep(0.002)  # for one to be in every step that another takes
    answers = await asyncio.gather(*sent)
    assert {answer.id for answer in answers} == {job.id for job in await studio.listed()}
    assert len(await studio.listed()) == 1


@pytest.mark.parametrize("away", PEERS)
async def test_domain_that_is_down_is_named_and_nothing_written(
    tmp_path: Path, workspace: WorkbenchProcess, away: str
) -> None:
    there = [name for name in PEERS if name != away]
    async with services(tmp_path, "fine_tuning"):
        studio = Studio(tmp_path, workspace)
        async with services(tmp_path, *PEERS):
            await studio.fill()
        async with services(tmp_path, *there):
            refusal = await studio.refusal()
        await studio.close()
    assert isinstance(refusal, errors.Unavailable)
    assert refusal.metadata == {"service": away}


async def test_record_says_that_the_workspace_was_down(
    tmp_path: Path, workspace: WorkbenchProcess, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDSW_API_URL", f"http://127.0.0.1:{closed_port}/api/v2")
    async with services(tmp_path, *PEERS, "fine_tuning"):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        with pytest.raises(errors.Unavailable, match="the workspace did not answer"):
            await studio.start()
        [job] = await studio.listed()
        await studio.close()
    assert job.status.state == "FAILED"
    assert "the workspace did not answer" in job.status.failure_reason


async def test_setting_given_twice_is_a_notice_of_the_job(studio: Studio) -> None:
    twice = {"num_epochs": 3, "training_arguments_config": '{"num_train_epochs": 5}'}
    job = await studio.start(adapter_name="twice", user_script="", **twice)
    said = "num_train_epochs 5 has no effect: num_epochs of the request is 3."
    assert list(job.status.notices) == [f"training_arguments_config: {said}"]
    # A script of the user's own has its own idea of settings.
    assert not (await studio.start(adapter_name="own", **twice)).status.notices
