"""Where a studio on this machine keeps things, and what its processes are told."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ft.local import layout, studio
from ft.local.errors import BadSetting, NotServing
from ft.local.home import LONGEST_SOCKET, MAX_SOCKET_PATH, Home, Setup
from ft.local.supervisor import Supervisor

SETUP = Setup(
    listen="127.0.0.1:0",
    project="/p",
    trainer_python="/t/bin/python",
    workspace=False,
    facade_port=7001,
    workbench_port=7002,
)


@pytest.mark.parametrize("length", [1, 60, 90, 200])
def test_sockets_fit_whatever_the_length_of_the_home(tmp_path: Path, length: int) -> None:
    folder = tmp_path / ("x" * length)
    home = Home(folder)
    assert len(os.fsencode(home.run_dir / LONGEST_SOCKET)) <= MAX_SOCKET_PATH
    assert home.run_dir == Home(folder).run_dir
    assert home.run_dir != Home(folder / "other").run_dir
    if length == 1:
        assert home.run_dir == folder / "run"


def test_folders_are_private_to_the_user(tmp_path: Path) -> None:
    home = Home(tmp_path / ("x" * 150))
    home.prepare()
    home.prepare()
    for folder in (home.path, home.run_dir, home.logs):
        assert folder.stat().st_mode & 0o777 == 0o700
    home.run_dir.rmdir()


@pytest.mark.parametrize("name", ["a\nb", "a\x1bb", "a\u202eb", "a\x7f"])
def test_home_with_invisible_characters_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSetting, match="must not contain"):
        Home(tmp_path / name)


@given(st.text("aü%20#?; [*]'\"\\{}()s:&=~$", min_size=1, max_size=20))
def test_supervisor_config_holds_no_path_of_the_home(name: str) -> None:
    home = Home(Path("/somewhere") / name)
    config = layout.supervisor_config(home, SETUP)
    assert str(home.path) not in config
    assert "%(here)s/run/supervisor.sock" in config


def test_sockets_lie_elsewhere_if_the_home_has_a_comma(tmp_path: Path) -> None:
    assert "," not in str(Home(tmp_path / "a,b").run_dir)


def test_home_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadSetting, match="file"):
        Home(tmp_path / "file" / "home").prepare()


def test_setup_is_remembered(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.setup() is None
    home.remember(SETUP)
    assert home.setup() == SETUP
    (tmp_path / "studio.json").write_text("{")
    with pytest.raises(BadSetting, match="is damaged"):
        home.setup()


@pytest.mark.parametrize(
    ("bound", "reached"),
    [
        ("127.0.0.1:5", "127.0.0.1:5"),
        ("0.0.0.0:5", "127.0.0.1:5"),
        ("[::]:5", "127.0.0.1:5"),
        ("unix:/x/y.sock", "unix:/x/y.sock"),
    ],
)
def test_address_is_one_that_can_be_connected_to(tmp_path: Path, bound: str, reached: str) -> None:
    home = Home(tmp_path)
    home.prepare()
    assert home.address("facade") is None
    (home.run_dir / "facade.address").write_text(bound)
    assert home.address("facade") == reached


def test_environment_points_to_this_studio_alone(tmp_path: Path) -> None:
    outer = {
        "PATH": "/bin",
        "FTS_LISTEN": "0.0.0.0:1",
        "FTS_DATASETS_ADDRESS": "elsewhere:1",
        "FTS_LOG_LEVEL": "debug",
        "CDSW_API_URL": "https://workspace",
        "CDSW_APIV2_KEY": "secret",
    }
    home = Home(tmp_path)
    local = layout.environment(home, SETUP, outer)
    assert not {"FTS_LISTEN", "FTS_DATASETS_ADDRESS", "CDSW_APIV2_KEY"} & set(local)
    assert local["FTS_LOG_LEVEL"] == "debug"
    assert local["CDSW_API_URL"] == "http://127.0.0.1:7002"
    assert local["FTS_WORKBENCH_PYTHON"] == "/t/bin/python"

    inside = Setup(listen="[::]:50051", project="", trainer_python="", workspace=True)
    workspace = layout.environment(home, inside, outer)
    assert workspace["CDSW_API_URL"] == "https://workspace"
    assert workspace["CDSW_APIV2_KEY"] == "secret"
    assert "FTS_PROJECT_DIR" not in workspace
    assert layout.WORKBENCH not in layout.process_names(inside)


@pytest.mark.parametrize(
    ("listen", "told"),
    [
        ("127.0.0.1:0", "127.0.0.1"),
        ("0.0.0.0:50051", "127.0.0.1"),
        ("[::]:50051", "127.0.0.1"),
        ("[::1]:50051", "::1"),
        ("192.0.2.1:50051", "192.0.2.1"),
    ],
)
def test_jobs_get_an_address_that_the_facade_listens_on(
    tmp_path: Path, listen: str, told: str
) -> None:
    environment = layout.environment(Home(tmp_path), replace(SETUP, listen=listen), {})
    assert environment["CDSW_IP_ADDRESS"] == told


@pytest.mark.parametrize(("listen", "told"), [("[::]:0", "127.0.0.1"), ("10.1.2.3:0", "10.1.2.3")])
def test_jobs_find_the_studio_before_the_facade_has_published_its_address(
    tmp_path: Path, listen: str, told: str
) -> None:
    config = layout.supervisor_config(Home(tmp_path), replace(SETUP, listen=listen))
    given = f'FINE_TUNING_SERVICE_IP="{told}",FINE_TUNING_SERVICE_PORT="7001"'
    assert config.count("FINE_TUNING_SERVICE_IP") == 1
    assert given in config.partition("[program:workbench]")[2].partition("[program:")[0]


def test_listen_address_is_given_to_the_facade_alone(tmp_path: Path) -> None:
    config = layout.supervisor_config(Home(tmp_path), SETUP)
    assert config.count("FTS_LISTEN") == 1
    assert config.count("[program:") == 10
    assert 'FTS_LISTEN="127.0.0.1:7001"' in config.partition("[program:facade]")[2]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (studio.SetupOptions(listen="50051"), "--listen: '50051' is not HOST:PORT"),
        (studio.SetupOptions(listen="127.0.0.1:99999"), "--listen"),
        (studio.SetupOptions(listen='127.0.0.1:1"'), "--listen"),
        (studio.SetupOptions(listen="192.0.2.1:0"), "--listen: 192.0.2.1:0: Cannot assign"),
        (
            studio.SetupOptions(trainer_python=Path("/none")),
            "--trainer-python: /none is not an exec",
        ),
        (
            studio.SetupOptions(workspace=True),
            "--workspace: this is not a workspace: CDSW_PROJECT_ID",
        ),
    ],
)
def test_unusable_settings_start_nothing(
    tmp_path: Path, wanted: studio.SetupOptions, said: str
) -> None:
    home = Home(tmp_path / "home")
    with pytest.raises(BadSetting, match=said):
        studio.up(home, wanted, wait_seconds=1)
    assert home.setup() is None
    assert not Supervisor(home).running()


@pytest.mark.starts_processes
def test_supervisor_that_does_not_start_says_why(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    home.supervisor_config.write_text("[supervisord]\nlogfile=/none/x.log\n")
    with pytest.raises(NotServing, match="/none"):
        Supervisor(home).launch(os.environ)


def test_status_of_an_unused_home_is_empty(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    assert studio.status(home) == []
    assert studio.down(home) is False
    assert not home.path.exists()
