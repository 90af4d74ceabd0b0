"""Facts about datasets on the hub, read without loading their rows."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from chassis import errors
from services.datasets import rules


@dataclass(frozen=True, slots=True)
class HubDataset:
    """What the hub says of a dataset."""

    features: list[str]
    description: str


class HubDatasets:
    """Reads the builder's info with the `datasets` library.

    The library is imported at the first call: it takes a second that a start should not.
    """

    def __init__(self, token: str) -> None:
        self._token = token or None

    async def describe(self, name: str) -> HubDataset:
        """Column names and description of the dataset of that name.

        Raises InvalidArgument if there is no such dataset, PermissionDenied if it is gated, and
        Unavailable if the hub does not answer.
        """
        return await asyncio.to_thread(self._describe, name)

    def _describe(self, name: str) -> HubDataset:
        from datasets import load_dataset_builder
        from datasets.exceptions import DatasetNotFoundError

        _require_hub_name(name)
        try:
            info = load_dataset_builder(name, token=self._token).info
        except DatasetNotFoundError as error:
            if "gated" in str(error):
                raise errors.PermissionDenied(
                    f"huggingface_name: dataset {name!r} is gated; set HUGGINGFACE_ACCESS_TOKEN "
                    "to a token that may read it",
                    field="huggingface_name",
                ) from error
            raise _not_on_hub(name) from error
        except OSError as error:
            raise errors.Unavailable(
                f"the hub did not answer about dataset {name!r}: {type(error).__name__}",
                reason="HUB_UNAVAILABLE",
            ) from error
        except Exception as error:
            # The library raises what its many readers raise; all of it is about this dataset.
            raise errors.InvalidArgument.at(
                "huggingface_name", rules.HUB_READABLE, f"cannot read {name!r}: {error}"
            ) from error
        return HubDataset(list(info.features or ()), info.description or "")


def _require_hub_name(name: str) -> None:
    """Raises InvalidArgument for what the library would take for a path: it reads any directory of
    this machine as a dataset."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise _not_on_hub(name) from error
    if Path(name).exists():
        raise _not_on_hub(name)


def _not_on_hub(name: str) -> errors.InvalidArgument:
    return errors.InvalidArgument.at(
        "huggingface_name", rules.ON_HUB, f"{name!r} is not a dataset on the hub"
    )
