"""The sandboxed process that decodes a file for a worker. It reaches nothing but that file, and ends when it exceeds its limits.

`python -m heimdex.media.sandbox_child` reads a SandboxJob from its standard input and writes messages to its standard output.
"""

import ctypes
import errno
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
from pathlib import Path
from time import monotonic, sleep
from typing import Any, BinaryIO

from heimdex.media.confinement import NotConfined, confine, drop_root
from heimdex.media.errors import MediaError
from heimdex.media.opened_files import open_early
from heimdex.media.sandbox_protocol import SandboxLimits, send

_PR_SET_PDEATHSIG = 1
_REPORT_EVERY_S = 0.2
_MAX_TRACEBACK = 4000
_MAX_LINGER_S = 5.0


@dataclass(frozen=True)
class SandboxJob:
    """The job of the process: a function by module and name, its arguments, whether it takes `on_progress`, and the limits.

    `parent` is the process that it must not outlive, `output_file` the descriptor of the file that it may write, if any.
    """

    module: str
    name: str
    arguments: tuple[Any, ...]
    reports_progress: bool
    limits: SandboxLimits
    parent: int
    output_file: int | None


def main() -> None:
    """Run the job on the standard input."""
    job: SandboxJob = pickle.load(sys.stdin.buffer)
    # The output of libraries must not mix with the messages.
    output = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    _limit(job)
    try:
        _run(job, output)
    except BrokenPipeError:
        # The worker needs no more items.
        pass
    else:
        # The worker measures this process and then kills it.
        sleep(_MAX_LINGER_S)
    # Skip the shutdown of Python, which waits for decoding threads.
    os._exit(0)


def _limit(job: SandboxJob) -> None:
    """Limit what the process may use. The number of processes stays unlimited, because the limit counts all threads of the user."""
    cpu_s = int(job.limits.cpu_s) + 1
    resource_limits = {
        resource.RLIMIT_AS: (job.limits.memory_bytes, job.limits.memory_bytes),
        # The hard limit stops code that catches the signal of the soft one.
        resource.RLIMIT_CPU: (cpu_s, cpu_s + 2),
        resource.RLIMIT_FSIZE: (job.limits.output_bytes, job.limits.output_bytes),
        resource.RLIMIT_NOFILE: (64, 64),
        resource.RLIMIT_CORE: (0, 0),
    }
    for limit, (soft, hard) in resource_limits.items():
        _, current = resource.getrlimit(limit)
        hard = hard if current == resource.RLIM_INFINITY else min(hard, current)
        resource.setrlimit(limit, (min(soft, hard), hard))
    # The worker decides when to stop, also when a terminal or service manager signals the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _prepare(job: SandboxJob) -> Callable[..., Any]:
    """Open the files and import the code that the job needs, and give up everything else. Return the function to run."""
    module = import_module(job.module)
    for argument in job.arguments:
        if isinstance(argument, Path):
            open_early(argument)
    if hasattr(module, "load_libraries"):
        module.load_libraries()
    drop_root()
    if sys.platform == "linux":
        # A change of the user clears it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != job.parent:
        # The worker has died before the death signal was set.
        os._exit(0)
    confine()
    function: Callable[..., Any] = getattr(module, job.name)
    return function


def _run(job: SandboxJob, output: BinaryIO) -> None:
    try:
        function = _prepare(job)
        send(output, ("ready",))
        file = None if job.output_file is None else os.fdopen(job.output_file, "wb")
        options: dict[str, Any] = {"on_progress": _make_reporter(output)} if job.reports_progress else {}
        options |= {} if file is None else {"output": file}
        result = function(*job.arguments, **options)
        for item in result if isgenerator(result) else (result,):
            if file is not None:
                # The worker may need no more than this item.
                file.flush()
            send(output, ("item", item))
        send(output, ("end",))
    except MediaError as error:
        send(output, ("refused", str(error.code), str(error)))
    except MemoryError:
        send(output, ("starved",))
    except ImportError as error:
        send(output, ("broken", f"{error}. Install the missing package"))
    except NotConfined as error:
        send(output, ("broken", str(error)))
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the worker logs every error.
        # OSError and the errors of FFmpeg have it: the limit of RLIMIT_FSIZE, whose signal Python ignores.
        if getattr(error, "errno", None) == errno.EFBIG:
            send(output, ("full",))
            return
        send(output, ("crashed", traceback.format_exc()[-_MAX_TRACEBACK:]))


def _make_reporter(output: BinaryIO) -> Callable[[float], None]:
    last_at = 0.0

    def report(share: float) -> None:
        nonlocal last_at
        if share >= 1.0 or monotonic() - last_at >= _REPORT_EVERY_S:
            last_at = monotonic()
            send(output, ("progress", float(share)))

    return report


if __name__ == "__main__":
    main()
