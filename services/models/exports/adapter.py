"""Checks of the files of an adapter that is to be exported or served."""

import asyncio
from pathlib import Path

from chassis.paths import ProjectPaths
from chassis.rpc.errors import FailedPrecondition, Violations
from ft.adapters import files
from ft.enums import AdapterType, ModelType
from services.models import rules
from services.models.peers import AdapterFacts
from services.models.store import Model

MAX_NUMBERS_BYTES = 1 << 30
"""Weights whose numbers are looked at; those of a larger adapter the job looks at."""


class AdapterChecks:
    """Looks at the files of adapters."""

    def __init__(self, paths: ProjectPaths) -> None:
        self._paths = paths

    async def require_whole(self, base: Model, adapter: AdapterFacts) -> None:
        """Raises FailedPrecondition if the adapter's files are not whole or not finite, or are
        those of another base model. Of a directory that is not there the job tells."""
        if adapter.type != AdapterType.PROJECT:
            return
        folder = self._paths.directory("location", adapter.location, Violations())
        if folder is None:
            return
        if said := await asyncio.to_thread(self._fault, base, adapter.location, folder):
            raise FailedPrecondition.at(
                "adapter_id", rules.WHOLE_ADAPTER, said, reason="ADAPTER_NOT_USABLE"
            )

    def _fault(self, base: Model, location: str, folder: Path) -> str:
        what = f"the adapter in {location}"
        found = files.of_folder(folder)
        name = base.huggingface_model_name if base.type == ModelType.HUGGINGFACE else ""
        # Large files are hashed by the job alone.
        said = files.fault(what, found, name or "", dict, {}, MAX_NUMBERS_BYTES)
        if said or base.type != ModelType.PROJECT:
            return said
        of_base = self._paths.directory("location", base.location or "", Violations())
        return files.incompatible_weights_in(folder, of_base).sentence(what) if of_base else ""
