"""Attacks by code that has taken over a decoder. They run in a sandboxed process only, and return the error that each got, or "done"."""

import ctypes
import errno
import os
import resource
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from heimdex.media.system_calls import ALLOWED, ARCHITECTURES, CONDITIONAL


def attempt(attack: Callable[[], object]) -> str:
    try:
        attack()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "done"


def read_file(path: str) -> str:
    return attempt(lambda: Path(path).read_bytes())


def read_file_of_worker(name: str) -> str:
    return read_file(f"/proc/{os.getppid()}/{name}")


def change_files(folder: str) -> dict[str, str]:
    victim = f"{folder}/victim"
    return {
        "delete": attempt(lambda: os.remove(victim)),
        "overwrite": attempt(lambda: Path(victim).write_text("changed")),
        "rename": attempt(lambda: os.rename(victim, f"{folder}/other")),
        "change the mode": attempt(lambda: os.chmod(victim, 0o777)),
        "create": attempt(lambda: Path(folder, "new").touch()),
        "link": attempt(lambda: os.symlink("/etc/passwd", f"{folder}/link")),
        "list": attempt(lambda: os.listdir(folder)),
    }


def fill_output(size: int, output: BinaryIO) -> Iterator[str]:
    """Write more and more into the file that is meant for it, ignoring errors."""
    yield attempt(lambda: output.write(bytes(size)) and output.flush())
    for _ in range(3):
        yield attempt(lambda: os.write(output.fileno(), bytes(size)))
        output.seek(0, os.SEEK_END)


def write_output(size: int, output: BinaryIO) -> int:
    return output.write(bytes(size))


def write_elsewhere(folder: str, output: BinaryIO) -> dict[str, str]:
    """Use the file that may be written to write others."""
    descriptor = output.fileno()
    return {
        **change_files(folder),
        "open again": attempt(lambda: os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR)),
        "truncate": attempt(lambda: os.ftruncate(descriptor, 2**40)),
        "make executable": attempt(lambda: os.fchmod(descriptor, 0o777)),
        "read": attempt(lambda: os.read(descriptor, 1)),
    }


def connect(host: str, port: int, socket_path: str) -> dict[str, str]:
    def open_tcp() -> None:
        with socket.socket(socket.AF_INET) as client:
            client.connect((host, port))

    def open_unix() -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(socket_path)

    return {
        "TCP": attempt(open_tcp),
        "Unix": attempt(open_unix),
        "UDP": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
        "pair": attempt(socket.socketpair),
    }


def start_processes() -> dict[str, str]:
    return {
        "shell": attempt(lambda: subprocess.run(["/bin/sh", "-c", "true"], check=True)),
        "fork": attempt(os.fork),
        "exec": attempt(lambda: os.execv("/bin/true", ["true"])),
        "spawn": attempt(lambda: os.posix_spawn("/bin/true", ["true"], {})),
    }


def signal_others() -> dict[str, str]:
    return {
        "worker": attempt(lambda: os.kill(os.getppid(), signal.SIGTERM)),
        "everyone": attempt(lambda: os.kill(-1, signal.SIGTERM)),
        "probe": attempt(lambda: os.kill(os.getppid(), 0)),
    }


def gain_rights() -> dict[str, str]:
    def raise_limit() -> None:
        try:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except ValueError as error:
            # Python reports EPERM of this call as a ValueError.
            raise PermissionError(errno.EPERM, str(error)) from error

    return {
        "become root": attempt(lambda: os.setuid(0)),
        "leave the group": attempt(os.setsid),
        "more memory": attempt(raise_limit),
    }


def try_system_calls(machine: str, last: int) -> dict[int, str]:
    """Call every system call that is not allowed, with zeros; return those that did not fail with EPERM."""
    # The kernel uses these for its own probes. It ends the process that calls them itself (SIGILL).
    probes = {335, 336} if machine == "x86_64" else set()
    column = ARCHITECTURES.index(machine)
    allowed = {numbers[column] for numbers in (ALLOWED | CONDITIONAL).values()}
    libc = ctypes.CDLL(None, use_errno=True)
    outcomes = {}
    for number in range(last + 1):
        if number not in allowed | probes:
            ctypes.set_errno(0)
            result = libc.syscall(number, 0, 0, 0, 0, 0, 0)
            outcomes[number] = errno.errorcode.get(ctypes.get_errno(), str(result))
    return {number: outcome for number, outcome in outcomes.items() if outcome != "EPERM"}


def describe() -> tuple[int, tuple[str, ...]]:
    """Return the user, and the names of the environment's variables."""
    return os.getuid(), tuple(sorted(os.environ))


def run_thread() -> int:
    """Do what decoders may: run a thread."""
    results: list[int] = []
    thread = threading.Thread(target=partial(results.append, 7))
    thread.start()
    thread.join()
    return results[0]
