"""Confine a process that has opened and imported all it needs, so that it can decode and reach nothing else.

Two mechanisms of Linux stand one behind the other:

- seccomp allows a list of system calls. No file can be opened, no socket created, no program run, no process started or signaled.
- Landlock withdraws every right on files, ports and other processes, should a system call slip through.

Constants are those of linux/seccomp.h, linux/bpf_common.h, linux/audit.h and linux/landlock.h. ADR 12 says why this is not a library.
"""

import ctypes
import errno
import fcntl
import os
import platform
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from heimdex.media.system_calls import ALLOWED, ARCHITECTURES, CLONE3, CONDITIONAL, SECCOMP

_NOBODY = 65534
_PR_SET_NAME, _PR_SET_NO_NEW_PRIVS = 15, 38

_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446
_LANDLOCK_QUERY_VERSION = 1
# All rights on files that a version of Landlock knows. Later versions know those of the last one.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
# From these versions on: bind and connect TCP ports; reach abstract sockets and signal processes outside.
_PORTS_SINCE, _PORT_RIGHTS = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11

_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_AUDIT_ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
_KILL_PROCESS, _FAIL_WITH, _ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000
_REFUSE = _FAIL_WITH | errno.EPERM
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in struct seccomp_data: the system call, the architecture, and the lower half of argument N.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
# The numbers of the x32 interface begin here. They would bypass a list of those of x86_64.
_X32 = 0x4000_0000
_CLONE_THREAD = 0x0001_0000
_AT_EMPTY_PATH = 0x1000

# One instruction: code, jump when true, jump when false, operand.
_Instruction = tuple[int, int, int, int]


class NotConfined(Exception):
    """The kernel offers a mechanism and refused to apply it."""


def confine() -> None:
    """Give up everything but decoding, for good. Raise NotConfined when a mechanism that the kernel offers cannot be applied.

    What the kernel does not offer is left out: `find_gaps` lists it for `manage.py check --deploy`.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _apply_landlock(libc)
    if platform.machine() in ARCHITECTURES and _has_filters():
        _apply_filter(libc, platform.machine())


def drop_root() -> None:
    """Become the user `nobody` when the process runs as root. Other users stay who they are."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def find_gaps() -> list[str]:
    """Return what this system cannot confine, in sentences for an administrator."""
    if sys.platform != "linux":
        return ["Decoders are not confined: seccomp and Landlock exist on Linux only. Run the workers on Linux."]
    gaps = []
    if platform.machine() not in ARCHITECTURES:
        gaps.append(f"The system calls of decoders are not filtered on {platform.machine()}. Use x86_64 or aarch64.")
    elif not _has_filters():
        gaps.append("The system calls of decoders are not filtered: the kernel was built without seccomp filters (CONFIG_SECCOMP_FILTER).")
    version = get_landlock_version()
    if version == 0:
        gaps.append("Landlock does not confine decoders. Use Linux 5.13 or later, with `landlock` among its security modules (lsm=…).")
    elif version < _PORTS_SINCE:
        gaps.append(f"Landlock version {version} does not keep decoders from TCP ports; only seccomp does. Use Linux 6.7 or later.")
    return gaps


def get_landlock_version() -> int:
    """Return the version of Landlock that the kernel offers, or 0."""
    libc = ctypes.CDLL(None, use_errno=True)
    version: int = libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_QUERY_VERSION)
    return max(0, version)


def build_filter(machine: str, pid: int) -> bytes:
    """Return the BPF program of the process `pid`: a system call that decoding does not need fails with EPERM."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in _iter_instructions(machine, pid))


def _has_filters() -> bool:
    return Path("/proc/sys/kernel/seccomp/actions_avail").exists()


def _apply_landlock(libc: ctypes.CDLL) -> None:
    """Withdraw every right that the kernel knows. What is open stays usable."""
    version = get_landlock_version()
    if version == 0:
        return
    # struct landlock_ruleset_attr has grown with the versions.
    attributes = struct.pack("=Q", _FILE_RIGHTS[min(version, max(_FILE_RIGHTS))])
    attributes += struct.pack("=Q", _PORT_RIGHTS) if version >= _PORTS_SINCE else b""
    attributes += struct.pack("=Q", _SCOPES) if version >= _SCOPES_SINCE else b""
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0 or libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0):
        raise NotConfined(f"Landlock was not applied ({os.strerror(ctypes.get_errno())})")
    os.close(ruleset)


def _apply_filter(libc: ctypes.CDLL, machine: str) -> None:
    program = build_filter(machine, os.getpid())
    instructions = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions of eight bytes, and their address.
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    if libc.syscall(SECCOMP[ARCHITECTURES.index(machine)], _SET_MODE_FILTER, _ALL_THREADS, header):
        raise NotConfined(f"The filter of system calls was not applied ({os.strerror(ctypes.get_errno())})")


def _iter_instructions(machine: str, pid: int) -> Iterator[_Instruction]:
    column = ARCHITECTURES.index(machine)
    yield _LOAD, 0, 0, _ARCHITECTURE
    yield _IF_EQUAL, 1, 0, _AUDIT_ARCHITECTURES[machine]
    yield _RETURN, 0, 0, _KILL_PROCESS
    yield _LOAD, 0, 0, _NUMBER
    yield _IF_AT_LEAST, 0, 1, _X32
    yield _RETURN, 0, 0, _REFUSE
    # The flags of clone3 are out of a filter's reach. Without it the C library calls clone.
    yield _IF_EQUAL, 0, 1, CLONE3[column]
    yield _RETURN, 0, 0, _FAIL_WITH | errno.ENOSYS
    conditions = (
        ("clone", 0, _IF_ANY_BIT, _CLONE_THREAD),
        ("fcntl", 1, _IF_EQUAL, fcntl.F_DUPFD_CLOEXEC),
        # Of an open file: older C libraries call it for fstat.
        ("newfstatat", 3, _IF_ANY_BIT, _AT_EMPTY_PATH),
        ("prctl", 0, _IF_EQUAL, _PR_SET_NAME),
        # Its own limits, and signals to itself.
        ("prlimit64", 0, _IF_EQUAL, 0),
        ("tgkill", 0, _IF_EQUAL, pid),
    )
    for name, argument, comparison, value in conditions:
        yield _IF_EQUAL, 0, 4, CONDITIONAL[name][column]
        yield _LOAD, 0, 0, _ARGUMENTS + 8 * argument
        yield comparison, 0, 1, value
        yield _RETURN, 0, 0, _ALLOW
        yield _RETURN, 0, 0, _REFUSE
    for number in sorted(number for numbers in ALLOWED.values() if (number := numbers[column]) is not None):
        yield _IF_EQUAL, 0, 1, number
        yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _REFUSE
