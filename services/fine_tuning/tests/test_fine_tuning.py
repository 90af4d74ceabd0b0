"""The fine-tuning service with its real peers and jobs that really run, in a real workbench."""

import json
from pathlib import Path

import psutil
import pytest

from chassis.rpc import errors
from chassis.rpc.peers import PeerRefusal
from chassis.testing.services import exported_rows, put_rows, services
from ft.proto.fine_tuning_studio_pb2 import (
    AddConfigRequest,
    ListConfigsRequest,
    RemoveConfigRequest,
)
from ft.proto.fine_tuning_studio_types_pb2 import RetryPolicy
from jobs.testing import WorkbenchProcess, until
from services.fine_tuning.tests.studio import OLD_JOBS, PEERS, SCRIPT, WAITS, Studio, content


async def test_job_runs_from_start_to_success(studio: Studio) -> None:
    started = await studio.start(learning_rate=0.002, num_epochs=3)
    assert started.status.state == "SCHEDULED"
    assert started.cml_job_id
    job = await studio.reach(started.id, "SUCCEEDED", "FAILED")
    assert (job.status.state, job.status.failure_reason) == ("SUCCEEDED", "")
    assert (job.status.step, job.status.total_steps, job.status.loss) == (2, 2, 0.5)
    assert job.status.finished_at >= job.status.started_at >= job.status.created_at > ""
    assert (job.adapter_id, job.adapter_name) == ("a-new", "new")
    assert (job.num_epochs, round(job.learning_rate, 6)) == (3, 0.002)
    assert (job.num_workers, job.dataset_fraction) == (1, 1.0)
    assert job.out_dir == f"adapters/{job.id}"
    assert (studio.workbench.project / "adapters").is_dir()
    assert json.loads(job.manifest) == {"seed": 7, "prompt": "a b"}
    job.manifest = ""  # Lists do without it.
    assert await studio.listed() == [job]
    assert studio.workbench.job(job.id).id == job.cml_job_id


async def test_crashed_job_continues_by_itself(studio: Studio) -> None:
    refused = await studio.refusal(retry=RetryPolicy(max_attempts=11))
    assert [v.rule for v in refused.violations] == ["FT-813"]
    crashes = 'attempt = int(os.environ.get("FTS_ATTEMPT", 1))\nif attempt < 2: os.abort()\n'
    # The folder is there when another attempt begins.
    script = SCRIPT.replace("parents=True", "parents=True, exist_ok=True") + crashes
    studio.workbench.script("retried.py", script)
    policy = RetryPolicy(max_attempts=2)
    started = await studio.start(user_script="retried.py", retry=policy)
    assert started.status.retry.max_attempts == 2
    job = await studio.reach(started.id, "SUCCEEDED", "FAILED")
    assert (job.status.state, job.status.attempt) == ("SUCCEEDED", 2)


async def test_unset_settings_come_from_the_shipped_configs(studio: Studio) -> None:
    job = await studio.start()
    assert json.loads(job.lora_config)["r"] == 16
    training = json.loads(job.training_arguments_config)
    assert (training["optim"], job.num_epochs) == ("paged_adamw_32bit", 1)
    assert job.model_bnb_config == ""


async def test_configs_are_found_by_job_and_its_record_outlives_them(
    studio: Studio,
) -> None:
    own = '{"r": 4, "lora_alpha": 8}'
    job = await studio.start(lora_config=own, user_config='{"a b": "c d"}')
    request = ListConfigsRequest(fine_tuning_job_id=job.id)
    found = (await studio.configs(lambda s: s.ListConfigs, request)).configs
    assert {c.type for c in found} == {"lora_config", "training_arguments", "custom"}
    [lora] = [c for c in found if c.type == "lora_config"]
    assert json.loads(lora.config) == json.loads(own)
    [custom] = [c for c in found if c.type == "custom"]
    assert job.user_config_id == custom.id
    await studio.configs(lambda s: s.RemoveConfig, RemoveConfigRequest(id=lora.id))
    assert json.loads((await studio.get(job.id)).lora_config) == json.loads(own)


async def test_log_is_followed_to_its_end(studio: Studio) -> None:
    job = await studio.start(WAITS)
    answers = studio.tail(job.id, follow=True)
    assert (await anext(answers)).data == b"waiting\n"
    (studio.folder(job.id) / "go").touch()
    rest = [chunk async for chunk in answers]
    assert b"".join(chunk.data for chunk in rest) == b"going\n"
    assert rest[-1].next_offset == len(b"waiting\ngoing\n")
    assert (await studio.get(job.id)).status.state == "SUCCEEDED"


async def test_log_of_an_unknown_job_is_not_found(studio: Studio) -> None:
    with pytest.raises(PeerRefusal, match="job 'nope' does not exist") as refused:
        await anext(studio.tail("nope"))
    assert isinstance(refused.value.typed(), errors.NotFound)


async def test_remove_of_a_running_job_ends_its_process(studio: Studio) -> None:
    job = await studio.start(WAITS)
    file = studio.folder(job.id) / "pid"
    pid = await until("the job runs", lambda: file.exists() and file.read_text())
    assert psutil.pid_exists(int(pid))
    await studio.remove(job.id)
    await until("its process is gone", lambda: not psutil.pid_exists(int(pid)))
    assert await studio.listed() == []
    assert studio.workbench.jobs() == []
    await studio.remove(job.id)


async def test_job_lost_by_the_workspace_can_be_removed(studio: Studio) -> None:
    job = await studio.start(WAITS)
    studio.workbench.api.delete_job("local", job.cml_job_id)
    await studio.remove(job.id)
    assert await studio.listed() == []


