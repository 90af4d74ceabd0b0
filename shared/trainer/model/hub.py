"""What a job takes from the hub, and at which commit."""

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
    """The user's token, which travels in the job's environment; None asks without one."""
    return os.environ.get(HUB_TOKEN) or None


def commit_of_model(name: str, commit: str = "") -> str:
    """The commit at which a model is loaded now: the newest, or the one that is wanted.

    Empty where nobody can say: the model itself then cannot be loaded either. Raises ModelError if
    the wanted commit cannot be had.
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
    """Where the files of a model lie that was loaded at that commit."""
    from transformers.utils import cached_file

    found = cached_file(name, "config.json", revision=commit or "main", token=token())
    return Path(found).parent


@cache
def adapter_folder(name: str, commit: str = "") -> Path:
    """The directory with an adapter's files, and those of its tokenizer, at that commit, else at
    the newest; its name is the commit. Raises ModelError if they cannot be had."""
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
    """The newest commit of a data set; empty where the hub does not answer."""
    from huggingface_hub import HfApi

    try:
        return str(HfApi().dataset_info(name, token=token()).sha or "")
    except Exception:
        return ""


def gone(what: str, name: str, commit: str, error: Exception) -> ModelError:
    """A commit cannot be had, which is not replaced by another."""
    return ModelError(
        f"{what} {name} cannot be loaded at commit {commit}, which the training saw or the studio "
        f"registered: {first_line(error)} Where the hub no longer has that commit, register "
        f"{name} again and train anew."
    )
