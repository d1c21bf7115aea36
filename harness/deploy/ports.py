"""Choosing a free port, and seeing that a fixed one is free."""

from __future__ import annotations

import socket

from harness.deploy.types import DeployError, DeployFault


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_port(port: int) -> None:
    """See that a fixed port can be listened on, at this address and at all.

    Raises:
        DeployError: PORT_TAKEN, naming who has it where that can be seen; COMMAND, the port needs privilege.
    """
    for address in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 - only to see whether anybody listens
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As servers do: connections that are only closing do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                probe.listen(1)
            except PermissionError:
                raise DeployError(
                    DeployFault.COMMAND, f"port {port} may not be used by this user; choose one above 1023"
                ) from None
            except OSError:
                raise DeployError(
                    DeployFault.PORT_TAKEN,
                    f"port {port} is taken{_holder(port)}; end what listens there, "
                    "or leave `port:` out and use {port}",
                ) from None


def _holder(port: int) -> str:
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    break
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except (psutil.Error, OSError):
        return ""
    return " by another process"
