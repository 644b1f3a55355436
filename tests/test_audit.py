"""What `make audit` and the bill of materials rest on: every package is pinned, by hash where its file is the same for all."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "requirements").glob("*.txt"))
AUDIT = (ROOT / "scripts" / "audit.sh").read_text()


def list_requirements(path: Path) -> list[str]:
    """Return the requirements of a file, each with its hashes in one line."""
    text = re.sub(r"(?m)^\s*#.*$", "", path.read_text()).replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_package_has_one_version_and_its_hashes(path: Path) -> None:
    for requirement in list_requirements(path):
        assert re.match(r"[\w.\[\],-]+==[\w.+!]+", requirement), requirement
        # The reason is in the file.
        assert "--hash=sha256:" in requirement or path.name == "torch.txt", requirement


def test_torch_from_another_source_has_the_audited_versions() -> None:
    plain, hashed = (
        {requirement.split()[0] for requirement in list_requirements(ROOT / "requirements" / f"{name}.txt")}
        for name in ("torch", "torch-pypi")
    )
    assert plain <= hashed


def test_all_files_are_audited() -> None:
    (names,) = re.findall(r"^for name in (.+); do$", AUDIT, re.MULTILINE)
    assert {*names.split(), "torch"} == {path.stem for path in FILES}


def test_the_tools_are_those_that_are_wanted() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["audit"]
    pinned = {requirement.split()[0] for requirement in list_requirements(ROOT / "requirements" / "audit.txt")}
    assert set(wanted) <= pinned


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ({}, "--no-deps --require-hashes -r requirements/torch-pypi.txt"),
        ({"PIP_EXTRA_INDEX_URL": ""}, "--no-deps --require-hashes -r requirements/torch-pypi.txt"),
        ({"PIP_EXTRA_INDEX_URL": "https://wheels.example.org/cpu"}, "-r requirements/torch.txt"),
        ({"PIP_FIND_LINKS": "/srv/wheels"}, "-r requirements/torch.txt"),
    ],
    ids=["PyPI", "empty variable", "another index", "a directory"],
)
def test_torch_is_checked_by_its_hash_unless_another_source_is_named(tmp_path: Path, source: dict[str, str], file: str) -> None:
    """A `python` in the place of the environment's writes down what pip would install, and leaves everything else to the real one."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup.sh").write_text((ROOT / "scripts" / "setup.sh").read_text())
    (tmp_path / "requirements").symlink_to(ROOT / "requirements")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    real = shlex.quote(sys.executable)
    python.write_text(f'#!/bin/sh\ncase "$*" in\n"-m pip install "*) echo "$*" >>installed ;;\n*) exec {real} "$@" ;;\nesac\n')
    python.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment |= {"PIP_CONFIG_FILE": os.devnull, **source}

    subprocess.run(["sh", "scripts/setup.sh", "worker"], cwd=tmp_path, env=environment, capture_output=True, check=True)
    hashed = "-m pip install --no-deps --require-hashes -r requirements/worker.txt"
    assert (tmp_path / "installed").read_text().splitlines() == [f"-m pip install {file}", hashed]
