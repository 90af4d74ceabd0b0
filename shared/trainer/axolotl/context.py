"""Context of an Axolotl training: a file in the job's folder that the training process reads."""

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
    """Facts about a training that are known before it begins."""

    identity: str
    """Identity of its checkpoints."""
    started: Mapping[str, Any]
    """Fields of the event `started`."""
    templates: Mapping[str, str]
    """Templates of the prompt."""
    samples: Sequence[ModelInput]
    """Inputs whose answers are recorded."""
    data: Mapping[str, Any]
    source: str
    """Directory or hub name that the base model is loaded from."""
    commit: str
    """Commit of a hub model; empty for a directory."""
    run: str
    """MLflow run of a registered model; empty for others."""
    config: Mapping[str, Any]
    """The user's config, as stored."""
    base: str = ""
    """The studio's name of the base model."""

    def write(self, folder: Path) -> None:
        """Writes the file into the job's folder."""
        (folder / FILE).write_text(json.dumps(asdict(self), default=str), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Reads the file."""
        return cls(**json.loads((folder / FILE).read_text(encoding="utf-8")))

    def rows_source(self) -> RowsSource:
        """The source of the rows, as `data` describes it."""
        return RowsSource(self.data.get("reader"), dict(self.data.get("files", {})))

    def origin(self) -> Origin:
        """The inputs of the training for the manifest."""
        prompt = PromptMetadata(**self.templates)
        return Origin(
            prompt,
            self.data,
            self.source,
            commit=self.commit,
            run=self.run,
            axolotl_config=self.config,
        )
