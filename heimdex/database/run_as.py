"""Become a system user and run a program: `python -I run_as.py UID GID reach|plain PROGRAM ARGUMENT…`.

With `reach` the program keeps one of root's rights, CAP_DAC_OVERRIDE: a checkout under /root is closed to every other user, so its data
directory would otherwise require opening /root to everybody.
"""

import ctypes
import os
import struct
import sys

# Constants from linux/capability.h, linux/securebits.h and linux/prctl.h.
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
PR_SET_SECUREBITS = 28
# Keeps the capabilities across setuid, and makes access(2) honor them, which PostgreSQL calls on its own program.
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
EXIT_NO_CAPABILITY = 77


def main(uid: int, gid: int, reach: bool, command: list[str]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if reach:
        _require(libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
    os.chdir("/")
    os.umask(0o077)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if reach:
        mask = 1 << CAP_DAC_OVERRIDE
        # Two triples of effective, permitted and inheritable bits: capabilities 0-31 and 32-63.
        _require(libc.capset(struct.pack("=Ii", CAPABILITY_VERSION_3, 0), struct.pack("=6I", mask, mask, mask, 0, 0, 0)))
        _require(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0))
    os.execv(command[0], command)


def _require(result: int) -> None:
    if result != 0:
        sys.stderr.write(f"cannot keep CAP_DAC_OVERRIDE: {os.strerror(ctypes.get_errno())}\n")
        sys.exit(EXIT_NO_CAPABILITY)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "reach", sys.argv[4:])
