"""Say in one line what stands in the way of a port, before a web server fails with a page of traceback."""

import contextlib
import errno
import socket

import psutil

from hotline.embedded.errors import EmbeddedError

_PORTS_TO_TRY = 100
_HIGHEST_PORT = 65535


def check_port(host: str, port: int) -> None:
    """Return when `host`:`port` can be listened on.

    Raises:
        EmbeddedError: it is taken (by whom, and a free one to choose), needs root, or is no address of this machine.
    """
    error = _try(host, port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        raise EmbeddedError(
            f"port {port} is taken by {_holder(port)}: stop it or choose another with PORT={_free(host, port)}"
        ) from error
    if error.errno in (errno.EACCES, errno.EPERM):
        raise EmbeddedError(f"port {port} is reserved for root: choose another with PORT=8000") from error
    raise EmbeddedError(
        f"cannot listen on {host}:{port} ({error.strerror}): choose an address of this machine, such as 127.0.0.1"
    ) from error


def _try(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # Without this a port whose last connections are still fading away would count as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error
    return None


def _holder(port: int) -> str:
    """Return «pid 123 (name)», or what can be said when the system hides other users' processes."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr[1] == port
            if listens and connection.pid:
                return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "another user's process"


def _free(host: str, taken: int) -> int:
    candidates = range(taken + 1, min(taken + _PORTS_TO_TRY, _HIGHEST_PORT) + 1)
    return next((port for port in candidates if _try(host, port) is None), 8001)
