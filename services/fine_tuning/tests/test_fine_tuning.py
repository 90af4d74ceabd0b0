"""The fine-tuning service with its real peers and jobs that really run, in a real workbench."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from chassis import domains, errors
from chassis.peers import PeerRefusal
from chassis.testing import exported_rows, put_rows, services, settings_in
from ft.proto.fine_tuning_studio_jobs_pb2 import TailLogsRequest, TailLogsResponse
from ft.proto.fine_tuning_studio_pb2 import (
    AddConfigRequest,
    FineTuningJobMetadata,
    GetDatasetSplitByAdapterRequest,
    GetFineTuningJobRequest,
    ListConfigsRequest,
    ListFineTuningJobsRequest,
    ListPromptsRequest,
    PromptMetadata,
    RemoveConfigRequest,
    RemoveFineTuningJobRequest,
    StartFineTuningJobRequest,
)
from ft.proto.fine_tuning_studio_types_pb2 import RetryPolicy
from jobs.testing import Workbench, until

PEERS = ("datasets", "models", "prompts", "configs", "adapters")
SCRIPT = """
import json, os, pathlib, sys, time
words = os.environ["JOB_ARGUMENTS"].split(" ")
folder = pathlib.Path(words[words.index("--train_out_dir") + 1])
folder.mkdir(parents=True)
log = (folder / "job.log").open("a", buffering=1)
events = (folder / "events.jsonl").open("a", buffering=1)
def report(event, **fields):
    events.write(json.dumps({"event": event, **fields}) + "\\n")
