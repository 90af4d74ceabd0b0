"""Settings from the environment."""

from pathlib import Path

import pytest

from chassis.config import Settings
from services.workbench.settings import WorkbenchSettings


def test_settings_have_defaults_without_variables() -> None:
    settings = Settings.load("some")
    assert (settings.service, settings.home, settings.project_dir) == ("some", Path(".fts"), None)
    assert (settings.log_level, settings.grace_seconds, settings.repeat_days) == ("info", 10.0, 30)


def test_settings_are_read_from_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTS_HOME", "/a home")
    monkeypatch.setenv("FTS_EXTRA_ROOTS", "/b::/c")
    monkeypatch.setenv("FTS_LOG_FORMAT", "console")
    monkeypatch.setenv("FTS_MAX_CONCURRENT_RPCS", " 7 ")
    monkeypatch.setenv("FTS_HUB_SECONDS", "1e-1")
    monkeypatch.setenv("HUGGINGFACE_ACCESS_TOKEN", "hf_secret")
    settings = Settings.load("some", default_listen="[::]:1")
    assert settings.home == Path("/a home")
    assert settings.extra_roots == (Path("/b"), Path("/c"))
    assert (settings.log_format, settings.max_concurrent_rpcs) == ("console", 7)
    assert (settings.hub_seconds, settings.hub_token) == (0.1, "hf_secret")
    assert settings.listen_address == "[::]:1"
    assert "hf_secret" not in repr(settings)


def test_given_settings_replace_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTS_HOME", "/elsewhere")
    monkeypatch.setenv("FTS_GRACE_SECONDS", "none")
    settings = Settings(service="some", home=Path("/here"), grace_seconds=1.0)
    assert (settings.home, settings.grace_seconds) == (Path("/here"), 1.0)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FTS_LOG_LEVEL", "loud", "must be debug, info, warning or error, not 'loud'"),
        ("FTS_LOG_FORMAT", "", "must be json or console, not ''"),
        ("FTS_GRACE_SECONDS", "0", "must be a number above 0, not '0'"),
        ("FTS_GRACE_SECONDS", "nan", "must be a number above 0, not 'nan'"),
        ("FTS_REPEAT_DAYS", "36501", "must be a number above 0 and of at most 36500, not '36501'"),
        ("FTS_GRACE_SECONDS", "x", "must be a number above 0, not 'x'"),
        ("FTS_HUB_QUESTIONS", "1.5", "must be a whole number above 0, not '1.5'"),
        (
            "FTS_WORKBENCH_PORT",
            "-1",
            "must be a whole number of at least 0 and of at most 65535, not '-1'",
        ),
        ("FTS_WORKBENCH_PROJECT_ID", "a b", "must match ^[A-Za-z0-9._-]+$, not be 'a b'"),
    ],
)
def test_unusable_value_ends_the_process_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        WorkbenchSettings.load("workbench")
    message = str(ended.value)
    assert message.startswith(f"workbench: {name}: ")
    assert message.endswith(said)


def test_all_unusable_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTS_GRACE_SECONDS", "-1")
    monkeypatch.setenv("FTS_LOG_LEVEL", "loud")
    with pytest.raises(SystemExit, match=r"^some: FTS_LOG_LEVEL: .*; FTS_GRACE_SECONDS: .*$"):
        Settings.load("some")
