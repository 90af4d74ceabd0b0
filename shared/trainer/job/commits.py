"""The commits of the hub at which a job loads its model and data set, the same in each attempt."""

import json
import os
from contextlib import suppress
from pathlib import Path

from ft.api import DatasetMetadata, DatasetType, ModelMetadata, ModelType
from trainer.job import ranks
from trainer.job.claim import attempt
from trainer.model import hub

FILE = "commits.json"
"""In the job's folder: the commits that later attempts load."""


class Commits:
    """Settles the commit of each thing that comes from the hub: that of an earlier attempt, else
    the registered one, else the newest."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the job's."""
        self._file = folder / FILE
        self._known: dict[str, str] = {}
        if attempt(os.environ) > 1:
            # Without a whole file of an earlier attempt, commits are settled anew.
            with suppress(OSError, ValueError):
                content = json.loads(self._file.read_text())
                self._known = content if isinstance(content, dict) else {}

    def settle_model(self, model: ModelMetadata) -> None:
        """Gives the record of a model of the hub its commit. Raises ModelError if that is gone."""
        if model.type == ModelType.HUGGINGFACE:
            wanted = self._known.get("model") or model.commit
            model.commit = hub.commit_of_model(model.huggingface_model_name, wanted)
            self._keep("model", model.commit)

    def settle_dataset(self, dataset: DatasetMetadata) -> None:
        """Gives the record of a data set of the hub its commit."""
        if dataset.type == DatasetType.HUGGINGFACE:
            wanted = self._known.get("dataset") or dataset.commit
            dataset.commit = wanted or hub.commit_of_dataset(dataset.huggingface_name)
            self._keep("dataset", dataset.commit)

    def _keep(self, what: str, commit: str) -> None:
        self._known[what] = commit
        if not ranks.rank():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._known))
