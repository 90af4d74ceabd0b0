"""Where runs are tracked."""

from pathlib import Path

import pytest

from ft.enums import FailureKind
from trainer import tracking
from trainer.errors import TrackingError, kind_of


@pytest.mark.parametrize(
    "address", ["http://user:pass-word@127.0.0.1:1", "http://user:a/pass-word@127.0.0.1:1"]
)
def test_a_store_that_is_away_is_told_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(TrackingError, match=r"cannot be used: .*http://127\.0\.0\.1:1") as told:
        tracking.open_experiment("e", tmp_path)
    assert "pass-word" not in str(told.value)
    assert told.value.__suppress_context__
    # It may be back the next time.
    assert kind_of(told.value) is FailureKind.ERROR


def test_an_address_without_a_scheme_is_told_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "user:pass-word@127.0.0.1:1")
    with pytest.raises(TrackingError, match=r"cannot be used: .*127\.0\.0\.1:1") as told:
        tracking.open_experiment("e", tmp_path)
    assert "pass-word" not in str(told.value)