async def test_split_of_an_adapter_is_that_of_its_job(studio: Studio) -> None:
    await put_rows(studio.home, "fine_tuning", *OLD_JOBS)
    assert await studio.split("a-job") == (0.5, 0.25)
    assert await studio.split("a-name") == (0.75, 0.5)
    default = (1.0, pytest.approx(0.9))
    assert await studio.split("a-alone") == default
    assert await studio.split("nobody") == default
    # Its job is known by id and is gone; one of the same name is another.
    assert await studio.split("a-gone") == default


async def test_jobs_of_a_studio_without_states_count_as_ended(studio: Studio) -> None:
    await put_rows(studio.home, "fine_tuning", *OLD_JOBS)
    assert [job.status.state for job in await studio.listed()] == ["UNKNOWN", "UNKNOWN"]
    job = await studio.start()
    await studio.reach(job.id, "SUCCEEDED")
    assert [job.status.state for job in await studio.listed()][:2] == ["UNKNOWN", "UNKNOWN"]
    report = await put_rows(studio.home, "fine_tuning", {"id": "j-3", "state": "BUSY"})
    assert [row.place for row in report.refused] == ["fine_tuning_jobs[0].state"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("num_epochs", 2**40),
        ("num_epochs", 10**30),
        ("learning_rate", float("nan")),
        ("learning_rate", 10**400),
        ("created_at", "0001-01-01T00:00:00+14:00"),
        ("notices", "{"),
        ("notices", "[1]"),
        ("id", "../elsewhere"),
        ("id", ".."),
    ],
)
async def test_import_refuses_what_a_list_could_not_show(
    studio: Studio, column: str, value: object
) -> None:
    report = await put_rows(studio.home, "fine_tuning", {"id": "j-9", column: value})
    assert [row.place for row in report.refused] == [f"fine_tuning_jobs[0].{column}"]
    assert await studio.listed() == []


async def test_axolotl_job_gets_a_prompt_for_its_data_format(
    studio: Studio,
) -> None:
    studio.workbench.let_jobs_have("legacy,axolotl")
    text = "{adapter: lora, datasets: [{type: alpaca}], num_epochs: 3, learning_rate: 2e-4}"
    add = AddConfigRequest(type="axolotl", config=text)
    config = (await studio.configs(lambda s: s.AddConfig, add)).config
    axolotl = {"framework_type": "axolotl", "axolotl_config_id": config.id, "prompt_id": ""}
    before = await studio.prompts()
    assert isinstance(await studio.refusal(**axolotl, adapter_name="by-job"), errors.AlreadyExists)
    assert await studio.prompts() == before  # nothing is made for what is refused

    code = 'log.write(os.environ["JOB_ARGUMENTS"] + "\\n")'
    first = await studio.start(code, **axolotl)
    second = await studio.start(code, **axolotl, adapter_name="new-2")

    [made] = [prompt for prompt in await studio.prompts() if prompt not in before]
    assert made.name == "AXOLOTL_AUTOGENERATED : alpaca_intents"
    assert made.input_template == "<Instruction>: {instruction}\n<Input>: {input}\n<Output>:"
    assert made.completion_template == " {output}\n"
    assert made.prompt_template == made.input_template + made.completion_template
    assert {first.prompt_id, second.prompt_id} == {made.id}
    assert (first.num_epochs, first.learning_rate) == (3, pytest.approx(2e-4))
    await _is_told_of_axolotl(studio, first.id, config.id)
    template = studio.workbench.job("Finetuning_Base_Job")
    assert studio.workbench.job(first.id).runtime_identifier == template.runtime_identifier


async def _is_told_of_axolotl(studio: Studio, job_id: str, config_id: str) -> None:
    await studio.reach(job_id, "SUCCEEDED")
    words = (studio.folder(job_id) / "job.log").read_text().split()
    assert words[words.index("--axolotl_config_id") + 1] == config_id
    assert words[words.index("--finetuning_framework_type") + 1] == "axolotl"
    assert words[words.index("--dist_cpu") + 1] == "1"
    assert "--dist_num" not in words


async def test_job_of_several_workers_can_start_them(studio: Studio) -> None:
    code = """
from cml import workers_v1
counted = os.environ["FTS_NUM_WORKERS"]
[worker] = workers_v1.launch_workers(n=1, cpu=1, memory=1, code="raise SystemExit(0)")
log.write(f"{counted} workers, {workers_v1.await_workers([worker])['failures']} failed\\n")
"""
    job = await studio.start(code, num_workers=2)
    await studio.reach(job.id, "SUCCEEDED")
    assert (await studio.get(job.id)).num_workers == 2
    log = studio.workbench.project / "outputs" / job.id / "job.log"
    assert log.read_text() == "2 workers, [] failed\n"


async def test_hub_token_reaches_the_job_and_nothing_else(
    tmp_path: Path, workspace: WorkbenchProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUGGINGFACE_ACCESS_TOKEN", "hf_secret")
    async with services(tmp_path, *PEERS, "fine_tuning"):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        job = await studio.reach((await studio.start()).id, "SUCCEEDED")
        exported = await exported_rows(tmp_path, "fine_tuning")
        await studio.close()
    assert (studio.folder(job.id) / "job.log").read_text().startswith("token: hf_secret\n")
    assert "hf_secret" not in str(exported)
    assert "hf_secret" not in str(job)
    assert "hf_secret" not in str(studio.workbench.job(job.id).arguments)
    for file in ("fine_tuning.db", "fine_tuning.db-wal", "workbench.log"):
        assert b"hf_secret" not in content(tmp_path / file) + content(workspace.folder / file)
