"""Python with the network cable pulled, for whoever puts this folder on `PYTHONPATH`.

Python runs a module of this name at start-up, so the guard also holds in kernels and in their worker processes. An
audit hook sees every name look-up and every connection made through Python's own sockets, whichever library asks, and
cannot be removed again. Loopback stays open, because a kernel talks to its notebook through it.

Modules named in `HIDDEN_MODULES` (separated by commas) look as if they were not installed.
"""

import importlib.machinery
import os
import socket
import sys
from typing import Any

LOOPBACK = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "", None}
LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
HIDDEN = {name for name in os.environ.get("HIDDEN_MODULES", "").split(",") if name}


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise on a look-up of, or a connection to, anything but this machine."""
    if event in LOOK_UPS:
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto"}:
        connection, address = arguments
        if connection.family not in {socket.AF_INET, socket.AF_INET6} or address is None:
            return
        host = address[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if name not in LOOPBACK:
        raise OSError(f"the network cable is pulled: {event} to {name!r} is refused in this run")


class _PathFinderWithoutHidden(importlib.machinery.PathFinder):
    """The usual search of `sys.path`, blind to the hidden modules."""

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> Any:
        """Find nothing for a hidden module, so that even `importlib.util.find_spec` believes it."""
        return None if fullname in HIDDEN else super().find_spec(fullname, path, target)


sys.addaudithook(_refuse_network)
sys.meta_path[:] = [
    _PathFinderWithoutHidden if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path
]
