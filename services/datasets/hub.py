"""Facts about datasets on the hub, read without loading their rows."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from chassis.config import Settings
from chassis.hub import errors as hub_errors
from chassis.hub.errors import Repository
from chassis.hub.questions import Hub
from chassis.rpc import errors
from services.datasets import hub_columns, rules
from services.datasets.hub_columns import RemoteFile


@dataclass(frozen=True, slots=True)
class HubDataset:
    """Facts about a dataset on the hub."""

    features: list[str]
    description: str
    commit: str = ""


class HubDatasets:
    """Reads the builder's info with the `datasets` library."""

    def __init__(self, settings: Settings) -> None:
        self._hub = Hub(settings)
        self.close = self._hub.close

    async def describe(self, name: str) -> HubDataset:
        """Column names and description of the dataset of that name.

        Raises as `Hub.ask` does, and InvalidArgument if the library cannot read the dataset.
        """
        about = Repository("dataset", name)
        return await self._hub.ask(about, lambda: self._describe(about))

    def _describe(self, about: Repository) -> HubDataset:
        from httpx2 import HTTPError
        from huggingface_hub.errors import LocalEntryNotFoundError

        from chassis.hub import client
        from datasets import config, load_dataset_builder
        from datasets.exceptions import DatasetNotFoundError

        client.log_like_us("datasets")
        config.USE_PARQUET_EXPORT = client.has_viewer()
        # First, since the library says of a refusal only that there is one.
        commit = self._hub.require(about)
        try:
            # With a bare name it would also read a directory of this machine.
            builder = load_dataset_builder(
                f"hf://datasets/{about.name}", revision=commit or None, token=self._hub.token
            )
        except DatasetNotFoundError as error:
            if "is a gated dataset" in str(error):
                raise hub_errors.gated(about) from error
            raise hub_errors.not_on_hub(about) from error
        except LocalEntryNotFoundError:
            raise  # The hub's, for `ask`, as what follows.
        except (OSError, HTTPError) as error:
            if not isinstance(error, FileNotFoundError):
                raise
            # It has no files that could be data.
            raise _unreadable(about, error) from error
        except Exception as error:
            # The library raises what its many readers raise; all of it is about this dataset.
            raise _unreadable(about, error) from error
        info = builder.info
        names = list(info.features or ()) or self._columns(about, builder)
        return HubDataset(names, info.description or "", commit)

    def _columns(self, about: Repository, builder: Any) -> list[str]:
        """Those that the first file begins with."""
        try:
            files = builder.config.data_files or {}
            split = "train" if "train" in files else next(iter(files), "")
            if not split or not files[split]:
                raise hub_columns.UntoldColumns("it has no data files")
            path, revision = _within(about, str(files[split][0]))
            at = replace(about, commit=revision)
            size = self._hub.size(at, path)
            file = RemoteFile(path, size, partial(self._hub.part, at, path))
            return hub_columns.read(file, builder.name, builder.config)
        except hub_columns.UntoldColumns as untold:
            raise errors.InvalidArgument.at(
                "huggingface_name",
                rules.HUB_COLUMNS,
                f"the columns of {about.name!r} cannot be determined: {untold}; its dataset card "
                "can name them (dataset_info: features)",
            ) from untold


def _within(about: Repository, url: str) -> tuple[str, str]:
    """Path and revision of a file by the library's name for it, such as
    hf://datasets/owner/name@revision/path."""
    rest = url.removeprefix(f"hf://datasets/{about.name}")
    if rest.startswith("@"):
        revision, _, path = rest[1:].partition("/")
        return path, unquote(revision)
    if not rest.startswith("/"):
        raise hub_columns.UntoldColumns(f"its rows are stored elsewhere, at {url}")
    return rest[1:], ""


def _unreadable(about: Repository, error: Exception) -> errors.InvalidArgument:
    return errors.InvalidArgument.at(
        "huggingface_name", rules.HUB_READABLE, f"cannot read {about.name!r}: {error}"
    )
