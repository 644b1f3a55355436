"""Decode what strangers sent in a process of its own: it is bounded, knows no secret, and takes nothing else along when it dies."""

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
from typing import Any, TypeVar, cast

import structlog

from heimdex.media.bounds import Bounds
from heimdex.media.child import Order
from heimdex.media.crossing import BadMessage, Inbox
from heimdex.media.errors import MediaError, MediaErrorCode

log = structlog.get_logger(__name__)

T = TypeVar("T")

_PACKAGES = Path(__file__).resolve().parents[2]
_LOOK_UP_EVERY_S = 0.5
_LONGEST_DEATH_S = 5.0
_LOOK_FOR_DEATH_EVERY_S = 0.002
_AT_ONCE = 1024 * 1024
# Of the whole environment only this is needed; threads of libraries that only help to decode, and their memory, are kept few.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_CRASHES = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}

TOO_LONG = "Reading the video took longer than is allowed for one of its length. Export it again as MP4 (H.264) and upload that."
TOO_MUCH = "Reading the video takes more memory than is allowed. Export it with a smaller picture, such as 1080p, and upload that."
CRASHED = "The file is damaged in a way that ends the program that reads videos. Export it again and upload that."


class DecodingLost(RuntimeError):
    """The process that decoded was ended by something outside, or could not begin; another try may succeed."""


def sandboxed(
    function: Callable[..., Iterator[T]],
    *arguments: object,
    bounds: Bounds,
    on_progress: Callable[[float], None] | None = None,
    check: Callable[[], None] | None = None,
) -> Generator[T, None, None]:
    """Yield what a generator of heimdex.media yields, run in a process of its own; closing the iterator ends that process.

    `on_progress` is called here with what the function reports. `check` is called at least every half second while nothing arrives;
    what it raises ends the process too. The time in which nobody asks for the next item does not count. Raises the MediaError that
    the function raises; MediaError `took_too_long`, `needs_too_much_memory` or `decoder_crashed` when it overruns or dies of the file;
    DecodingLost when another try may succeed.
    """
    child = _Child(function, arguments, bounds, reports=on_progress is not None)
    try:
        while (message := child.receive(check)) is not None:
            if message[0] == "item":
                yield message[1]
            elif message[0] == "progress" and on_progress is not None:
                on_progress(message[1])
    except BadMessage as error:
        log.warning("The decoding process sent something strange", reason=str(error))
        raise MediaError(MediaErrorCode.DECODER_CRASHED, CRASHED) from error
    finally:
        child.end()


def sandboxed_call(function: Callable[..., T], *arguments: object, bounds: Bounds, check: Callable[[], None] | None = None) -> T:
    """Return what a function of heimdex.media returns, called in a process of its own; raises what `sandboxed` raises."""
    # A result that is no generator is sent as the only item.
    generator = cast(Callable[..., Iterator[T]], function)
    with closing(sandboxed(generator, *arguments, bounds=bounds, check=check)) as results:
        return next(results)