"""
TRAINS = """
log.write("token: " + os.environ.get("HUGGINGFACE_ACCESS_TOKEN", "none") + "\\n")
report("started", total_steps=2)
report("progress", step=2, total_steps=2, loss=0.5)
report("manifest", manifest={"seed": 7, "prompt": "a b"})
report("registered", adapter_id="a-new")
log.write("done\\n")
"""
WAITS = """
(folder / "pid").write_text(str(os.getpid()))
report("progress", step=1)
log.write("waiting\\n")
while not (folder / "go").exists(): time.sleep(0.02)
log.write("going\\n")
"""
ROWS: dict[str, list[dict[str, Any]]] = {
    "models": [{"id": "m", "type": "project", "name": "base", "location": "base"}],
    "datasets": [
        {"id": "d", "name": "intents", "features": '["instruction", "input", "output"]'},
        {"id": "d-2", "name": "others"},
    ],
    "prompts": [{"id": "p", "name": "p", "dataset_id": "d"}, {"id": "p q", "dataset_id": "d"}],
    "adapters": [
        {"id": "a-job", "name": "by-job", "fine_tuning_job_id": "j-1"},
        {"id": "a-name", "name": "by-name"},
        {"id": "a-alone", "name": "alone"},
        {"id": "a-gone", "name": "by-name", "fine_tuning_job_id": "gone"},
    ],
}
OLD_JOBS = [
    {"id": "j-1", "adapter_name": "x", "dataset_fraction": 0.5, "train_test_split": 0.25},
    {"id": "j-2", "adapter_name": "by-name", "dataset_fraction": 0.75, "train_test_split": 0.5},
]


def content(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""


class Studio:
    """Calls to the services, and scripts to run as jobs."""

    def __init__(self, folder: Path, workbench: Workbench) -> None:
        settings = settings_in(folder, "test")
        self.home = folder
        self.workbench = workbench
        self.jobs = domains.fine_tuning(settings)
        self.configs = domains.configs(settings)
        self._owners: dict[str, Any] = {
            "models": domains.models(settings),
            "datasets": domains.datasets(settings),
            "prompts": domains.prompts(settings),
            "adapters": domains.adapters(settings),
        }

    async def fill(self) -> None:
        for name, rows in ROWS.items():
            await put_rows(self.home, name, *rows)

    async def close(self) -> None:
        for peer in (self.jobs, self.configs, *self._owners.values()):
            await peer.close()

    async def start(self, code: str = TRAINS, **fields: Any) -> FineTuningJobMetadata:
        sent = {
            "adapter_name": "new",
            "base_model_id": "m",
            "dataset_id": "d",
            "prompt_id": "p",
            "num_cpu": 1,
            "num_memory": 1,
            "user_script": self.workbench.script("train.py", SCRIPT + code),
            **fields,
        }
        request = StartFineTuningJobRequest(**sent)
        return (await self.jobs(lambda s: s.StartFineTuningJob, request)).fine_tuning_job

    async def get(self, id: str) -> FineTuningJobMetadata:
        request = GetFineTuningJobRequest(id=id)
        return (await self.jobs(lambda s: s.GetFineTuningJob, request)).fine_tuning_job

    async def reach(self, id: str, *states: str) -> FineTuningJobMetadata:
        async with asyncio.timeout(30):
            # What is waited for happens in another process.
            while (job := await self.get(id)).status.state not in states:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return job

    async def listed(self) -> list[FineTuningJobMetadata]:
        response = await self.jobs(lambda s: s.ListFineTuningJobs, ListFineTuningJobsRequest())
        return list(response.fine_tuning_jobs)

    async def remove(self, id: str) -> None:
        await self.jobs(lambda s: s.RemoveFineTuningJob, RemoveFineTuningJobRequest(id=id))

    async def prompts(self) -> list[PromptMetadata]:
        peer = self._owners["prompts"]
        return list((await peer(lambda s: s.ListPrompts, ListPromptsRequest())).prompts)

    async def split(self, adapter_id: str) -> tuple[float, float]:
        request = GetDatasetSplitByAdapterRequest(adapter_id=adapter_id)
        found = (await self.jobs(lambda s: s.GetDatasetSplitByAdapter, request)).response
        return found.dataset_fraction, found.train_test_split

    async def refusal(self, **fields: Any) -> errors.Refusal:
        before = len(await self.listed())
        with pytest.raises(errors.Refusal) as refused:
            await self.start(**fields)
        assert len(await self.listed()) == before
        assert self.workbench.jobs() == []
        return refused.value

    async def tail(self, id: str, **how: Any) -> AsyncIterator[TailLogsResponse]:
        request = TailLogsRequest(job_id=id, **how).SerializeToString()
        async for answer in self.jobs.link.stream("TailLogs", request):
            yield TailLogsResponse.FromString(answer)

    def folder(self, id: str) -> Path:
        return self.workbench.project / "outputs" / id


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    with Workbench(tmp_path_factory.mktemp("workbench")) as workbench:
        (workbench.project / "base").mkdir()
        config = '{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}'
        (workbench.project / "base" / "config.json").write_text(config)
        yield workbench


@pytest.fixture
def workspace(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    for name, value in workbench.environment.items():
        monkeypatch.setenv(name, value)
    yield workbench
    workbench.clear()


@pytest.fixture
async def studio(tmp_path: Path, workspace: Workbench) -> AsyncIterator[Studio]:
    async with services(tmp_path, *PEERS, "fine_tuning"):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        yield studio
        await studio.close()


async def test_a_job_from_start_to_success(studio: Studio) -> None:
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


async def test_a_job_that_crashes_goes_on_by_itself(studio: Studio) -> None:
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


async def test_what_is_not_given_comes_from_the_shipped_configs(studio: Studio) -> None:
    job = await studio.start()
    assert json.loads(job.lora_config)["r"] == 16
    training = json.loads(job.training_arguments_config)
    assert (training["optim"], job.num_epochs) == ("paged_adamw_32bit", 1)
    assert job.model_bnb_config == ""


async def test_configs_of_a_job_are_found_by_it_and_the_record_outlives_them(
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


async def test_a_log_is_followed_to_its_end(studio: Studio) -> None:
    job = await studio.start(WAITS)
    answers = studio.tail(job.id, follow=True)
    assert (await anext(answers)).data == b"waiting\n"
    (studio.folder(job.id) / "go").touch()
    rest = [chunk async for chunk in answers]
    assert b"".join(chunk.data for chunk in rest) == b"going\n"
    assert rest[-1].next_offset == len(b"waiting\ngoing\n")
    assert (await studio.get(job.id)).status.state == "SUCCEEDED"


async def test_a_log_of_no_job(studio: Studio) -> None:
    with pytest.raises(PeerRefusal, match="job 'nope' does not exist") as refused:
        await anext(studio.tail("nope"))
    assert isinstance(refused.value.typed(), errors.NotFound)


async def test_removing_a_running_job_ends_its_process(studio: Studio) -> None:
    job = await studio.start(WAITS)
    file = studio.folder(job.id) / "pid"
    pid = await until("the job runs", lambda: file.exists() and file.read_text())
    assert psutil.pid_exists(int(pid))
    await studio.remove(job.id)
    await until("its process is gone", lambda: not psutil.pid_exists(int(pid)))
    assert await studio.listed() == []
    assert studio.workbench.jobs() == []
    await studio.remove(job.id)


async def test_a_job_that_the_workspace_lost_can_be_removed(studio: Studio) -> None:
    job = await studio.start(WAITS)
    studio.workbench.api.delete_job("local", job.cml_job_id)
    await studio.remove(job.id)
    assert await studio.listed() == []


async def test_the_split_of_an_adapter(studio: Studio) -> None:
    await put_rows(studio.home, "fine_tuning", *OLD_JOBS)
    assert await studio.split("a-job") == (0.5, 0.25)
    assert await studio.split("a-name") == (0.75, 0.5)
    default = (1.0, pytest.approx(0.9))
    assert await studio.split("a-alone") == default
    assert await studio.split("nobody") == default
    # Its job is known by id and is gone; one of the same name is another.
    assert await studio.split("a-gone") == default


async def test_jobs_of_a_studio_without_states_are_taken_as_over(studio: Studio) -> None:
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
async def test_an_import_takes_nothing_that_a_list_could_not_show(
    studio: Studio, column: str, value: object
) -> None:
    report = await put_rows(studio.home, "fine_tuning", {"id": "j-9", column: value})
    assert [row.place for row in report.refused] == [f"fine_tuning_jobs[0].{column}"]
    assert await studio.listed() == []


async def test_bad_fields_and_paths_are_told_together(studio: Studio) -> None:
    refusal = await studio.refusal(
        adapter_name="a b", output_dir="nowhere", user_script="../train.py", num_cpu=0
    )
    assert isinstance(refusal, errors.InvalidArgument)
    fields = {v.field for v in refusal.violations}
    assert fields == {"adapter_name", "output_dir", "user_script", "cpu"}


async def test_a_prompt_whose_id_no_script_would_get(studio: Studio) -> None:
    refusal = await studio.refusal(prompt_id="p q")
    assert isinstance(refusal, errors.InvalidArgument)
    assert [v.field for v in refusal.violations] == ["prompt_id"]


@pytest.mark.parametrize("field", ["base_model_id", "dataset_id", "prompt_id", "user_config_id"])
async def test_what_the_request_names_must_exist(studio: Studio, field: str) -> None:
    refusal = await studio.refusal(**{field: "nope"})
    assert isinstance(refusal, errors.FailedPrecondition)
    assert refusal.violations[0].field == field
    assert "'nope'" in refusal.message


async def test_a_prompt_of_another_dataset(studio: Studio) -> None:
    refusal = await studio.refusal(dataset_id="d-2")
    assert isinstance(refusal, errors.FailedPrecondition)
    assert refusal.code_reason == "PROMPT_OF_OTHER_DATASET"
    assert "'d'" in refusal.message
    assert "'d-2'" in refusal.message


async def test_a_prompt_that_does_not_fit_the_loss(studio: Studio) -> None:
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
    for prompt, said in (("p-other", "behind it"), ("p-blank", "does not end in a blank")):
        refusal = await studio.refusal(prompt_id=prompt, user_script="", **settings)
        assert refusal.code_reason == "PROMPT_UNFIT_FOR_LOSS"
        [violation] = refusal.violations
        assert (violation.field, violation.rule) == ("prompt_id", "FT-621")
        assert said in violation.description
    # A script of the user's own may make of it what it likes; and what fits is taken.
    await studio.start(prompt_id="p-other", **settings)
    await studio.start(prompt_id="p-fits", adapter_name="fits", user_script="", **settings)


async def test_a_name_that_an_adapter_or_a_job_has(studio: Studio) -> None:
    refusal = await studio.refusal(adapter_name="alone")
    assert isinstance(refusal, errors.AlreadyExists)
    assert (refusal.metadata["holder_id"], refusal.metadata["rule"]) == ("a-alone", "FT-602")
    job = await studio.start()
    with pytest.raises(errors.AlreadyExists) as refused:
        await studio.start()
    assert refused.value.metadata["holder_id"] == job.id


async def test_of_equal_names_at_the_same_time_one_wins(studio: Studio) -> None:
    outcomes = await asyncio.gather(*(studio.start() for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(outcome, errors.AlreadyExists) for outcome in outcomes) == 3
    assert len(await studio.listed()) == len(studio.workbench.jobs()) == 1


async def test_of_one_request_sent_many_times_at_once_comes_one_job(studio: Studio) -> None:
    sent = []
    for _ in range(40):
        sent.append(asyncio.create_task(studio.start(request_id="r-1")))
        await asyncio.sleep(0.002)  # for one to be in every step that another takes
    answers = await asyncio.gather(*sent)
    assert {answer.id for answer in answers} == {job.id for job in await studio.listed()}
    assert len(await studio.listed()) == 1


async def test_a_job_with_axolotl_gets_a_prompt_for_the_format_of_its_data(
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
    await studio.reach(first.id, "SUCCEEDED")
    log = studio.workbench.project / "outputs" / first.id / "job.log"
    words = log.read_text().split()
    assert words[words.index("--axolotl_config_id") + 1] == config.id
    assert words[words.index("--finetuning_framework_type") + 1] == "axolotl"
    assert "--dist_num" not in words
    template = studio.workbench.job("Finetuning_Base_Job")
    assert studio.workbench.job(first.id).runtime_identifier == template.runtime_identifier


async def test_a_job_of_several_workers_can_start_them(studio: Studio) -> None:
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


async def test_a_hub_token_reaches_the_job_and_nothing_else(
    tmp_path: Path, workspace: Workbench, monkeypatch: pytest.MonkeyPatch
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


@pytest.mark.parametrize("away", PEERS)
async def test_a_peer_that_is_away_is_named_and_nothing_written(
    tmp_path: Path, workspace: Workbench, away: str
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


async def test_the_record_says_that_the_workspace_was_away(
    tmp_path: Path, workspace: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    monkeypatch.setenv("CDSW_API_URL", f"http://127.0.0.1:{port}/api/v2")
    async with services(tmp_path, *PEERS, "fine_tuning"):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        with pytest.raises(errors.Unavailable, match="the workspace did not answer"):
            await studio.start()
        [job] = await studio.listed()
        await studio.close()
    assert job.status.state == "FAILED"
    assert "the workspace did not answer" in job.status.failure_reason
