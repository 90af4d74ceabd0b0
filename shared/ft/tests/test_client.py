"""The client against a real server."""

import inspect
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from ft import _calls, api
from ft.client import CallCancelledError, FineTuningStudioClient, StudioError


def test_convenience_methods_return_the_repeated_field(client: FineTuningStudioClient) -> None:
    added = client.AddModel(api.AddModelRequest(type=api.ModelType.PROJECT, name="m")).model
    assert client.get_models() == [added]
    for name in ("datasets", "adapters", "prompts", "fine_tuning_jobs", "evaluation_jobs"):
        assert getattr(client, f"get_{name}")() == []


USAGE_EXAMPLE = """
from ft.client import FineTuningStudioClient
from ft.api import *

client = FineTuningStudioClient()

# List all datasets
datasets = client.get_datasets()

# Add a HuggingFace dataset
client.AddDataset(AddDatasetRequest(
    type="huggingface",
    huggingface_name="tatsu-lab/alpaca",
    name="Alpaca"
))

# Start a fine-tuning job
client.StartFineTuningJob(StartFineTuningJobRequest(
    base_model_id="model-uuid",
    dataset_id="dataset-uuid",
    prompt_id="prompt-uuid",
    adapter_name="my-adapter",
    num_cpu=2,
    num_gpu=1,
    num_memory=16,
    framework_type="legacy"
))
"""


def test_usage_example_runs(server: Any, studio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINE_TUNING_SERVICE_IP", "127.0.0.1")
    monkeypatch.setenv("FINE_TUNING_SERVICE_PORT", str(server.port))
    exec(USAGE_EXAMPLE, {})
    sent = studio.requests[-1]
    assert (sent.num_cpu, sent.num_gpu, sent.num_memory) == (2, 1, 16)
    assert not sent.HasField("cpu")


def test_error_carries_code_reason_and_every_violation(client: FineTuningStudioClient) -> None:
    with pytest.raises(ValueError, match="location") as caught:
        client.AddDataset(api.AddDatasetRequest(type=api.DatasetType.PROJECT_CSV))
    error = caught.value
    assert isinstance(error, StudioError)
    assert str(error) == "location: is required and must not be blank; name: is required"
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert error.reason == "INVALID_ARGUMENT"
    assert [(v.field, v.description) for v in error.violations] == [
        ("location", "is required and must not be blank"),
        ("name", "is required"),
    ]


def test_error_without_details_keeps_code_and_message(
    client: FineTuningStudioClient, studio: Any
) -> None:
    studio.before = lambda method, context: context.abort(
        grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls"
    )
    with pytest.raises(StudioError, match=r"^too many calls$") as caught:
        client.get_models()
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert caught.value.reason == "RESOURCE_EXHAUSTED"


def test_unavailable_domain_is_named_and_not_taken_for_an_unreachable_studio(
    client: FineTuningStudioClient, studio: Any
) -> None:
    def away(method: str, context: grpc.ServicerContext) -> None:
        sys.modules[studio.__module__].refuse(
            context,
            grpc.StatusCode.UNAVAILABLE,
            "service 'models' is not available",
            "SERVICE_UNAVAILABLE",
            service="models",
        )

    studio.before = away
    with pytest.raises(StudioError, match="service 'models' is not available") as caught:
        client.get_models()
    assert caught.value.metadata == {"service": "models"}
    assert caught.value.reason == "SERVICE_UNAVAILABLE"


@pytest.mark.parametrize(
    ("call", "times"),
    [
        (lambda c: c.ListModels(api.ListModelsRequest()), 4),
        (lambda c: c.RemoveDataset(api.RemoveDatasetRequest(id="x")), 4),
        (lambda c: c.AddModel(api.AddModelRequest(name="m")), 1),
        (lambda c: c.StartFineTuningJob(api.StartFineTuningJobRequest(adapter_name="a")), 1),
    ],
)
def test_idempotent_calls_alone_are_retried(
    client: FineTuningStudioClient, studio: Any, call: Any, times: int
) -> None:
    def fail_thrice(method: str, context: grpc.ServicerContext) -> None:
        if studio.calls[method] <= 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "going down")

    studio.before = fail_thrice
    if times == 1:
        with pytest.raises(StudioError):
            call(client)
    else:
        call(client)
    assert sum(studio.calls.values()) == times


@pytest.mark.slow
@pytest.mark.parametrize("name", ["get_models", "AddModel"])
def test_restart_of_the_studio_goes_unnoticed(
    client: FineTuningStudioClient, server: Any, name: str
) -> None:
    call = (
        client.get_models
        if name == "get_models"
        else lambda: client.AddModel(api.AddModelRequest(name="m"))
    )
    call()
    server.stop()
    timer = server.start_later(1.0)
    call()
    timer.join()


def test_unreachable_studio_is_named(
    closed_port: int, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_calls, "CONNECT_SECONDS", 0.3)
    with connect("127.0.0.1", closed_port) as client:
        for call in (client.get_models, lambda: client.AddModel(api.AddModelRequest())):
            with pytest.raises(StudioError, match=f"no studio answers at 127.0.0.1:{closed_port}"):
                call()


