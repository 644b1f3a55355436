"""Decode untrusted files in a separate process that has limits, has no secrets, and can crash without harm."""

import os
import pickle
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any, BinaryIO, TypeVar, cast

import structlog

from heimdex.media import bubblewrap
from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.media.sandbox_child import SandboxJob
from heimdex.media.sandbox_protocol import InvalidMessage, MessageReader, SandboxLimits

log = structlog.get_logger(__name__)

T = TypeVar("T")

_CHECK_EVERY_S = 0.5
_MAX_EXIT_S = 5.0
_POLL_EXIT_EVERY_S = 0.002
_READ_BYTES = 1024 * 1024
# A file that has taken over the process may send megabytes. The reason is stored, the trace is logged.
_MAX_REASON, _MAX_TRACE = 1000, 4000
# The whole environment of the process. The variables also limit the threads and memory of libraries.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}

TOO_LONG = "Decoding the video took longer than the limit for its duration. Export it again as MP4 (H.264) and upload that."
TOO_MUCH = "Decoding the video needs more memory than the limit. Export it at a lower resolution, such as 1080p, and upload that."
TOO_MUCH_OUTPUT = "What is made from the video exceeds the limit for its size. Choose a shorter part of it."
CRASHED = "The file is damaged in a way that crashes the decoder. Export it again and upload that."


class DecodingInterrupted(RuntimeError):
    """The sandboxed process was killed by another process, or could not start. A retry may succeed."""


def iter_sandboxed(
    function: Callable[..., Iterator[T]],
    *arguments: object,
    limits: SandboxLimits,
    on_progress: Callable[[float], None] | None = None,
    check: Callable[[], None] | None = None,
    output: BinaryIO | None = None,
) -> Generator[T, None, None]:
    """Run a generator of heimdex.media in a sandboxed process and yield its items. Closing the iterator kills the process.

    `on_progress` gets the function's reports. `check` is called at least every half second while nothing arrives; an error in it also
    kills the process. `output` is a file open for writing, at most `limits.output_bytes` long; the function gets it by this name. The time
    limits count only while the caller waits for an item. Raise the MediaError that the function raises; MediaError `took_too_long`,
    `needs_too_much_memory`, `output_too_large` or `decoder_crashed` when it exceeds a limit or the file crashes it; DecodingInterrupted
    when a retry may succeed.
    """
    child = _ChildProcess(function, arguments, limits, on_progress is not None, output)
    try:
        while (message := child.receive(check)) is not None:
            if message[0] == "item":
                yield message[1]
            elif message[0] == "progress" and on_progress is not None:
                on_progress(message[1])
    except InvalidMessage as error:
        log.warning("The sandboxed process violated the protocol", reason=str(error))
        raise MediaError(MediaErrorCode.DECODER_CRASHED, CRASHED) from error
    finally:
        child.stop()


def call_sandboxed(
    function: Callable[..., T],
    *arguments: object,
    limits: SandboxLimits,
    check: Callable[[], None] | None = None,
    output: BinaryIO | None = None,
) -> T:
    """Call a function of heimdex.media in a sandboxed process and return its result. See `iter_sandboxed` for parameters and errors."""
    # A result that is not a generator arrives as the only item.
    generator = cast(Callable[..., Iterator[T]], function)
    with closing(iter_sandboxed(generator, *arguments, limits=limits, check=check, output=output)) as results:
        return next(results)


