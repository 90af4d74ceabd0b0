"""One domain's process dies: the studio says which, the others go on, and it comes back."""

import os
import signal

import pytest

from chassis.domains import DOMAIN_SERVICES
from ft.api import (
    AddPromptRequest,
    GetAdapterRequest,
    GetConfigRequest,
    GetDatasetRequest,
    GetEvaluationJobRequest,
    GetFineTuningJobRequest,
    GetModelRequest,
    GetPromptRequest,
    PromptMetadata,
)
from ft.client import FineTuningStudioClient, StudioError
from tests.e2e.conftest import Studio
from tests.support import until

CONTRACT = "fine_tuning_studio.FineTuningStudio"
GET = {
    "adapters": lambda c: c.GetAdapter(GetAdapterRequest(id="none")),
    "configs": lambda c: c.GetConfig(GetConfigRequest(id="none")),
    "datasets": lambda c: c.GetDataset(GetDatasetRequest(id="none")),
    "evaluation": lambda c: c.GetEvaluationJob(GetEvaluationJobRequest(id="none")),
    "fine_tuning": lambda c: c.GetFineTuningJob(GetFineTuningJobRequest(id="none")),
    "models": lambda c: c.GetModel(GetModelRequest(id="none")),
    "prompts": lambda c: c.GetPrompt(GetPromptRequest(id="none")),
}


def answer(client: FineTuningStudioClient, domain: str) -> StudioError:
    with pytest.raises(StudioError) as refused:
        GET[domain](client)
    return refused.value


@pytest.mark.parametrize("domain", DOMAIN_SERVICES)
def test_domain_that_is_down_is_named_and_the_others_go_on(studio: Studio, domain: str) -> None:
    studio.supervisor("stop", domain)
    try:
        until("reported", lambda: studio.health(domain) == "NOT_SERVING")
        assert studio.health(CONTRACT) == "NOT_SERVING"
        assert studio.health("") == "SERVING", "the facade itself is well"
        with studio.client() as client:
            refusal = answer(client, domain)
            assert refusal.code.name == "UNAVAILABLE"
            assert f"'{domain}'" in str(refusal)
            assert refusal.metadata["service"] == domain
            for other in DOMAIN_SERVICES:
                if other != domain:
                    assert answer(client, other).code.name == "NOT_FOUND"
    finally:
        studio.supervisor("start", domain)
    until("back", lambda: studio.health(CONTRACT) == "SERVING")


def test_rpc_that_needs_a_missing_domain_names_it_and_writes_nothing(studio: Studio) -> None:
    prompt = PromptMetadata(
        id="p",
        name="p",
        dataset_id="d",
        prompt_template="t",
        input_template="t",
        completion_template="t",
    )
    studio.supervisor("stop", "datasets")
    try:
        with studio.client() as client:
            with pytest.raises(StudioError) as refused:
                client.AddPrompt(AddPromptRequest(prompt=prompt))
            assert refused.value.code.name == "UNAVAILABLE"
            assert "'datasets'" in str(refused.value)
            assert "p" not in [stored.id for stored in client.get_prompts()]
    finally:
        studio.supervisor("start", "datasets")
    until("back", lambda: studio.health(CONTRACT) == "SERVING")


@pytest.mark.parametrize("process", [*DOMAIN_SERVICES, "facade", "workbench"])
def test_supervisor_restarts_what_dies_and_nothing_else(studio: Studio, process: str) -> None:
    before = studio.pids()
    os.kill(before[process], signal.SIGKILL)
    after = until("another process", lambda: _changed(studio, before))
    assert {name for name in before if before[name] != after[name]} == {process}
    until("healthy", studio.well)
    assert {name: pid for name, pid in studio.pids().items() if name != process} == {
        name: pid for name, pid in before.items() if name != process
    }


def _changed(studio: Studio, before: dict[str, int]) -> dict[str, int] | None:
    now = studio.pids()
    return now if now != before and all(now.values()) else None
