"""An adapter gets into the studio's list once, whatever the studio answers in between."""

import grpc
import pytest

from ft.api import AddAdapterRequest
from ft.client import FineTuningStudioClient
from trainer.errors import RegistrationError
from trainer.job.registration import register
from trainer.tests.studio import Studio, serve

REQUEST = AddAdapterRequest(
    type="project",
    name="intents",
    model_id="model",
    location="adapters/j",
    fine_tuning_job_id="j",
    prompt_id="prompt",
)


class LosesAnAnswer(Studio):
    """Adds the adapter, but its first answer gets lost on the way."""

    def AddAdapter(self, request, context):
        super().AddAdapter(request, context)
        context.abort(grpc.StatusCode.UNAVAILABLE, "going away")


def client(address: str) -> FineTuningStudioClient:
    return FineTuningStudioClient(*address.rsplit(":", 1))


def test_lost_answer_adds_no_second_adapter() -> None:
    studio = LosesAnAnswer()
    with serve(studio) as address, client(address) as calls:
        adapter = register(calls, REQUEST, patience=30)

    assert [adapter.id] == [known.id for known in studio.adapters]


class IsFaster(Studio):
    """Takes another run's adapter just before that of the run that is tested."""

    def AddAdapter(self, request, context):
        if not self.adapters:
            super().AddAdapter(request, context)
        return super().AddAdapter(request, context)


def test_concurrent_registration_adopts_the_adapter_of_the_other_run() -> None:
    studio = IsFaster()
    with serve(studio) as address, client(address) as calls:
        adapter = register(calls, REQUEST, patience=30)

    assert [adapter.id] == [known.id for known in studio.adapters]


def test_refusal_says_where_the_adapter_is(studio: Studio) -> None:
    with client(studio.address) as calls:
        register(calls, REQUEST)
        other = AddAdapterRequest(
            type="project",
            name="intents",
            model_id="model",
            location="adapters/k",
            fine_tuning_job_id="k",
        )
        with pytest.raises(RegistrationError, match=r"saved in adapters/k.*name intents is taken"):
            register(calls, other)


@pytest.mark.slow
def test_studio_that_stays_down_is_given_up(away: str) -> None:
    with client(away) as calls, pytest.raises(RegistrationError, match="no studio answers"):
        register(calls, REQUEST, patience=0.1)
