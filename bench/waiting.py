"""P8 and P9: how long an upload waits beside a backfill, and how long a pause takes to be obeyed."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.library import make_library
from bench.runs import inputs_of, start
from bench.workers import wait_until, workers

ROUNDS = 7
VIDEOS, SCENES = 200, 50


def rounds() -> Iterator[Mapping[str, float]]:
    """Yield an upload's wait as a ratio, and the seconds from a pause until no worker holds anything."""
    from heimdex.queue import REPROCESS, UPLOADS
    from reprocess.actions.pause_run import pause_run
    from reprocess.actions.resume_run import resume_run

    empty_database()
    make_library(VIDEOS, SCENES, texts=True, pictures=False)
    with workers(UPLOADS, REPROCESS):
        _upload_waits_s()
        run_id = start()
        for number in range(ROUNDS):
            if number:
                resume_run(run_id)
            _wait_for_work(run_id)
            beside = _upload_waits_s()
            pause_run(run_id)
            stopped_s = wait_until(lambda: not _held(run_id), "the worker goes on in spite of the pause")
            alone = _upload_waits_s()
            yield {"P8": beside / alone, "P9": stopped_s}


def _wait_for_work(run_id: UUID) -> None:
    """Wait until a worker has written something more."""
    before = inputs_of(run_id)
    wait_until(lambda: inputs_of(run_id) > before, "no worker takes the run up")


def _held(run_id: UUID) -> bool:
    from reprocess.models import ReprocessItem

    return ReprocessItem.objects.filter(run_id=run_id, lease_token__isnull=False).exists()


def _upload_waits_s() -> float:
    """Upload a small file and return how long its first stage let it wait; what the stage thinks of the file does not matter."""
    from heimdex.accounts.models import User
    from heimdex.storage import media_storage
    from videos.actions.complete_upload import complete_upload
    from videos.actions.init_upload import Announcement, init_upload
    from videos.models import Job, Video

    owner = User.objects.get()
    video, _ = init_upload(owner, Announcement("film.mp4", "video/mp4", 4))
    media_storage().save(video.upload_key, b"film", "video/mp4")
    complete_upload(owner, video.pk)
    began = Video.objects.get(pk=video.pk).updated_at
    started = Job.objects.filter(video=video, started_at__isnull=False).order_by("position").values_list("started_at", flat=True)
    wait_until(started.exists, "no worker takes the upload up")
    first = started[0]
    assert first is not None
    return (first - began).total_seconds()


GROUP = Group(
    (
        Goal(
            "P8",
            "an upload's wait for its first stage beside a backfill of 10,000 scenes",
            "the same without a backfill",
            1.5,
            at_least=False,
        ),
        Goal("P9", "from pausing a run until its worker has stopped", "–", 5.0, unit="s", at_least=False),
    ),
    rounds,
)
