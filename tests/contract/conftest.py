"""A studio that tests by wire share."""

from collections.abc import Iterator

import pytest

from tests.contract.furnished import Target, furnished
from tests.processes import starts_processes


@pytest.fixture(scope="module")
@starts_processes
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with furnished(tmp_path_factory.mktemp("furnished")) as target:
        yield target
