"""The RPCs of the prompts service."""

from chassis.prompt_rules import OF_KIND
from chassis.store.convert import to_message
from chassis.store.idempotency import Repeats
from chassis.store.lists import TableList
from ft.prompts.fields import TEMPLATES
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
from services.prompts.service import PromptService
from services.prompts.store import Prompt, PromptStore


class PromptsServicer:
    """Request to one call of the domain to response."""

    def __init__(self, service: PromptService, prompts: PromptStore) -> None:
        self._service = service
        self._list = TableList(prompts, ListPromptsResponse)
        self._repeats = Repeats(prompts)

    async def ListPrompts(self, request: ListPromptsRequest) -> ListPromptsResponse | bytes:
        return self._list.answer(request)

    async def GetPrompt(self, request: GetPromptRequest) -> GetPromptResponse:
        prompt = self._service.get(request.id)
        return GetPromptResponse(prompt=to_message(PromptMetadata, prompt))

    async def AddPrompt(self, request: AddPromptRequest) -> AddPromptResponse:
        sent = request.prompt
        templates = {field: getattr(sent, field) for field in TEMPLATES}
        columns: list[str] | None = None

        async def add() -> Prompt:
            nonlocal columns
            prompt, columns = await self._service.add(
                sent.id, sent.type, sent.name, sent.dataset_id, templates
            )
            return prompt

        prompt = await self._repeats.once(request, add)
        noticed = [
            TemplateNotice(field=one.field, rule=OF_KIND[one.kind].id, description=one.text)
            for one in await self._service.notices(prompt, columns)
        ]
        return AddPromptResponse(prompt=to_message(PromptMetadata, prompt), notices=noticed)

    async def RemovePrompt(self, request: RemovePromptRequest) -> RemovePromptResponse:
        await self._service.remove(request.id)
        return RemovePromptResponse()

    async def RemovePromptsOfDataset(
        self, request: RemovePromptsOfDatasetRequest
    ) -> RemovePromptsOfDatasetResponse:
        await self._service.remove_of_dataset(request.dataset_id)
        return RemovePromptsOfDatasetResponse()
