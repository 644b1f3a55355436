"""V1 and V2: time of scene detection and of a whole ingest, against one bare decode of the same file."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from bench.benchmark import Goal, Group
from bench.cut_videos import build_scripts, generate_video
from bench.installation import empty_database
from bench.looped import loop_video

ROUNDS = 5
SIZE = (1280, 720)
FILMED_S, FILM_S = 60, 600
# The stages with models of their own, whose time does not depend on decoding.
MODEL_STAGES = ("transcript", "on_screen", "description", "summary")


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield the times of one pass and of one ingest as ratios to the bare decode before them."""
    empty_database()
    with tempfile.TemporaryDirectory(prefix="heimdex-speed-") as folder:
        short = generate_video(
            replace(build_scripts(3, FILMED_S, SIZE)["hard lively"], preset="veryfast", crf=21), Path(folder) / "short.mp4"
        )
        film = loop_video(short.path, Path(folder) / "film.mp4", round(FILM_S / short.duration_s))
        _ingest(short.path)
        for _ in range(ROUNDS):
            bare = _measure_seconds(lambda: _decode(film))
            scenes = _measure_seconds(lambda: _find_scenes(film))
            ingest = _measure_seconds(lambda: _ingest(film))
            yield {"V1": scenes / bare, "V2": ingest / bare}


def _measure_seconds(work: Callable[[], None]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def _decode(film: Path) -> None:
    import av

    with av.open(str(film)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for _ in container.decode(video=0):
            pass


def _find_scenes(film: Path) -> None:
    from heimdex.media.probe import probe
    from heimdex.media.scenes import iter_scenes

    for _ in iter_scenes(film, probe(film)):
        pass


def _ingest(film: Path) -> None:
    """Ingest a video as if it had just been uploaded. Raise RuntimeError unless it is indexed."""
    from django.utils import timezone

    from heimdex.accounts.models import User
    from heimdex.storage import get_media_storage
    from videos.ingest.pipeline import ingest
    from videos.ingest.schedule import start_ingest
    from videos.models import Video
    from videos.registry import list_stages, override_stages

    stages = [stage for stage in list_stages() if stage.name not in MODEL_STAGES]
    owner, _ = User.objects.get_or_create(email="bench@example.org")
    video = Video.objects.create(
        owner=owner,
        title="Film",
        filename="film.mp4",
        mime_type="video/mp4",
        size_bytes=film.stat().st_size,
        state=Video.State.VALIDATING,
        upload_expires_at=timezone.now() + timedelta(hours=1),
    )
    with film.open("rb") as file:
        get_media_storage().save(video.original_key, file, "video/mp4")
    with override_stages(stages):
        start_ingest(video)
        ingest(video.pk)
    video.refresh_from_db()
    if video.state != Video.State.INDEXED:
        raise RuntimeError(f"The film was not indexed: {video.error_text}")


GROUP = Group(
    (
        Goal(
            "V1",
            "scenes, keyframes and timeline of a 720p film of ten minutes",
            "a bare decode of it, PyAV, same threads",
            1.4,
            at_least=False,
        ),
        Goal("V2", "its whole ingest without speech, on-screen text and description", "the same", 2.4, at_least=False),
    ),
    run_rounds,
)
