"""`make pin-images`: digests are written beside the tags, or nothing is changed and the message says why."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
ANSWER = f"#!/bin/sh\necho {DIGEST}\n"
NO_ANSWER = "#!/bin/sh\ncase $* in 'buildx version') exit ;; esac\necho 'dial tcp: lookup registry: no such host' >&2\nexit 1\n"
# As Docker without the plugin answers.
NO_BUILDX = """#!/bin/sh
case $* in 'buildx version') echo "docker: unknown command: docker buildx" >&2 ;; *) echo "unknown flag: --format" >&2 ;; esac
exit 1
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a directory with the script and the files that it changes."""
    (tmp_path / "scripts").mkdir()
    for name in ("scripts/pin_images.py", "Dockerfile", "compose.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def pin_images(checkout: Path, docker: str | None) -> "subprocess.CompletedProcess[str]":
    """Run the script with a `docker` that consists of the given shell script, or without one."""
    programs = checkout / "programs"
    programs.mkdir(exist_ok=True)
    if docker is not None:
        (programs / "docker").write_text(docker)
        (programs / "docker").chmod(0o755)
    command = [sys.executable, checkout / "scripts" / "pin_images.py"]
    return subprocess.run(command, env={**os.environ, "PATH": str(programs)}, capture_output=True, text=True, check=False)


def read_files(checkout: Path) -> str:
    return "".join((checkout / name).read_text() for name in ("Dockerfile", "compose.yml"))


def test_a_second_call_replaces_the_digests_of_the_first(checkout: Path) -> None:
    before = read_files(checkout)
    tags = re.findall(r"(?m)^(?:FROM|\s+image:) ((?!heimdex)\S+:[\w.-]+)", before)
    assert len(tags) == 5

    assert pin_images(checkout, ANSWER.replace("0123", "ffff")).returncode == 0
    result = pin_images(checkout, ANSWER)
    assert (result.returncode, result.stdout.count(DIGEST)) == (0, 5)
    assert read_files(checkout).count(f"@{DIGEST}") == 5
    assert read_files(checkout).replace(f"@{DIGEST}", "") == re.sub(r"@sha256:\w+", "", before)


@pytest.mark.parametrize(
    ("docker", "message"),
    [
        (None, "Docker is not installed"),
        (NO_BUILDX, "Docker has no buildx, which asks the registry. Install its package, such as docker-buildx-plugin"),
        (NO_ANSWER, "The registry gave no digest of python:"),
        ("#!/bin/sh\necho latest\n", "Check the tag and the network."),
    ],
    ids=["no Docker", "no buildx", "no answer", "no digest"],
)
def test_nothing_changes_without_a_digest(checkout: Path, docker: str | None, message: str) -> None:
    before = read_files(checkout)
    result = pin_images(checkout, docker)
    assert result.returncode == 1
    assert message in result.stderr
    assert read_files(checkout) == before
