"""A decoder that encodes writes one file that its caller has opened, up to a size, and no other."""

from pathlib import Path
from typing import BinaryIO

import pytest

from heimdex.media.errors import MediaError
from heimdex.media.sandbox import call_sandboxed, iter_sandboxed
from heimdex.media.sandbox_protocol import SandboxLimits
from tests.heimdex.media import hostile

MAX_BYTES = 1_000_000
LIMITS = SandboxLimits(memory_bytes=2**30, cpu_s=60, wall_s=300, silent_s=200, output_bytes=MAX_BYTES)


@pytest.fixture
def output(tmp_path: Path) -> BinaryIO:
    tmp_path.chmod(0o700)
    return (tmp_path / "clip").open("xb")


def test_what_it_writes_is_in_the_file(tmp_path: Path, output: BinaryIO) -> None:
    assert call_sandboxed(hostile.write_output, MAX_BYTES, limits=LIMITS, output=output) == MAX_BYTES
    assert (tmp_path / "clip").stat().st_size == MAX_BYTES


def test_too_much_output_is_a_typed_error(tmp_path: Path, output: BinaryIO) -> None:
    with pytest.raises(MediaError) as caught:
        call_sandboxed(hostile.write_output, MAX_BYTES + 1, limits=LIMITS, output=output)
    assert caught.value.code == "output_too_large"
    assert (tmp_path / "clip").stat().st_size <= MAX_BYTES


def test_the_limit_holds_for_code_that_ignores_errors(tmp_path: Path, output: BinaryIO) -> None:
    attempts = list(iter_sandboxed(hostile.fill_output, MAX_BYTES // 2, limits=LIMITS, output=output))
    assert attempts == ["done", "done", "EFBIG", "EFBIG"]
    assert (tmp_path / "clip").stat().st_size == MAX_BYTES


def test_no_other_file_can_be_written(tmp_path: Path, output: BinaryIO) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "victim").write_text("kept")
    outcomes = call_sandboxed(hostile.write_elsewhere, str(folder), limits=LIMITS, output=output)
    assert {name: outcome for name, outcome in outcomes.items() if outcome not in {"EPERM", "EACCES"}} == {"read": "EBADF"}
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("victim", "kept")]


def test_without_an_output_nothing_can_be_written(tmp_path: Path, output: BinaryIO) -> None:
    """The descriptor is passed to that one process only."""
    limits = SandboxLimits(memory_bytes=2**30, cpu_s=60, wall_s=300, silent_s=200)
    with pytest.raises(MediaError) as caught:
        call_sandboxed(hostile.write_output, 1, limits=limits, output=output)
    assert caught.value.code == "output_too_large"
    assert (tmp_path / "clip").stat().st_size == 0
