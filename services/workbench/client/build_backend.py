"""PEP 517 build backend of the client's source archive, with nothing to download.

The archive contains this file as `client_build.py`. The package in the archive is complete, so a
wheel is made by packing it.
"""

import base64
import hashlib
import zipfile
from pathlib import Path

PACKAGE = "cmlapi"


def build_wheel(
    wheel_directory: str,
    config_settings: object = None,  # noqa: ARG001 - as PEP 517 has it
    metadata_directory: str | None = None,  # noqa: ARG001
) -> str:
    """Packs the package and its metadata; returns the wheel's file name."""
    here = Path(__file__).parent
    metadata = (here / "PKG-INFO").read_text()
    version = next(
        line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Version: ")
    )
    info = f"{PACKAGE}-{version}.dist-info"
    files = {
        path.relative_to(here).as_posix(): path.read_bytes()
        for path in sorted((here / PACKAGE).rglob("*"))
        if path.is_file()
    }
    files[f"{info}/METADATA"] = metadata.encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: client_build\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    wheel = f"{PACKAGE}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return wheel


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
