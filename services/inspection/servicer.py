"""The RPC of the inspection service."""

from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse
from services.inspection.service import InspectionService


class InspectionServicer:
    """Request to one call of the service to response."""

    def __init__(self, service: InspectionService) -> None:
        self._service = service

    async def InspectJob(self, request: InspectJobRequest) -> InspectJobResponse:
        return await self._service.inspect(request)
