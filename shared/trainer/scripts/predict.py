"""Script of served models; the environment names the model."""

import os
from typing import Any

from trainer.serving.predict import load_or_exit

_predictor = load_or_exit(os.environ)


def api_wrapper(args: dict[str, Any]) -> str:
    """The model's answer to a call, see `trainer.serving.predict`."""
    return _predictor.answer(args)
