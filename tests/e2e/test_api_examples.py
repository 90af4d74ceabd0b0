"""The examples of docs/api.md run, one after the other, against a real studio."""

from pathlib import Path

import pytest

from ft import api
from tests.e2e.conftest import serving
from tests.support import REPOSITORY

pytestmark = pytest.mark.starts_processes


def test_api_examples_run(tmp_path: Path) -> None:
    file = REPOSITORY / "docs/api/examples.py"
    with serving(tmp_path / "home") as studio, studio.client() as client:
        names = {name: getattr(api, name) for name in api.__all__}
        namespace = {**names, "client": client, "project": studio.project}
        exec(compile(file.read_text(), str(file), "exec"), namespace)
