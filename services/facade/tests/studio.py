"""A whole studio behind its facade, in this process."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from grpc import aio

from chassis.domains import DOMAIN_SERVICES
from chassis.rpc import errors, translate
from chassis.testing.services import parts_of, services, serving, settings_in
from ft.channel import MAX_DOCUMENT_BYTES, channel_options
from ft.proto.fine_tuning_studio_database_pb2_grpc import FineTuningStudioDatabaseStub
from ft.proto.fine_tuning_studio_pb2 import (
    ExportDatabaseRequest,
    ImportDatabaseRequest,
)
from ft.proto.fine_tuning_studio_pb2_grpc import FineTuningStudioStub
from ft.proto.fine_tuning_studio_types_pb2 import ImportedTable

TABLES = (
    "models",
    "datasets",
    "adapters",
    "prompts",
    "fine_tuning_jobs",
    "evaluation_jobs",
    "configs",
)
FIELD: dict[str, Any] = {
    "alembic_version": {"schema": "CREATE TABLE ...", "data": [{"version_num": "abc"}]},
    "models": {"schema": "DROP TABLE models", "data": [{"id": "m", "name": "o/m", "type": None}]},
    "datasets": {"schema": "", "data": [{"id": "d", "features": '["a"]'}, {"id": "d-2"}]},
    "adapters": {"schema": "", "data": [{"id": "a", "name": "tuned", "model_id": "m"}]},
    "prompts": {"schema": "", "data": [{"id": "p", "dataset_id": "d"}]},
    "fine_tuning_jobs": {
        "schema": "",
        "data": [{"id": "f", "num_epochs": 2, "learning_rate": 0.002, "cml_job_id": "c-1"}],
    },
    "evaluation_jobs": {
        "schema": "",
        "data": [{"id": "e", "evaluation_dir": "mlflow_results/e", "num_cpu": 2}],
    },
    "configs": {"schema": "", "data": [{"id": "c", "type": "custom", "config": "{}"}]},
}
"""What a studio in the field exports, that knows nothing of the columns of ours."""


class Studio:
    """A studio in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder, "test")
        self.project = settings.project
        options = channel_options(max_bytes=MAX_DOCUMENT_BYTES)
        self.channel = aio.insecure_channel(settings.address_of("facade"), options=options)
        self.stub: Any = FineTuningStudioStub(self.channel)
        self.database: Any = FineTuningStudioDatabaseStub(self.channel)

    async def export(self) -> dict[str, Any]:
        request = ExportDatabaseRequest()
        answer = await self.stub.ExportDatabase(request, wait_for_ready=True, timeout=120)
        found: dict[str, Any] = json.loads(answer.exported_json)
        return found

    async def take(self, location: str) -> Sequence[ImportedTable]:
        request = ImportDatabaseRequest(imported_json_path=location)
        answer = await self.stub.ImportDatabase(request, wait_for_ready=True, timeout=120)
        return list(answer.tables)

    async def take_content(self, content: object) -> Sequence[ImportedTable]:
        (self.project / "export.json").write_text(json.dumps(content))
        return await self.take("export.json")

    async def refusal(self, location: str) -> errors.Refusal:
        with pytest.raises(aio.AioRpcError) as refused:
            await self.take(location)
        return translate.from_rpc_error(refused.value, "facade")


@asynccontextmanager
async def studio_in(folder: Path, *names: str, database_url: str = "") -> AsyncIterator[Studio]:
    settings = settings_in(folder, "facade")
    domains = services(folder, *(names or DOMAIN_SERVICES), database_url=database_url)
    async with domains, serving(settings, parts_of(settings)):
        studio = Studio(folder)
        yield studio
        await studio.channel.close(None)