@dataclass
class _ChildProcess:
    """A process that runs one job: its messages, and the time spent waiting for it."""

    function: Callable[..., object]
    arguments: tuple[object, ...]
    limits: SandboxLimits
    reports_progress: bool
    output: BinaryIO | None
    _process: subprocess.Popen[bytes] = field(init=False)
    _is_wrapped: bool = field(init=False)
    _reader: MessageReader = field(default_factory=MessageReader)
    _started_at: float = field(default_factory=monotonic)
    _waited_s: float = 0.0
    _silent_s: float = 0.0
    _peak_mib: int = 0
    _cpu_s: float = 0.0
    _ready: bool = False

    def __post_init__(self) -> None:
        self._is_wrapped = bubblewrap.find_obstacle() is None
        module, output = self.function.__module__, None if self.output is None else self.output.fileno()
        # The parent inside bubblewrap is the first process of its namespace.
        parent = 1 if self._is_wrapped else os.getpid()
        job = SandboxJob(module, self.function.__name__, self.arguments, self.reports_progress, self.limits, parent, output)
        command = [sys.executable, "-m", "heimdex.media.sandbox_child"]
        libraries = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        if self._is_wrapped:
            inputs = [argument for argument in self.arguments if isinstance(argument, Path)]
            command = bubblewrap.wrap(command, module.partition(".")[0], inputs, libraries)
        self._process = subprocess.Popen(
            command,
            cwd=bubblewrap.PACKAGES,
            env={**_ENVIRONMENT, **libraries},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=() if output is None else (output,),
            # A group of its own, which is killed as a whole.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        try:
            with self._process.stdin as stdin:
                stdin.write(pickle.dumps(job))
        except BrokenPipeError:
            # It has died already. The reason is determined when its messages are read.
            log.warning("The sandboxed process did not accept its job")

    def receive(self, check: Callable[[], None] | None) -> tuple[Any, ...] | None:
        """Return the next item or progress report, or None at the end. Raise MediaError or DecodingInterrupted when the process fails."""
        while True:
            message = self._reader.read()
            if message is None:
                self._wait(check)
                continue
            if not isinstance(message, tuple) or not message:
                raise InvalidMessage(str(message)[:100])
            kind = message[0]
            if kind in ("item", "progress"):
                return message
            if kind == "end":
                return None
            if kind == "ready":
                self._ready = True
            elif kind == "refused":
                raise MediaError(MediaErrorCode(message[1]), str(message[2])[:_MAX_REASON])
            elif kind == "starved":
                raise MediaError(MediaErrorCode.NEEDS_TOO_MUCH_MEMORY, TOO_MUCH)
            elif kind == "full":
                raise MediaError(MediaErrorCode.OUTPUT_TOO_LARGE, TOO_MUCH_OUTPUT)
            elif kind == "crashed":
                log.error("Decoding failed unexpectedly", trace=str(message[1])[-_MAX_TRACE:])
                raise MediaError(MediaErrorCode.DECODER_CRASHED, CRASHED)
            elif kind == "broken":
                raise DecodingInterrupted(f"The decoding process could not start: {message[1]}")
            else:
                raise InvalidMessage(str(message)[:100])

    def _wait(self, check: Callable[[], None] | None) -> None:
        assert self._process.stdout is not None
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        started = monotonic()
        arrived = poll.poll(_CHECK_EVERY_S * 1000)
        self._waited_s += monotonic() - started
        if arrived:
            content = os.read(self._process.stdout.fileno(), _READ_BYTES)
            if not content:
                raise self._diagnose_exit()
            self._reader.feed(content)
            self._silent_s = 0.0
        else:
            self._silent_s += monotonic() - started
            self._record_use()
            if check is not None:
                check()
        if self._waited_s > self.limits.wall_s or self._silent_s > self.limits.silent_s:
            raise MediaError(MediaErrorCode.TOOK_TOO_LONG, TOO_LONG)

    def _diagnose_exit(self) -> Exception:
        """Return the error for a process that ended without a final message."""
        status = self._reap()
        signal_number = -status if status < 0 else None
        log.warning("The sandboxed process died", exit_code=status, started=self._ready)
        if signal_number == signal.SIGXCPU:
            return MediaError(MediaErrorCode.TOOK_TOO_LONG, TOO_LONG)
        if self._ready and signal_number in _CRASHES:
            return MediaError(MediaErrorCode.DECODER_CRASHED, CRASHED)
        if signal_number is not None:
            return DecodingInterrupted("The decoding process was killed from outside, as happens when a server runs out of memory")
        if not self._ready:
            return DecodingInterrupted("The decoding process could not start")
        return MediaError(MediaErrorCode.DECODER_CRASHED, CRASHED)

    def stop(self) -> None:
        """Kill the process in any state, and log what it used."""
        if self._process.returncode is None:
            self._record_use()
            self._kill()
            self._reap()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _kill(self) -> None:
        # Popen.kill would poll the process first, after which `wait4` returns nothing.
        os.killpg(self._process.pid, signal.SIGKILL)

    def _record_use(self) -> None:
        # The peak that `wait4` reports includes the memory of the worker from which the process was forked.
        with suppress(OSError):
            folder = Path("/proc", str(bubblewrap.find_innermost(self._process.pid)))
            match = re.search(r"^VmHWM:\s+(\d+) kB", (folder / "status").read_text(), re.MULTILINE)
            self._peak_mib = int(match[1]) // 1024 if match else self._peak_mib
            # The times in user and kernel mode stand 12 and 13 places after the name, which may contain spaces.
            times = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
            self._cpu_s = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")

    def _reap(self) -> int:
        until = monotonic() + _MAX_EXIT_S
        while not (result := os.wait4(self._process.pid, os.WNOHANG))[0]:
            if monotonic() > until:
                # It reported its end but did not exit.
                self._kill()
            sleep(_POLL_EXIT_EVERY_S)
        _, status, usage = result
        exit_code = os.waitstatus_to_exitcode(status)
        self._process.returncode = bubblewrap.restore_signal(exit_code) if self._is_wrapped else exit_code
        log.info(
            "Decoded in a sandboxed process",
            task=self.function.__name__,
            # `wait4` does not count a process inside bubblewrap.
            cpu_s=round(max(usage.ru_utime + usage.ru_stime, self._cpu_s), 2),
            peak_mib=self._peak_mib,
            seconds=round(monotonic() - self._started_at, 2),
        )
        return self._process.returncode
