"""The process's answers to `grpc.health.v1.Health`."""

from typing import Any

from grpc_health.v1 import health, health_pb2


class HealthBoard:
    """Entries by name: `""` for the process, a service's full name, a domain's name.

    An entry changes only when the fact behind it has changed, and whoever watches it is told.
    """

    def __init__(self) -> None:
        # The stubs for type checkers know nothing of the asyncio half.
        self.servicer: Any = health.aio.HealthServicer()  # type: ignore[attr-defined]
        self._shown: dict[str, bool] = {}

    async def show(self, name: str, serving: bool) -> None:
        """Sets one entry."""
        if self._shown.get(name) is serving:
            return
        self._shown[name] = serving
        status = health_pb2.HealthCheckResponse.ServingStatus
        await self.servicer.set(name, status.SERVING if serving else status.NOT_SERVING)
