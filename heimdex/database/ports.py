"""TCP ports of the loopback interface."""

import socket


def is_free(port: int) -> bool:
    """Return whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        # As servers do: connections of the last run in TIME_WAIT do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def find_free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pick_port(preferred: int) -> int:
    """Return `preferred` if it is free, else one of the next twenty, else any free port."""
    candidates = range(preferred, min(preferred + 21, 65536))
    return next((port for port in candidates if is_free(port)), None) or find_free_port()
