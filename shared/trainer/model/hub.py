"""Access to the hub: models, adapters and commits."""

import os
import re
from functools import cache
from pathlib import Path

from ft.job_protocol.variables import HUB_TOKEN
from rows.errors import first_line
from trainer.errors import ModelError
from trainer.model.saving import ADAPTER_FILES

_COMMIT = re.compile(r"[0-9a-f]{40}")


def token() -> str | None:
    """The user's token from the job's environment; None if there is none."""
    return os.environ.get(HUB_TOKEN) or None


def commit_of_model(name: str, commit: str = "") -> str:
    """The commit at which a model is loaded now: `commit`, or the newest one.

    Empty if it is not known; then the model cannot be loaded either. Raises ModelError if `commit`
    is not available.
    """
    from huggingface_hub import hf_hub_download

    try:
        file = Path(hf_hub_download(name, "config.json", revision=commit or None, token=token()))
    except Exception as error:
        if commit:
            raise gone("Model", name, commit, error) from error
        return ""
    found = file.parent.name
    return found if _COMMIT.fullmatch(found) else ""


def model_folder(name: str, commit: str = "") -> Path:
    """The directory with the files of a model that was loaded at that commit."""
    from transformers.utils import cached_file

    found = cached_file(name, "config.json", revision=commit or "main", token=token())
    return Path(found).parent


@cache
def adapter_folder(name: str, commit: str = "") -> Path:
    """The directory with the files of an adapter and its tokenizer, at `commit` or else the newest
    one.

    The name of the directory is the commit. Raises ModelError if the files are not available.
    """
    from huggingface_hub import snapshot_download

    try:
        found = snapshot_download(
            name, revision=commit or None, token=token(), allow_patterns=list(ADAPTER_FILES)
        )
    except Exception as error:
        if commit:
            raise gone("Adapter", name, commit, error) from error
        raise ModelError(f"Adapter {name} cannot be loaded: {first_line(error)}") from error
    return Path(found)


def commit_of_dataset(name: str) -> str:
    """The newest commit of a dataset; empty if the hub does not answer."""
    from huggingface_hub import HfApi

    try:
        return str(HfApi().dataset_info(name, token=token()).sha or "")
    except Exception:
        return ""


def gone(what: str, name: str, commit: str, error: Exception) -> ModelError:
    """Error about a commit that is not available. No other commit is used in its place."""
    return ModelError(
        f"{what} {name} cannot be loaded at commit {commit}, at which it was registered or trained "
        f"on: {first_line(error)} If the hub no longer has that commit, register {name} again and "
        "repeat the training."
    )