@dataclass
class _Child:
    """A process at work on one order, what it has said, and how long it has been waited for."""

    function: Callable[..., object]
    arguments: tuple[object, ...]
    bounds: Bounds
    reports: bool
    _process: subprocess.Popen[bytes] = field(init=False)
    _inbox: Inbox = field(default_factory=Inbox)
    _started_at: float = field(default_factory=monotonic)
    _waited_s: float = 0.0
    _silent_s: float = 0.0
    _peak_mib: int = 0
    _ready: bool = False
    _verdict: Exception | None = None

    def __post_init__(self) -> None:
        order = Order(self.function.__module__, self.function.__name__, self.arguments, self.reports, self.bounds, os.getpid())
        libraries = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "heimdex.media.child"],
            cwd=_PACKAGES,
            env={**_ENVIRONMENT, **libraries},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None
        try:
            with self._process.stdin as stdin:
                stdin.write(pickle.dumps(order))
        except BrokenPipeError:
            # It has died already; why is told when its words are waited for.
            log.warning("The decoding process did not take its order")

    def receive(self, check: Callable[[], None] | None) -> tuple[Any, ...] | None:
        """Return the next item or report, or nothing at the end; MediaError or DecodingLost when there is no end."""
        while True:
            message = self._inbox.next()
            if message is None:
                self._wait(check)
                continue
            if not isinstance(message, tuple) or not message:
                raise BadMessage(str(message)[:100])
            kind = message[0]
            if kind in ("item", "progress"):
                return message
            if kind == "end":
                return None
            if kind == "ready":
                self._ready = True
            elif kind == "refused":
                raise MediaError(MediaErrorCode(message[1]), message[2])
            elif kind == "starved":
                raise MediaError(MediaErrorCode.NEEDS_TOO_MUCH_MEMORY, TOO_MUCH)
            elif kind == "crashed":
                log.error("Decoding failed in a way that was not foreseen", trace=message[1])
                raise MediaError(MediaErrorCode.DECODER_CRASHED, CRASHED)
            elif kind == "broken":
                raise DecodingLost(f"The process that reads videos could not begin ({message[1]}): install what it lacks")
            else:
                raise BadMessage(str(message)[:100])

    def _wait(self, check: Callable[[], None] | None) -> None:
        assert self._process.stdout is not None
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        since = monotonic()
        arrived = poll.poll(_LOOK_UP_EVERY_S * 1000)
        self._waited_s += monotonic() - since
        if arrived:
            content = os.read(self._process.stdout.fileno(), _AT_ONCE)
            if not content:
                raise self._cause_of_death()
            self._inbox.add(content)
            self._silent_s = 0.0
        else:
            self._silent_s += monotonic() - since
            self._note_memory()
            if check is not None:
                check()
        if self._waited_s > self.bounds.wall_s or self._silent_s > self.bounds.silent_s:
            raise MediaError(MediaErrorCode.TOOK_TOO_LONG, TOO_LONG)

    def _cause_of_death(self) -> Exception:
        """Tell what became of a process that said nothing at its end."""
        status = self._reap()
        by = -status if status < 0 else None
        log.warning("The decoding process died", exit_code=status, began=self._ready)
        if by == signal.SIGXCPU:
            return MediaError(MediaErrorCode.TOOK_TOO_LONG, TOO_LONG)
        if self._ready and by in _CRASHES:
            return MediaError(MediaErrorCode.DECODER_CRASHED, CRASHED)
        if by is not None:
            return DecodingLost("The process that reads the video was ended from outside, as happens on a server that is short of memory")
        if not self._ready:
            return DecodingLost("The process that reads videos could not begin")
        return MediaError(MediaErrorCode.DECODER_CRASHED, CRASHED)

    def end(self) -> None:
        """End the process, whatever it is at, and note what it took."""
        if self._process.returncode is None:
            self._note_memory()
            self._kill()
            self._reap()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _kill(self) -> None:
        # Popen's own would first ask what has become of it, after which `wait4` has nothing to tell.
        os.kill(self._process.pid, signal.SIGKILL)

    def _note_memory(self) -> None:
        # What the kernel counts for `wait4` begins with the memory of the worker, from which the process was forked.
        with suppress(OSError):
            status = Path(f"/proc/{self._process.pid}/status").read_text()
            found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
            self._peak_mib = int(found[1]) // 1024 if found else self._peak_mib

    def _reap(self) -> int:
        until = monotonic() + _LONGEST_DEATH_S
        while not (ended := os.wait4(self._process.pid, os.WNOHANG))[0]:
            if monotonic() > until:
                # It said that it ended, and did not.
                self._kill()
            sleep(_LOOK_FOR_DEATH_EVERY_S)
        _, status, usage = ended
        self._process.returncode = os.waitstatus_to_exitcode(status)
        log.info(
            "Decoded in a process of its own",
            task=self.function.__name__,
            cpu_s=round(usage.ru_utime + usage.ru_stime, 2),
            peak_mib=self._peak_mib,
            seconds=round(monotonic() - self._started_at, 2),
        )
        return self._process.returncode
