"""Start decoders in namespaces of their own by bubblewrap, where it is installed and the kernel permits it.

It is a layer around the confinement by seccomp and Landlock, which the process applies itself once it has loaded its code: inside these
namespaces, not even the code that runs before that can reach the network, other processes or the files of the installation.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

PACKAGES = Path(__file__).resolve().parents[2]
# All that Python and the libraries of its packages are loaded from.
_SYSTEM_PATHS = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")
_NAMESPACES = ("--unshare-ipc", "--unshare-net", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")
# The exit code of bubblewrap for a program that a signal ended is this number plus that of the signal.
_SIGNALED = 128
_MAX_TRIAL_S = 60


@cache
def find_obstacle() -> str | None:
    """Return why decoders run without bubblewrap, in sentences for an administrator, or None. The first call tries it."""
    program = shutil.which("bwrap")
    if program is None:
        return (
            "Decoders have no namespaces of their own: bubblewrap is not installed. Install it (Debian and Ubuntu: apt install bubblewrap)."
        )
    # Whether the libraries can be loaded depends on where they are installed.
    command = wrap([sys.executable, "-c", "import av, cv2"])
    try:
        result = subprocess.run(
            command, cwd=PACKAGES, env={}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_MAX_TRIAL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    else:
        if result.returncode == 0:
            return None
        reason = result.stderr.strip().rpartition("\n")[2] or f"exit code {result.returncode}"
    log.warning("Decoders run without bubblewrap", reason=reason)
    return f"Decoders have no namespaces of their own: bubblewrap does not work here ({reason}). Containers often forbid user namespaces."


def wrap(
    command: Sequence[str], package: str = "heimdex", inputs: Sequence[Path] = (), environment: Mapping[str, str] | None = None
) -> list[str]:
    """Return the command that runs a command of this Python in new namespaces.

    It sees Python, the system's libraries, the packages `heimdex` and `package`, and the inputs, all read-only. It dies with the
    process that starts it. `environment` may name further directories of libraries.
    """
    arguments = [shutil.which("bwrap") or "bwrap", *_NAMESPACES, "--die-with-parent"]
    # Root needs no user namespace, and could not become `nobody` in one.
    arguments += ["--unshare-user"] if os.geteuid() else []
    for path in dict.fromkeys(_list_visible_paths(package, inputs, environment or {})):
        arguments += ["--ro-bind-try", path, path]
    return [*arguments, "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/", "--chdir", str(PACKAGES), "--", *command]


def find_innermost(pid: int) -> int:
    """Return the process inside the one that was started, or this one when nothing wraps it."""
    while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pid = int(children[0])
    return pid


def restore_signal(exit_code: int) -> int:
    """Return the exit code of the program inside as `subprocess` states it: the negative number of the signal that ended it."""
    return _SIGNALED - exit_code if exit_code > _SIGNALED else exit_code


def _list_visible_paths(package: str, inputs: Sequence[Path], environment: Mapping[str, str]) -> Iterator[str]:
    yield from _SYSTEM_PATHS
    yield from (sys.base_prefix, sys.prefix)
    yield from filter(None, environment.get("LD_LIBRARY_PATH", "").split(":"))
    yield from (str(PACKAGES / "heimdex"), str(PACKAGES / package))
    yield from map(str, inputs)
