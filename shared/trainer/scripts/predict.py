"""Script of served models: what it is to load stands in the environment."""

import os
from typing import Any

from trainer.serving.predict import load_or_exit

_predictor = load_or_exit(os.environ)


def api_wrapper(args: dict[str, Any]) -> str:
    """The model's continuation of `prompt`, with `trainer.serving.predict.OPTIONS`."""
    return _predictor.answer(args)
