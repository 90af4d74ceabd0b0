"""Lists page by page."""

from typing import Any

import grpc
import pytest

from ft import api
from ft._pages import PageRequests
from ft.client import InvalidArgumentError


def add_models(client: Any, *names: str) -> None:
    for name in names:
        client.AddModel(api.AddModelRequest(type=api.ModelType.PROJECT, name=name))


def test_pages_are_requested_as_they_are_needed(client: Any, studio: Any) -> None:
    add_models(client, *"abcde")
    models = client.iter_models(page_size=2, order_by="name")
    assert studio.calls["ListModels"] == 0
    assert [next(models).name for _ in range(2)] == ["a", "b"]
    assert studio.calls["ListModels"] == 1
    assert [model.name for model in models] == ["c", "d", "e"]
    asked = [r for r in studio.requests if isinstance(r, api.ListModelsRequest)]
    assert [r.page_token for r in asked] == ["", "2", "4"]
    assert {(r.page_size, r.order_by) for r in asked} == {(2, "name")}


def test_abandoned_list_requests_no_more_pages(client: Any, studio: Any) -> None:
    add_models(client, *"abc")
    models = client.iter_models(page_size=1)
    next(models)
    models.close()
    assert studio.calls["ListModels"] == 1


def test_filter_is_sent_and_applied_again(client: Any, studio: Any) -> None:
    add_models(client, "a", "b", "a")
    assert [m.id for m in client.iter_models(filter={"name": "a"})] == ["model-1", "model-3"]
    assert dict(studio.requests[-1].filter) == {"name": "a"}
    studio.ListModels = lambda request, context: api.ListModelsResponse(models=studio._all("model"))
    assert [m.id for m in client.iter_models(filter={"name": "a"})] == ["model-1", "model-3"]


@pytest.mark.parametrize(
    "items",
    [
        "datasets",
        "models",
        "adapters",
        "prompts",
        "configs",
        "fine_tuning_jobs",
        "evaluation_jobs",
    ],
)
def test_lists_all_have_pages(client: Any, studio: Any, items: str) -> None:
    assert list(getattr(client, f"iter_{items}")(page_size=7)) == []
    assert studio.requests[-1].page_size == 7
    assert getattr(client, f"get_{items}")() == []
    assert not studio.requests[-1].ByteSize()


def test_config_list_options_are_sent_with_the_filter(client: Any, studio: Any) -> None:
    list(client.iter_configs(type=api.ConfigType.LORA_CONFIG, model_id="m", adapter_id="a"))
    sent = studio.requests[-1]
    assert (sent.type, sent.model_id, sent.adapter_id) == ("lora_config", "m", "a")


def test_refusal_comes_with_the_first_item(client: Any, studio: Any) -> None:
    def refused(request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the list has no field 'colour'")

    studio.ListModels = refused
    models = client.iter_models(filter={"colour": "x"})
    with pytest.raises(InvalidArgumentError, match="no field 'colour'"):
        next(models)


ANSWER = api.ListFineTuningJobsResponse(
    fine_tuning_jobs=[
        api.FineTuningJobMetadata(id="a", num_cpu=2, learning_rate=2e-4, created_at="2026-01-02Z"),
        api.FineTuningJobMetadata(id="b", num_cpu=4, status=api.JobStatus(state="FAILED")),
    ]
)


@pytest.mark.parametrize(
    ("filter", "wanted"),
    [
        ({}, "ab"),
        ({"id": "b"}, "b"),
        ({"num_cpu": "2"}, "a"),
        ({"num_cpu": "2", "id": "b"}, ""),
        # A message has 32 bits of a number, and a studio that knows filters looks at those.
        ({"learning_rate": "0.0002"}, "a"),
        ({"learning_rate": "0.00021"}, ""),
        ({"num_cpu": "many"}, ""),
        ({"state": "FAILED"}, "b"),
        # How a time is written is left to the studio, and so is what the client does not know.
        ({"created_at": "2026-01-02T00:00:00+00:00"}, "ab"),
        ({"colour": "x"}, "ab"),
    ],
)
def test_filter_terms_applied_by_the_client_are_limited(
    filter: dict[str, str], wanted: str
) -> None:
    pages = PageRequests(api.ListFineTuningJobsRequest(filter=filter))
    assert "".join(job.id for job in pages.items(ANSWER)) == wanted
    assert pages.request is None
