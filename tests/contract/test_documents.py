"""Documents for contributors name files and targets that exist."""

import re

import pytest

from tests.support import REPOSITORY

DOCUMENTS = ("CONTRIBUTING.md", "README.md", "docs/architecture.md")
TEXT = "".join((REPOSITORY / name).read_text() for name in DOCUMENTS)
TARGETS = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
PATHS = sorted(
    {
        path
        for path in re.findall(r"[\w.-]+(?:/[\w.-]+)+(?:\.\w+|/)?", TEXT)
        if path.startswith(("docs/", "proto/", "services/", "shared/", "tests/"))
        and not path.endswith(("_", "-"))  # the rest of it is a placeholder
    }
)


@pytest.mark.parametrize("path", PATHS)
def test_named_path_exists(path: str) -> None:
    assert (REPOSITORY / path).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", TEXT))))
def test_named_target_exists(target: str) -> None:
    assert target in TARGETS
