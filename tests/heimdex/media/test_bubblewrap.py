"""The namespaces of bubblewrap keep a decoder from the machine on their own, and decoders work where there are none."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from heimdex.checks import check_confinement
from heimdex.media import bubblewrap
from heimdex.media.sandbox import call_sandboxed, iter_sandboxed
from heimdex.media.sandbox_protocol import SandboxLimits
from tests.heimdex.media import hostile, misbehaving

LIMITS = SandboxLimits(memory_bytes=2**30, cpu_s=60, wall_s=300, silent_s=200)
NAMESPACES = ("ipc", "net", "pid", "uts")


def run_inside(program: str, *inputs: Path) -> str:
    """Run a program of Python in the namespaces, without seccomp and Landlock, and return what it prints."""
    command = bubblewrap.wrap([sys.executable, "-c", program], inputs=inputs)
    result = subprocess.run(command, cwd=bubblewrap.PACKAGES, env={}, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def attack(statement: str, *inputs: Path) -> str:
    """Return the name of the error that a statement gets inside, or "done"."""
    lines = ("import errno, os, socket", "try:", f"    {statement}", "except OSError as error:", "    print(errno.errorcode[error.errno])")
    return run_inside("\n".join(lines), *inputs) or "done"


@pytest.mark.usefixtures("needs_bubblewrap")
def test_it_sees_no_file_but_its_inputs_and_python(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("secret")
    video = tmp_path / "video"
    video.write_text("frames")
    assert run_inside(f"import os; print(open('{video}').read(), os.listdir('{tmp_path}'))", video) == "frames ['video']"
    assert attack(f"open('{tmp_path}/secret_key')") == "ENOENT"
    assert attack("open('/etc/passwd')") == "ENOENT"
    assert "manage.py" in os.listdir(bubblewrap.PACKAGES)
    assert "manage.py" not in run_inside("import os; print(os.listdir('.'))")


@pytest.mark.usefixtures("needs_bubblewrap")
def test_it_can_change_nothing(tmp_path: Path) -> None:
    video = tmp_path / "video"
    video.write_text("frames")
    for path in ("/new", f"{tmp_path}/new", "/usr/new", f"{bubblewrap.PACKAGES}/heimdex/new", "/tmp/new"):
        assert attack(f"open('{path}', 'w')") in ("EROFS", "ENOENT")
    assert attack(f"open('{video}', 'w')", video) == "EROFS"


@pytest.mark.usefixtures("needs_bubblewrap")
def test_it_reaches_no_network_and_no_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0heimdex-test")
        abstract.listen()
        host, port = server.getsockname()
        assert attack(f"socket.create_connection(('{host}', {port}), timeout=5)") in ("ECONNREFUSED", "ENETUNREACH")
        assert attack("socket.socket(socket.AF_UNIX).connect('\\0heimdex-test')") == "ECONNREFUSED"
    assert attack(f"os.kill({os.getpid()}, 0)") == "ESRCH"
    visible = run_inside("import os; print(len([name for name in os.listdir('/proc') if name.isdigit()]))")
    assert int(visible) == 2


@pytest.mark.usefixtures("needs_bubblewrap")
def test_a_decoder_runs_in_namespaces_of_its_own() -> None:
    others = set(psutil.Process().children(recursive=True))
    items = iter_sandboxed(misbehaving.sleep_long, limits=LIMITS)
    assert next(items) == 2
    (decoder,) = (process for process in set(psutil.Process().children(recursive=True)) - others if process.name().startswith("python"))
    for name in NAMESPACES:
        assert os.readlink(f"/proc/{decoder.pid}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}")
    items.close()


@pytest.mark.usefixtures("without_bubblewrap")
def test_without_bubblewrap_decoders_work_and_the_check_names_it() -> None:
    assert call_sandboxed(hostile.run_thread, limits=LIMITS) == 7
    assert "apt install bubblewrap" in " ".join(warning.msg for warning in check_confinement(None))


@pytest.mark.usefixtures("without_bubblewrap")
def test_a_kernel_that_refuses_namespaces_is_named(tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    assert "No permissions to create a new namespace" in " ".join(warning.msg for warning in check_confinement(None))
    assert call_sandboxed(hostile.run_thread, limits=LIMITS) == 7


@pytest.mark.usefixtures("needs_bubblewrap")
def test_it_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bubblewrap.find_obstacle()
    monkeypatch.setattr(subprocess, "run", None)
    assert bubblewrap.find_obstacle() is None
