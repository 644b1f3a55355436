"""Code that has taken over a decoder reaches nothing: no secret, no file, no network, no process."""

import os
import platform
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from heimdex.media.confinement import build_filter, find_gaps
from heimdex.media.photos import FORMATS, clean_photo
from heimdex.media.sandbox import call_sandboxed, iter_sandboxed
from heimdex.media.sandbox_protocol import SandboxLimits
from heimdex.media.system_calls import ARCHITECTURES, CLONE3
from tests.heimdex.media import hostile, misbehaving

ROOT = Path(__file__).resolve().parents[3]
LIMITS = SandboxLimits(memory_bytes=2**30, cpu_s=60, wall_s=300, silent_s=200)
REFUSED = {"EPERM", "EACCES"}


def select_successes(outcomes: dict[str, str]) -> dict[str, str]:
    """Return the attacks that were not refused."""
    return {name: outcome for name, outcome in outcomes.items() if outcome not in REFUSED}


@pytest.mark.parametrize("name", ["environ", "mem", "maps", "cmdline"])
@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_it_cannot_read_its_worker(name: str) -> None:
    assert call_sandboxed(hostile.read_file_of_worker, name, limits=LIMITS) in REFUSED


@pytest.mark.parametrize("name", ["secret_key", "database.json"])
@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_it_cannot_read_secrets(tmp_path: Path, name: str) -> None:
    secret = tmp_path / name
    secret.write_text("secret")
    secret.chmod(0o644)
    assert call_sandboxed(hostile.read_file, str(secret), limits=LIMITS) in REFUSED
    assert call_sandboxed(hostile.read_file, "/etc/passwd", limits=LIMITS) in REFUSED


@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_it_cannot_change_files(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    (tmp_path / "victim").write_text("kept")
    outcomes = call_sandboxed(hostile.change_files, str(tmp_path), limits=LIMITS)
    assert select_successes(outcomes) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["victim"]
    assert (tmp_path / "victim").read_text() == "kept"


@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_it_cannot_connect(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as unix_server:
        unix_server.bind(path)
        unix_server.listen()
        os.chmod(path, 0o777)
        outcomes = call_sandboxed(hostile.connect, *server.getsockname(), path, limits=LIMITS)
    assert select_successes(outcomes) == {}


@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_it_cannot_start_processes() -> None:
    outcomes = call_sandboxed(hostile.start_processes, limits=LIMITS)
    assert select_successes(outcomes) == {}


@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_it_cannot_signal_others() -> None:
    outcomes = call_sandboxed(hostile.signal_others, limits=LIMITS)
    assert select_successes(outcomes) == {}


@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_it_cannot_gain_rights() -> None:
    outcomes = call_sandboxed(hostile.gain_rights, limits=LIMITS)
    assert select_successes(outcomes) == {}


def test_every_other_system_call_is_refused() -> None:
    """470 is beyond the last one of Linux 6.18. A later one is refused too, because the filter is a list of what is allowed."""
    machine = platform.machine()
    outcomes = call_sandboxed(hostile.try_system_calls, machine, 600, limits=LIMITS)
    assert outcomes == {CLONE3[ARCHITECTURES.index(machine)]: "ENOSYS"}


@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_it_runs_threads_without_root_and_without_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDEX_SECRET_KEY", "a secret")
    assert call_sandboxed(hostile.run_thread, limits=LIMITS) == 7
    user, variables = call_sandboxed(hostile.describe, limits=LIMITS)
    assert user != 0
    assert set(variables) <= {
        "LANG",
        "LD_LIBRARY_PATH",
        "LC_CTYPE",
        "MALLOC_ARENA_MAX",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "PWD",
        "PYTHONDONTWRITEBYTECODE",
    }


@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_it_leads_a_process_group_of_its_own() -> None:
    others = set(psutil.Process().children(recursive=True))
    items = iter_sandboxed(misbehaving.sleep_long, limits=LIMITS)
    next(items)
    started = set(psutil.Process().children(recursive=True)) - others
    (group,) = {os.getpgid(process.pid) for process in started}
    assert group in {process.pid for process in started}
    items.close()


@pytest.mark.parametrize(
    "attack", ["open('/etc/passwd').read()", "socket.create_connection(('127.0.0.1', 9), timeout=5)", "os.listdir('/')"]
)
def test_landlock_alone_refuses_files_and_ports(attack: str) -> None:
    """Each layer holds without the other: here without the filter of system calls."""
    program = (
        "import ctypes, errno, os, socket\n"
        "from heimdex.media import confinement\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "libc.prctl(38, 1, 0, 0, 0)\n"
        "confinement._apply_landlock(libc)\n"
        f"try:\n    {attack}\nexcept OSError as error:\n    print(errno.errorcode[error.errno])"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "EACCES"


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_a_program_consists_of_whole_instructions_with_jumps_inside(machine: str) -> None:
    program = build_filter(machine, 42)
    assert len(program) % 8 == 0
    # BPF_MAXINSNS of linux/bpf_common.h.
    assert len(program) // 8 <= 4096


def test_this_machine_confines_decoders_completely() -> None:
    assert find_gaps() == []


@pytest.mark.parametrize("kind", FORMATS)
def test_photos_of_every_format_decode_inside(tmp_path: Path, kind: str) -> None:
    register_heif_opener()
    path = tmp_path / "photo"
    Image.effect_mandelbrot((300, 200), (-2, -1.5, 1, 1.5), 50).convert("RGB").save(path, kind)
    assert call_sandboxed(clean_photo, path, limits=LIMITS) == clean_photo(path)


def test_the_file_is_read_though_its_directory_is_for_the_worker_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    path = tmp_path / "photo"
    Image.new("RGB", (30, 20), "white").save(path, "PNG")
    path.chmod(0o600)
    assert call_sandboxed(clean_photo, path, limits=LIMITS).width == 30
