"""The RPCs of the prompts service."""

from chassis.prompt_rules import OF_KIND
from chassis.rpc.domain_request import RequestKey
from chassis.store.forms import MessageForm
from chassis.store.lists import TableList
from ft.proto.domains_pb2 import RemovePromptsOfDatasetRequest, RemovePromptsOfDatasetResponse
from ft.proto.fine_tuning_studio_pb2 import (
    AddPromptRequest,
    AddPromptResponse,
    GetPromptRequest,
    GetPromptResponse,
    ListPromptsRequest,
    ListPromptsResponse,
    PromptMetadata,
    RemovePromptRequest,
    RemovePromptResponse,
)
from ft.proto.fine_tuning_studio_types_pb2 import TemplateNotice
from services.prompts.request import PromptRequest
from services.prompts.service import PromptService
from services.prompts.store import Prompt, PromptStore


class PromptsServicer:
    """Request to one call of the domain to response."""

    def __init__(self, service: PromptService, prompts: PromptStore) -> None:
        self._service = service
        self._prompts = prompts
        self._form = MessageForm(PromptMetadata, Prompt.table())
        self._list = TableList(prompts, ListPromptsResponse, self._form)

    async def ListPrompts(self, request: ListPromptsRequest) -> bytes:
        return await self._list.answer(request)

    async def GetPrompt(self, request: GetPromptRequest) -> GetPromptResponse:
        return GetPromptResponse(prompt=self._prompts.message(self._form, request.id))

    async def AddPrompt(self, request: AddPromptRequest) -> AddPromptResponse:
        key = RequestKey.of(request)
        asked = PromptRequest.from_message(request.prompt, key=key)
        prompt, notices = await self._service.add(request=asked)
        return AddPromptResponse(
            prompt=self._form.of_record(prompt),
            notices=[
                TemplateNotice(field=one.field, rule=OF_KIND[one.kind].id, description=one.text)
                for one in notices
            ],
        )

    async def RemovePrompt(self, request: RemovePromptRequest) -> RemovePromptResponse:
        await self._service.remove(request.id)
        return RemovePromptResponse()

    async def RemovePromptsOfDataset(
        self, request: RemovePromptsOfDatasetRequest
    ) -> RemovePromptsOfDatasetResponse:
        await self._service.remove_of_dataset(request.dataset_id)
        return RemovePromptsOfDatasetResponse()