def test_deadline_is_kept(server: Any, studio: Any, connect: Any) -> None:
    release = threading.Event()
    studio.before = lambda method, context: (release.wait(120), None)[1]
    with connect("127.0.0.1", server.port, timeout=0.2) as client:
        for call in (client.get_models, lambda: client.AddModel(api.AddModelRequest())):
            with pytest.raises(StudioError, match=r"no answer from .* in time") as caught:
                call()
            assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
            assert not release.is_set(), "nobody was waited for"
    release.set()


def test_timeout_holds_for_one_call(client: FineTuningStudioClient, studio: Any) -> None:
    release = threading.Event()
    studio.before = lambda method, context: (release.wait(120), None)[1]
    with pytest.raises(StudioError, match="ListModels: no answer"):
        client.ListModels(api.ListModelsRequest(), timeout=0.2)
    release.set()


def test_stream_ends_with_its_error(client: FineTuningStudioClient, studio: Any) -> None:
    job = client.StartFineTuningJob(api.StartFineTuningJobRequest(adapter_name="a"))
    request = api.TailLogsRequest(job_id=job.fine_tuning_job.id)
    assert b"".join(part.data for part in client.TailLogs(request)) == studio.log
    with pytest.raises(StudioError, match="job 'nope' not found") as caught:
        list(client.TailLogs(api.TailLogsRequest(job_id="nope")))
    assert caught.value.code is grpc.StatusCode.NOT_FOUND


def test_abandoned_stream_ends_the_call(client: FineTuningStudioClient, studio: Any) -> None:
    ended = threading.Event()
    job = client.StartFineTuningJob(api.StartFineTuningJobRequest(adapter_name="a"))
    studio.before = lambda method, context: (context.add_callback(ended.set), None)[1]
    parts = client.TailLogs(api.TailLogsRequest(job_id=job.fine_tuning_job.id))
    next(parts)
    parts.close()
    assert ended.wait(120)


def test_address_defaults_to_the_environment(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINE_TUNING_SERVICE_IP", "10.0.0.9")
    monkeypatch.setenv("FINE_TUNING_SERVICE_PORT", "50051")
    with connect() as client:
        assert client.address == "10.0.0.9:50051"
    with connect("studio.example", 1) as client:
        assert client.address == "studio.example:1"
    for spelling in ("::1", "[::1]"):
        with connect(spelling, "7") as client:
            assert client.address == "[::1]:7"


@pytest.mark.parametrize(
    ("ip", "port", "message"),
    [
        (None, None, "server_ip: not given, and FINE_TUNING_SERVICE_IP is not set"),
        ("127.0.0.1", "", "server_port: not given, and FINE_TUNING_SERVICE_PORT is not set"),
        ("127.0.0.1", "http", "server_port: 'http' is not a port number"),
        ("127.0.0.1", 65536, "server_port: '65536' is not a port number"),
    ],
)
def test_malformed_address_is_refused(
    connect: Any, ip: str | None, port: str | int | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        connect(ip, port)


@pytest.mark.starts_processes
def test_client_imports_no_heavy_library() -> None:
    probe = (
        "import sys, ft.client, ft.api;"
        "print([m for m in ('typer', 'rich', 'supervisor', 'torch', 'pydantic')"
        " if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.starts_processes
def test_client_closes_silently(server: Any) -> None:
    script = inspect.cleandoc("""
        import sys, time
        from ft.api import AddModelRequest
        from ft.client import FineTuningStudioClient

        with FineTuningStudioClient("127.0.0.1", sys.argv[1]) as client:
            client.AddModel(AddModelRequest(name="a"))
            client.AddModel(AddModelRequest(name="b"))
        time.sleep(0.5)
        """)
    command = [sys.executable, "-c", script, str(server.port)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr == ""


def test_close_ends_calls_in_flight_and_later_ones(server: Any, studio: Any, connect: Any) -> None:
    id = studio._keep("job", api.FineTuningJobMetadata(adapter_name="a")).id
    studio.statuses = [api.JobStatus(state="RUNNING")]
    arrived, release = threading.Semaphore(0), threading.Event()

    def hold(method: str, context: grpc.ServicerContext) -> None:
        arrived.release()
        if method != "GetFineTuningJob":
            release.wait(120)

    studio.before = hold
    with connect("127.0.0.1", server.port) as client, ThreadPoolExecutor(4) as threads:
        calls = (
            client.get_models,
            lambda: client.AddModel(api.AddModelRequest()),
            lambda: list(client.TailLogs(api.TailLogsRequest(job_id=id))),
            lambda: client.wait_for_job(id, poll=0.05),
        )
        in_flight = [threads.submit(call) for call in calls]
        for _ in calls:
            assert arrived.acquire(timeout=120)
        client.close()
        release.set()
        for future in in_flight:
            with pytest.raises(CallCancelledError, match=f"client of {client.address} is closed"):
                future.result(10)
        for call in (*calls, client.wait_until_connected):
            _is_refused_as_closed(call)


def _is_refused_as_closed(call: Callable[[], object]) -> None:
    with pytest.raises(CallCancelledError) as caught:
        call()
    assert caught.value.reason == "CLIENT_CLOSED"
