"""Checks that an adapter's record names the prompt that it was trained with.

The trainer writes the prompt's templates beside the adapter, with the answers that whoever serves
it verifies itself with.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

from chassis.paths import ProjectPaths
from chassis.rpc.errors import FailedPrecondition, NotFound, Violations
from ft.job_protocol.files import ANSWERS_FILE
from ft.prompts.fields import TEMPLATES
from services.models import rules
from services.models.peers import AdapterFacts, ModelPeers

MAX_BYTES = 1024 * 1024
"""Largest file that is read; the trainer's has a few KiB."""


class TrainedPrompts:
    """The prompts that adapters were trained with."""

    def __init__(self, paths: ProjectPaths, peers: ModelPeers) -> None:
        self._paths = paths
        self._peers = peers

    async def require_same(self, adapter: AdapterFacts) -> None:
        """Raises FailedPrecondition if the adapter's prompt says another thing than its training.

        Passes what cannot be told: adapters from elsewhere, and prompts that are removed.
        """
        if not adapter.prompt_id:
            return
        folder = self._paths.confined("location", adapter.location, Violations())
        trained = await asyncio.to_thread(_read, folder / ANSWERS_FILE) if folder else {}
        if not trained:
            return
        try:
            prompt = await self._peers.prompt(adapter.prompt_id)
        except NotFound:
            return
        for name in TEMPLATES:
            if name in trained and trained[name] != getattr(prompt, name):
                raise FailedPrecondition.at(
                    "adapter_id",
                    rules.TRAINED_PROMPT,
                    f"wrong template: {name} of its prompt {adapter.prompt_id!r} is not the one "
                    "that the adapter was trained with; register the adapter with that prompt",
                    reason="PROMPT_NOT_OF_ADAPTER",
                )


def _read(file: Path) -> dict[str, Any]:
    """Returns the file's content; empty if it cannot be read, which the served model reports."""
    try:
        if not file.is_file() or file.stat().st_size > MAX_BYTES:
            return {}
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
