"""The address of the studio, from arguments or the environment."""

import ipaddress
import os

from ft.job_protocol.variables import STUDIO_IP, STUDIO_PORT


def studio_address(server_ip: str | None, server_port: str | int | None) -> str:
    """`host:port`; parts that are not given come from FINE_TUNING_SERVICE_IP and _PORT.

    Raises ValueError if a part is missing or wrong.
    """
    host = (server_ip or os.environ.get(STUDIO_IP, "")).strip().strip("[]")
    port = str(server_port or os.environ.get(STUDIO_PORT, "")).strip()
    if not host:
        raise ValueError(f"server_ip: not given, and {STUDIO_IP} is not set")
    if not port:
        raise ValueError(f"server_port: not given, and {STUDIO_PORT} is not set")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"server_port: {port!r} is not a port number from 1 to 65535")
    try:
        return f"[{host}]:{port}" if ipaddress.ip_address(host).version == 6 else f"{host}:{port}"
    except ValueError:
        return f"{host}:{port}"
