"""The process that decodes a file for a worker: it knows no secret, may write no file, and ends when it takes too much.

`python -m heimdex.media.child` reads an Order from its standard input and writes messages to its standard output.
"""

import ctypes
import os
import pickle
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from inspect import isgenerator
from time import monotonic, sleep
from typing import Any, BinaryIO

from heimdex.media.bounds import Bounds
from heimdex.media.crossing import send
from heimdex.media.errors import MediaError

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_REPORT_EVERY_S = 0.2
_LONGEST_TRACE = 4000
_LONGEST_GOODBYE_S = 5.0


@dataclass(frozen=True)
class Order:
    """What a worker wants done: a function by module and name, its arguments, whether it takes `on_progress`, and within which bounds."""

    module: str
    name: str
    arguments: tuple[Any, ...]
    reports: bool
    bounds: Bounds
    parent: int


def main() -> None:
    """Carry out the order on the standard input."""
    order: Order = pickle.load(sys.stdin.buffer)
    # What a library prints must not come between the messages.
    outbox = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    _confine(order)
    try:
        _carry_out(order, outbox)
    except BrokenPipeError:
        # The worker wants no more.
        pass
    else:
        # The worker looks at what this process took, and ends it.
        sleep(_LONGEST_GOODBYE_S)
    # Without the end of Python, which waits for threads that decode.
    os._exit(0)


def _confine(order: Order) -> None:
    """Take away what decoding does not need. The number of processes is left: it would count all threads of the user."""
    cpu_s = int(order.bounds.cpu_s) + 1
    limits = {
        resource.RLIMIT_AS: (order.bounds.memory_bytes, order.bounds.memory_bytes),
        # The second bound is for what catches the signal of the first.
        resource.RLIMIT_CPU: (cpu_s, cpu_s + 2),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_NOFILE: (64, 64),
        resource.RLIMIT_CORE: (0, 0),
    }
    for limit, (soft, hard) in limits.items():
        _, most = resource.getrlimit(limit)
        hard = hard if most == resource.RLIM_INFINITY else min(hard, most)
        resource.setrlimit(limit, (min(soft, hard), hard))
    # When to stop is the worker's decision, also when a terminal or a service manager tells all of the group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != order.parent:
        # The worker was gone before it could take this process along.
        os._exit(0)


def _carry_out(order: Order, outbox: BinaryIO) -> None:
    try:
        function = getattr(import_module(order.module), order.name)
        send(outbox, ("ready",))
        result = function(*order.arguments, **({"on_progress": _reporting(outbox)} if order.reports else {}))
        for item in result if isgenerator(result) else (result,):
            send(outbox, ("item", item))
        send(outbox, ("end",))
    except MediaError as error:
        send(outbox, ("refused", str(error.code), str(error)))
    except MemoryError:
        send(outbox, ("starved",))
    except ImportError as error:
        send(outbox, ("broken", str(error)))
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001 - the worker is told of everything, and logs it.
        send(outbox, ("crashed", traceback.format_exc()[-_LONGEST_TRACE:]))


def _reporting(outbox: BinaryIO) -> Callable[[float], None]:
    last = 0.0

    def report(share: float) -> None:
        nonlocal last
        if share >= 1.0 or monotonic() - last >= _REPORT_EVERY_S:
            last = monotonic()
            send(outbox, ("progress", float(share)))

    return report


if __name__ == "__main__":
    main()
