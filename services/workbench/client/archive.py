"""Builds the source archive of the API's client, which pip installs from the workbench."""

import gzip
import importlib.resources
import io
import tarfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from importlib.resources.abc import Traversable
from pathlib import Path

from services.workbench.client import build_backend

FILE_NAME = "python.tar.gz"
_PYPROJECT = """\
[build-system]
requires = []
build-backend = "client_build"
backend-path = ["."]
"""
_SKIPPED = {"__pycache__", "tests", "codegen", "pyproject.toml"}
_UNINSTALLED = ("0.1.0", ["urllib3>=2"])


def build() -> bytes:
    """Returns the archive, the same bytes for the same client."""
    try:
        installed = metadata(build_backend.PACKAGE)
        version, requires = installed["Version"], installed.get_all("Requires-Dist") or []
    except PackageNotFoundError:
        version, requires = _UNINSTALLED  # run from a source tree that is only on the path
    package = build_backend.PACKAGE
    info = [
        "Metadata-Version: 2.1",
        f"Name: {package}",
        f"Version: {version}",
        "Requires-Python: >=3.11",
        *(f"Requires-Dist: {requirement}" for requirement in requires),
    ]
    files = {
        "pyproject.toml": _PYPROJECT.encode(),
        "PKG-INFO": ("\n".join(info) + "\n").encode(),
        "client_build.py": Path(build_backend.__file__).read_bytes(),
        **dict(_sources(importlib.resources.files(package), package)),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(f"{package}-{version}/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


def _sources(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        if item.name in _SKIPPED:
            continue
        name = f"{prefix}/{item.name}"
        if item.is_dir():
            yield from _sources(item, name)
        else:
            yield name, item.read_bytes()
