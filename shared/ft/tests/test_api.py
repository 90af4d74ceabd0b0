"""The names that scripts rely on."""

import json
from pathlib import Path

from ft import api, client, enums
from ft.proto import fine_tuning_studio_types_pb2
from ft.rpcs import Rpcs
from ft.services import SERVICES

FROZEN = json.loads((Path(__file__).parent / "exported_names.json").read_text())
MESSAGES = {
    name
    for file in (*(service.file for service in SERVICES), fine_tuning_studio_types_pb2.DESCRIPTOR)
    for name in file.message_types_by_name
}
"""Messages of the public contract."""


def test_exported_names_are_frozen() -> None:
    assert set(FROZEN["names"]) <= set(api.__all__)
    assert set(api.__all__) == {*FROZEN["names"], *MESSAGES}


def test_exported_names_of_the_client_are_frozen() -> None:
    assert sorted(client.__all__) == FROZEN["client"]
    methods = {name for name in dir(client.FineTuningStudioClient) if not name.startswith("_")}
    assert set(FROZEN["methods"]) <= methods
    # Beyond these, only RPCs and lists of the contract, which the generator gives methods.
    rpcs = {name for kind in Rpcs.__mro__[:-1] for name in vars(kind)}
    assert methods <= {*FROZEN["methods"], *rpcs}


def test_messages_and_enumerations_are_all_exported() -> None:
    assert MESSAGES | set(enums.__all__) <= set(api.__all__)
    for name in api.__all__:
        assert getattr(api, name).__name__ == name


def test_star_import_brings_just_these_names() -> None:
    namespace: dict[str, object] = {}
    exec("from ft.api import *", namespace)
    del namespace["__builtins__"]
    assert sorted(namespace) == sorted(api.__all__)


def test_values_of_the_enumerations_are_frozen() -> None:
    values = {name: [str(member) for member in getattr(enums, name)] for name in enums.__all__}
    assert values == FROZEN["enumerations"]


def test_enumeration_member_is_its_string() -> None:
    assert api.AddDatasetRequest(type=api.DatasetType.PROJECT).type == "project"
    assert isinstance(api.ConfigType.CUSTOM, str)
    assert f"{api.ConfigType.CUSTOM}" == "custom"


def test_dataset_formats_are_known_by_suffix() -> None:
    info = api.DatasetFormatInfo(name="alpaca", description="", format={"instruction": "str"})
    collection = api.DatasetFormatsCollection(dataset_formats={"alpaca": info})
    assert collection.dataset_formats["alpaca"].format == {"instruction": "str"}
