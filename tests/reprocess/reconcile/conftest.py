"""A library of two owners without issues, in a storage of its own, and the reconcile command."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from heimdex.accounts.models import User
from heimdex.storage import LOCAL, S3, get_media_storage
from reprocess.models import ReprocessRun
from reprocess.runs.worker import run_worker
from tests.heimdex.storage.seaweed import S3Options, run_seaweed
from tests.library import make_image, make_user, make_video
from tests.reprocess.cutover.conftest import run
from videos.models import Video

MINE, THEIRS = "mine@example.org", "theirs@example.org"
IssueCounts = dict[str, int]


def reconcile(*args: str) -> tuple[int, dict[str, Any]]:
    """Run the command. Return its exit code and its report."""
    out = io.StringIO()
    try:
        call_command("reconcile", "--json", *args, stdout=out)
    except CommandError as error:
        return error.returncode, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def count_issues(*args: str, what: str = "found") -> IssueCounts:
    """Run the command. Return how many issues of each type it has found, repaired or left, except zeros."""
    return extract_counts(reconcile(*args)[1], what)


def extract_counts(report: dict[str, Any], what: str = "found") -> IssueCounts:
    """Return the numbers of a report that are not zero, by type of issue."""
    return {check["name"]: check[what] for check in report["checks"] if check[what]}


def use_storage(settings: Settings, backend: str, **options: Any) -> None:
    """Store media files with the given backend."""
    settings.STORAGES = {**settings.STORAGES, "media": {"BACKEND": backend, "OPTIONS": options}}


def finish_runs() -> None:
    """Work on the open runs until they end."""
    for unfinished in ReprocessRun.objects.filter(state__in=ReprocessRun.OPEN):
        run_worker(unfinished.pk)


def make_complete_video(owner: User) -> Video:
    """Create an indexed video with all its files."""
    video = make_video(owner, ["The quick boat sailed over the cold sea.", "She planted tomatoes behind the kitchen."])
    get_media_storage().save(video.original_key, b"film", "video/mp4")
    for scene in video.scenes.all():
        get_media_storage().save(scene.thumbnail_key, make_image(scene.index), "image/jpeg")
    return video


@pytest.fixture(scope="session")
def s3_options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Options]:
    with run_seaweed(tmp_path_factory.mktemp("s3") / "weed") as options:
        yield options


@pytest.fixture
def local_storage(settings: Settings, tmp_path: Path) -> None:
    """Keep files in a directory of this test."""
    use_storage(settings, LOCAL, root=tmp_path / "media")


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.integration)])
def any_storage(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[None]:
    """Keep files in a directory, and then in a bucket, of this test."""
    if request.param == "local":
        use_storage(settings, LOCAL, root=tmp_path / "media")
    else:
        use_storage(settings, S3, **request.getfixturevalue("s3_options"))
    yield
    get_media_storage().delete_prefix("owners")


@pytest.fixture
def make_library() -> Callable[[], tuple[Video, Video]]:
    """Return a function that creates a complete, embedded video of each of two owners."""

    def make() -> tuple[Video, Video]:
        mine, theirs = (make_complete_video(make_user(email)) for email in (MINE, THEIRS))
        run()
        code, report = reconcile()
        assert (code, report["clean"], report["found"]) == (0, True, 0)
        return mine, theirs

    return make


@pytest.fixture
def library(db: None, local_storage: None, make_library: Callable[[], tuple[Video, Video]]) -> tuple[Video, Video]:
    """Return a complete, embedded video of each of two owners, with files in a directory."""
    return make_library()
