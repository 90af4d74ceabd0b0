"""What the job tells the process that trains, as a file in the job's folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from ft.api import PromptMetadata
from rows.reading import RowsSource
from trainer.data.questions import ModelInput
from trainer.model.manifest import Origin

FILE = "axolotl-job.json"


@dataclass(frozen=True)
class TrainingContext:
    """What is known of a training before it begins."""

    identity: str
    """Of its checkpoints."""
    started: Mapping[str, Any]
    """Fields of the event."""
    templates: Mapping[str, str]
    """Of the prompt."""
    samples: Sequence[ModelInput]
    """What the trained model is asked."""
    data: Mapping[str, Any]
    source: str
    """What the base model is loaded from."""
    commit: str
    """Of a model of the hub; empty for a directory."""
    run: str
    """Of a registered model, in which it was logged; empty for others."""
    config: Mapping[str, Any]
    """The user's, as it is stored."""
    base: str = ""
    """How the studio names the base model."""

    def write(self, folder: Path) -> None:
        """Leaves it in the job's folder."""
        (folder / FILE).write_text(json.dumps(asdict(self), default=str), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What was left there."""
        return cls(**json.loads((folder / FILE).read_text(encoding="utf-8")))

    def rows_source(self) -> RowsSource:
        """What the rows were read from, as `data` tells it."""
        return RowsSource(self.data.get("reader"), dict(self.data.get("files", {})))

    def origin(self) -> Origin:
        """Where the adapter comes from, beside what its trainer knows."""
        prompt = PromptMetadata(**self.templates)
        return Origin(
            prompt,
            self.data,
            self.source,
            commit=self.commit,
            run=self.run,
            axolotl_config=self.config,
        )
