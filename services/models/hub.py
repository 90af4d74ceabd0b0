"""Facts about models on the hub, read without loading their weights."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chassis import errors
from services.models import model_config


class HubModels:
    """Asks the hub with `huggingface_hub`, which is imported at the first call."""

    def __init__(self, token: str) -> None:
        self._token = token or None

    async def require(self, name: str) -> None:
        """Returns if the hub has a model of that name.

        Raises NotFound if it has none, PermissionDenied if the model may not be seen with our
        token, and Unavailable if the hub does not answer.
        """
        await asyncio.to_thread(self._require, name)

    async def family(self, name: str) -> str:
        """The first architecture in the model's config; empty if it names none.

        Raises as `require` does, and FailedPrecondition for a model whose config is unusable.
        """
        return await asyncio.to_thread(self._family, name)

    def _require(self, name: str) -> None:
        from huggingface_hub import HfApi

        with _refusals(name):
            HfApi().model_info(name, token=self._token)

    def _family(self, name: str) -> str:
        from huggingface_hub import hf_hub_download

        with _refusals(name):
            file = hf_hub_download(name, model_config.CONFIG_FILE, token=self._token)
        try:
            return model_config.family(model_config.read(Path(file)))
        except model_config.ConfigFault as fault:
            raise errors.FailedPrecondition(
                f"model {name!r}: {fault}", reason="MODEL_CONFIG_UNUSABLE", model=name
            ) from fault


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Turns what the library raises into the studio's own errors."""
    from httpx2 import HTTPError
    from huggingface_hub import errors as hub

    try:
        yield
    except hub.GatedRepoError as error:
        raise errors.PermissionDenied(
            f"model {name!r} is gated; set HUGGINGFACE_ACCESS_TOKEN to a token that may read it",
            reason="MODEL_GATED",
            model=name,
        ) from error
    except (hub.RepositoryNotFoundError, hub.HFValidationError) as error:
        raise errors.NotFound(
            f"{name!r} is not a model on the hub", resource="model", id=name
        ) from error
    except hub.RemoteEntryNotFoundError as error:
        raise errors.FailedPrecondition(
            f"model {name!r}: has no {model_config.CONFIG_FILE}",
            reason="MODEL_CONFIG_UNUSABLE",
            model=name,
        ) from error
    except hub.HfHubHTTPError as error:
        if error.response.status_code in (401, 403):
            raise errors.PermissionDenied(
                f"the hub refuses HUGGINGFACE_ACCESS_TOKEN for model {name!r}",
                reason="HUB_TOKEN_REFUSED",
                model=name,
            ) from error
        raise _unavailable(name, f"HTTP {error.response.status_code}") from error
    except (HTTPError, OSError) as error:
        # Among them: no network, offline mode.
        raise _unavailable(name, type(error).__name__) from error


def _unavailable(name: str, why: str) -> errors.Unavailable:
    return errors.Unavailable(
        f"the hub did not answer about model {name!r}: {why}", reason="HUB_UNAVAILABLE"
    )
