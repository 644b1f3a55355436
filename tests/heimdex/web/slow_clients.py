"""Clients that send or read one byte at a time, and stay until they are cut off."""

import selectors
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

# Slower than every limit, and fast enough that a limit of idle time alone would never end.
_PAUSE_S = 0.5


@dataclass(frozen=True)
class SlowClient:
    """It sends `head` at once, then a byte after each pause. With `reads`, it reads a byte after each pause instead."""

    head: bytes
    reads: bool = False


@dataclass
class Crowd:
    """`cut_off` clients of all have lost their connection."""

    sockets: list[socket.socket] = field(default_factory=list)
    cut_off: int = 0


@contextmanager
def run_slow_clients(port: int, clients: Sequence[SlowClient]) -> Iterator[Crowd]:
    """Connect all clients, and let them send and read until the block ends."""
    crowd, stop = Crowd(), threading.Event()
    for client in clients:
        connection = socket.socket()
        # Without this, the client's kernel would read for it.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        connection.sendall(client.head)
        crowd.sockets.append(connection)
    thread = threading.Thread(target=_drip, args=(crowd, list(clients), stop))
    thread.start()
    try:
        yield crowd
    finally:
        stop.set()
        thread.join()
        for connection in crowd.sockets:
            connection.close()


def _drip(crowd: Crowd, clients: list[SlowClient], stop: threading.Event) -> None:
    with selectors.DefaultSelector() as selector:
        for connection, client in zip(crowd.sockets, clients, strict=True):
            selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
        while not stop.wait(_PAUSE_S):
            for key, events in selector.select(0):
                if _is_lost(key.fileobj, key.data, events):  # type: ignore[arg-type]
                    selector.unregister(key.fileobj)
                    crowd.cut_off += 1


def _is_lost(connection: socket.socket, client: SlowClient, events: int) -> bool:
    """Send or read a byte. Return whether the server has closed the connection."""
    try:
        if client.reads:
            return bool(events & selectors.EVENT_READ) and connection.recv(1) == b""
        if events & selectors.EVENT_READ:
            # Any answer before the end of the request is the announcement that the server closes.
            return True
        connection.sendall(b"a")
    except OSError:
        return True
    return False


def wait_until_cut_off(crowd: Crowd, count: int, deadline_s: float) -> None:
    """Wait until `count` clients have lost their connection."""
    deadline = time.monotonic() + deadline_s
    while crowd.cut_off < count:
        assert time.monotonic() < deadline, f"{crowd.cut_off} of {count} clients were cut off"
        time.sleep(0.1)
