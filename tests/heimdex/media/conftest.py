"""Decoders in and out of bubblewrap."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from heimdex.media import bubblewrap


@pytest.fixture
def needs_bubblewrap() -> None:
    """Skip the test where decoders cannot run in bubblewrap."""
    obstacle = bubblewrap.find_obstacle()
    if obstacle is not None:
        pytest.skip(obstacle)


@pytest.fixture
def without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run decoders as on a machine that has no bubblewrap."""
    monkeypatch.setenv("PATH", str(tmp_path))
    bubblewrap.find_obstacle.cache_clear()
    yield
    bubblewrap.find_obstacle.cache_clear()


@pytest.fixture(params=["needs_bubblewrap", "without_bubblewrap"])
def with_and_without_bubblewrap(request: pytest.FixtureRequest) -> None:
    """Run the test twice."""
    request.getfixturevalue(request.param)
