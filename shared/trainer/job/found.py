"""The studio, wherever it is now."""

# ruff: noqa: N802  # The methods are called as the contract calls its RPCs.

import logging
import time
from collections.abc import Callable, Mapping
from typing import Self, TypeVar

import grpc

from ft.api import (
    AddAdapterRequest,
    AddAdapterResponse,
    GetAdapterRequest,
    GetAdapterResponse,
    GetConfigRequest,
    GetConfigResponse,
    GetDatasetRequest,
    GetDatasetResponse,
    GetDatasetSplitByAdapterRequest,
    GetDatasetSplitByAdapterResponse,
    GetFineTuningJobRequest,
    GetFineTuningJobResponse,
    GetModelRequest,
    GetModelResponse,
    GetPromptRequest,
    GetPromptResponse,
    ListAdaptersRequest,
    ListAdaptersResponse,
    ListConfigsRequest,
    ListConfigsResponse,
    RegisterExportRequest,
    RegisterExportResponse,
)
from ft.client import FineTuningStudioClient, StudioError
from trainer.errors import ArgumentsError
from trainer.job import address

logger = logging.getLogger(__name__)

T = TypeVar("T")
CALL_SECONDS = 60.0

PATIENCE_SECONDS = 120.0
"""How long a studio that is away is waited for."""
UNDECIDED = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
)
"""Answers that leave open whether a call was served."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


class Finder:
    """A client of the studio, of another one once the studio has moved.

    Begins with the address in `environment`, which was right when the run was started; without one,
    with that in the workspace project. Raises ArgumentsError if neither has one.
    """

    def __init__(self, environment: Mapping[str, str], timeout: float = CALL_SECONDS) -> None:
        self._environment = environment
        self._timeout = timeout
        known = environment.get(address.ADDRESS), environment.get(address.PORT)
        ip, port = known if all(known) else address.published(environment) or known
        if not (ip and port):
            raise ArgumentsError(
                f"The studio's address is not known: neither the job nor the project's environment "
                f"has {address.ADDRESS} and {address.PORT}, which the studio writes there when it "
                "starts. Somebody has changed the environment since: restart the studio's facade "
                "(`fts down` and `fts up`), then start the job again."
            )
        self.client = FineTuningStudioClient(ip, port, timeout=timeout)

    def look_again(self) -> bool:
        """Whether the studio is somewhere else by now; then the client is another."""
        found = address.published(self._environment)
        if found is None:
            return False
        try:
            client = FineTuningStudioClient(*found, timeout=self._timeout)
        except ValueError:
            return False
        moved = client.address != self.client.address
        if moved:
            logger.info("The studio is at %s now.", client.address)
            self.client, client = client, self.client
        client.close()
        return moved

    def close(self) -> None:
        """Ends calls in flight."""
        self.client.close()


class FoundStudio:
    """What jobs ask of the studio (see `trainer.job.studio.Studio`), with patience.

    A studio that is away is waited for and looked for, so that its restart does not cost a job.
    """

    def __init__(
        self, environment: Mapping[str, str], *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._finder = Finder(environment)
        self._patience = patience

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._finder.close()

    def GetModel(self, request: GetModelRequest) -> GetModelResponse:
        return self._asked(lambda client: client.GetModel(request))

    def GetDataset(self, request: GetDatasetRequest) -> GetDatasetResponse:
        return self._asked(lambda client: client.GetDataset(request))

    def GetPrompt(self, request: GetPromptRequest) -> GetPromptResponse:
        return self._asked(lambda client: client.GetPrompt(request))

    def GetConfig(self, request: GetConfigRequest) -> GetConfigResponse:
        return self._asked(lambda client: client.GetConfig(request))

    def ListConfigs(self, request: ListConfigsRequest) -> ListConfigsResponse:
        return self._asked(lambda client: client.ListConfigs(request))

    def GetAdapter(self, request: GetAdapterRequest) -> GetAdapterResponse:
        return self._asked(lambda client: client.GetAdapter(request))

    def GetDatasetSplitByAdapter(
        self, request: GetDatasetSplitByAdapterRequest
    ) -> GetDatasetSplitByAdapterResponse:
        return self._asked(lambda client: client.GetDatasetSplitByAdapter(request))

    def GetFineTuningJob(self, request: GetFineTuningJobRequest) -> GetFineTuningJobResponse:
        return self._asked(lambda client: client.GetFineTuningJob(request))

    def ListAdapters(self, request: ListAdaptersRequest) -> ListAdaptersResponse:
        return self._asked(lambda client: client.ListAdapters(request))

    def RegisterExport(self, request: RegisterExportRequest) -> RegisterExportResponse:
        return self._asked(lambda client: client.RegisterExport(request))

    def AddAdapter(self, request: AddAdapterRequest) -> AddAdapterResponse:
        """Sent once: whoever sends it again has to look first whether it was served."""
        return self._finder.client.AddAdapter(request)

    def _asked(self, call: Callable[[FineTuningStudioClient], T]) -> T:
        deadline = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        while True:
            try:
                return call(self._finder.client)
            except StudioError as error:
                # A refusal counts if it comes from where the studio is now.
                moved = self._finder.look_again()
                away = error.code in UNDECIDED
                if not moved and (not away or time.monotonic() + pause > deadline):
                    raise
                logger.warning("The studio did not answer, trying again: %s", error)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
