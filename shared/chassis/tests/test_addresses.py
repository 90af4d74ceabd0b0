"""Services in folders of any name reach each other."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from hypothesis import given
from hypothesis import strategies as st

from chassis import addresses
from chassis.config import Settings, sqlite_url
from chassis.rpc.sockets import AddressError, Listener
from chassis.store.engine import Store

ODD = [
    *("a b", "a%20b", "100%", "%", "%zz", "a#b", "a?b=c", "a[b]", "ü", "日本", "d*", "a&b", "a;b"),
    *("a'b", 'a"b', "a\\b", "{a}", "a|b", "a:b", "a@b", "a+b", "~", "$HOME", "-x", " a ", "a%2Fb"),
]


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    shutil.rmtree(folder)


async def _serves(settings: Settings, client: Settings) -> None:
    server = aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    listener = Listener(settings.listen_address, settings.sockets / "some.address")
    listener.bind(server)
    await server.start()
    try:
        published = (settings.sockets / "some.address").read_text()
        for address in (client.address_of("some"), published):
            async with aio.insecure_channel(address) as channel:
                check = health_pb2_grpc.HealthStub(channel).Check
                await check(health_pb2.HealthCheckRequest(), timeout=10)
    finally:
        await server.stop(None)
        listener.release()


@pytest.mark.parametrize("name", ODD)
async def test_service_is_reached_in_a_home_of_that_name(short: Path, name: str) -> None:
    home = short / name
    await _serves(Settings(service="some", home=home), Settings(service="other", home=home))
    assert (home / "run" / "some.sock.lock").exists()


@pytest.mark.parametrize("name", ODD)
async def test_service_is_reached_where_variables_name_the_path(
    short: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen = f"unix:{short / name}/s"
    monkeypatch.setenv("FTS_SOME_ADDRESS", listen)
    await _serves(
        Settings(service="some", home=short, listen=listen), Settings(service="other", home=short)
    )
    assert (short / name / "s.lock").exists()


@pytest.mark.parametrize("name", ODD)
async def test_database_lies_in_the_folder_of_that_name(tmp_path: Path, name: str) -> None:
    migrations = tmp_path / name / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_first.py").write_text(
        'revision = "0001"\ndown_revision = None\n\n\ndef upgrade() -> None:\n    pass\n'
    )
    store = Store("some", sqlite_url(tmp_path / name / "some.db"), migrations)
    await store.open()
    await store.close()
    assert (tmp_path / name / "some.db").stat().st_size > 0
    assert os.listdir(tmp_path) == [name]


async def test_comma_in_a_socket_path_is_refused_with_the_remedy(short: Path) -> None:
    with pytest.raises(AddressError, match=r"contains a comma.*set FTS_RUN_DIR"):
        await _serves(*[Settings(service="some", home=short / "a,b")] * 2)


@given(st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1))
def test_address_gives_back_its_path(name: str) -> None:
    path = Path("/x") / name
    assert addresses.socket_of(addresses.of_socket(path)) == path
    assert addresses.of_setting(f"unix:{path}") == addresses.of_socket(path)
    assert addresses.socket_of("127.0.0.1:5") is None
    assert addresses.of_setting("[::]:5") == "[::]:5"
