"""MLflow callback of a training that continues if the store fails."""

from collections.abc import Callable
from typing import Any

from transformers.integrations import MLflowCallback

from trainer.model.hardware import Notify
from trainer.tracking.runs import safe_text


class TolerantMLflowCallback(MLflowCallback):
    """The library's callback, but the first error of the store is a notice, and ends the
    reports."""

    def __init__(self, notify: Notify) -> None:
        super().__init__()
        self._notify = notify
        self._lost = False

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        """Begins the run, with the settings as its parameters."""
        self._try(super().on_train_begin, *args, **kwargs)

    def on_log(self, *args: Any, **kwargs: Any) -> None:
        """Reports the numbers of a step."""
        self._try(super().on_log, *args, **kwargs)

    def on_save(self, *args: Any, **kwargs: Any) -> None:
        """Reports the checkpoint where the environment asks for that."""
        self._try(super().on_save, *args, **kwargs)

    def on_train_end(self, *args: Any, **kwargs: Any) -> None:
        """Ends the run."""
        self._try(super().on_train_end, *args, **kwargs)

    def _try(self, report: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        if self._lost:
            return
        try:
            report(*args, **kwargs)
        except Exception as error:
            self._lost = True
            self._auto_end_run = False  # or it would be tried again when this object goes
            self._notify(f"The training is not reported to MLflow any more: {safe_text(error)}")
