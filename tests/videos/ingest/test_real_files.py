"""The whole ingest on real files, with the real models."""

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from django.conf import LazySettings
from django.db.models import Count
from django.utils import timezone

from heimdex.backends import get_image_embedder, get_text_embedder
from heimdex.storage import get_media_storage
from reprocess.planning.scope import Scope
from reprocess.runs.requests import plan_run
from tests import media
from tests.videos.ingest.conftest import AddArrivedVideo, UseStages, get_job, read_state
from videos.actions.videos import retry_video
from videos.ingest.pipeline import ingest
from videos.models import ActiveSpace, Job, Scene, SceneEmbedding, Video
from videos.search.service import SearchRequest, search

ASSETS = Path(__file__).resolve().parents[3] / "demo" / "assets"
CHANNELS = {"transcript", "visual", "summary", "clip"}
# Names and symbols that only programmers know.
JARGON = ("Error", "Exception", "Traceback", "errno", "av.", "/objects/", "None", "{", "}", "<", ">")


def make_broken_tail() -> Path:
    """Build a Matroska file of two shots with audio, truncated in the second."""

    def build(path: Path) -> None:
        import av

        with av.open(str(media.build_video((50, 90), audio="tone"))) as source, av.open(str(path), "w", format="matroska") as target:
            tracks = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = tracks[packet.stream.index]
                    target.mux(packet)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])

    return media.build_cached("broken-tail.mkv", build)


def make_cat_film() -> Path:
    """Build a silent film with a single shot of a cat."""

    def build(path: Path) -> None:
        import av
        from PIL import Image

        with Image.open(ASSETS / "chelsea.jpg") as photo, av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=media.FPS, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.asarray(photo.convert("RGB").resize((320, 240))), format="rgb24")
            for number in range(2 * media.FPS):
                frame.pts = number
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    return media.build_cached("cat.mp4", build)


def is_readable(text: str) -> bool:
    return text[:1].isupper() and text.endswith(".") and "\n" not in text and not any(word in text for word in JARGON)


@pytest.mark.usefixtures("packaged_models")
@pytest.mark.parametrize(
    ("build", "scenes", "audio_codec", "seen"),
    [
        pytest.param(make_cat_film, 1, "", "embedded", id="neither sound nor cut"),
        # Colored tiles show nothing that the classifier knows.
        pytest.param(make_broken_tail, 2, "aac", "empty", id="broken tail"),
    ],
)
def test_a_video_is_indexed_with_its_speech_and_images(
    add_arrived_video: AddArrivedVideo, build: Callable[[], Path], scenes: int, audio_codec: str, seen: str
) -> None:
    video = add_arrived_video(build())

    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert set(video.jobs.values_list("state", "progress", "attempts", "error")) == {("done", 1.0, 1, "")}
    assert (len(video.checksum), video.metadata.audio_codec, video.metadata.language) == (64, audio_codec, "")
    shown = list(Scene.objects.filter(video=video))
    assert len(shown) == scenes
    assert all(scene.transcript == "" and bool(scene.tags) == (seen == "embedded") for scene in shown)
    storage = get_media_storage()
    assert set(storage.list_keys(video.storage_prefix)) == {
        video.original_key,
        video.timeline_key,
        *(key for scene in shown for pair in scene.image_keys for key in pair),
    }
    # Each scene has its row in every channel, and a plan has nothing to add.
    rows = SceneEmbedding.objects.filter(scene__video=video).values_list("space__channel", "state").annotate(Count("pk"))
    assert set(rows) == {
        ("transcript", "empty", scenes),
        ("visual", seen, scenes),
        ("summary", seen, scenes),
        ("clip", "embedded", scenes),
    }
    plan = plan_run(Scope("video", video.pk), force=False)
    assert (plan.videos, plan.stale, plan.model_calls) == (1, 0, 0)
    assert set(ActiveSpace.objects.filter(owner=video.owner).values_list("channel", flat=True)) == CHANNELS
    if seen == "embedded":
        assert search(video.owner, SearchRequest("a cat")).hits[0].scene == shown[0]


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (media.build_text_named_mp4, "not_a_video"),
        (media.build_truncated, "truncated"),
        (media.build_audio_only, "no_video_stream"),
        (media.build_still_image, "still_picture"),
    ],
)
def test_a_bad_file_fails_for_good_with_a_reason(add_arrived_video: AddArrivedVideo, build: Callable[[], Path], code: str) -> None:
    video = add_arrived_video(build())

    ingest(video.pk)

    assert read_state(video) == ("failed", code)
    assert is_readable(video.error_text)
    probe = get_job(video, "probe")
    assert (probe.state, probe.error, probe.attempts, probe.lease_token) == ("failed", video.error_text, 1, None)
    assert not video.jobs.filter(state=Job.State.RUNNING).exists()
    # No task processes it again.
    ingest(video.pk)
    assert get_job(video, "probe").attempts == 1


def test_a_file_of_another_size_fails(add_arrived_video: AddArrivedVideo) -> None:
    video = add_arrived_video(media.build_video((50,)), size_bytes=7)

    ingest(video.pk)

    assert read_state(video) == ("failed", "wrong_size")
    assert is_readable(video.error_text)


def test_an_indexed_video_is_left_alone_and_a_retry_repeats_everything(add_arrived_video: AddArrivedVideo) -> None:
    video = add_arrived_video(media.build_video((50,)))
    with mock.patch("videos.ingest.stages.description.get_describer", side_effect=OSError(5, "Input/output error", "/var/lib/secret")):
        for _ in range(3):
            Job.objects.update(lease_expires_at=None)
            ingest(video.pk)
    assert read_state(video) == ("failed", "internal_error")
    assert "in the stage “description”." in video.error_text
    assert is_readable(video.error_text)
    assert search(video.owner, SearchRequest("object")).total == 0
    before = set(Scene.objects.values_list("pk", flat=True))
    Scene.objects.update(transcript="left from the first time")

    retry_video(video.owner, video.pk)
    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert video.error_text == ""
    assert set(video.jobs.values_list("state", "attempts", "error")) == {("done", 1, "")}
    assert set(Scene.objects.values_list("pk", "transcript")) == {(pk, "") for pk in before}
    # A second or a late task changes nothing.
    calls = get_text_embedder().calls + get_image_embedder().calls
    jobs = list(Job.objects.order_by("pk").values())
    computed = SceneEmbedding.objects.filter(computed_at__gte=timezone.now())
    ingest(video.pk)
    assert list(Job.objects.order_by("pk").values()) == jobs
    assert get_text_embedder().calls + get_image_embedder().calls == calls
    assert not computed.exists()
    assert Video.objects.get().updated_at == video.updated_at


def test_a_long_take_has_several_scenes_whose_keyframes_are_replaced_with_them(
    add_arrived_video: AddArrivedVideo, settings: LazySettings, use_stages: UseStages
) -> None:
    use_stages("scenes")
    settings.LONGEST_SCENE_SECONDS = 6.0
    video = add_arrived_video(media.build_video((400,)))
    ingest(video.pk)
    assert video.scenes.count() >= 3
    with get_media_storage().open(video.timeline_key) as sheet:
        assert sheet.read(2) == b"\xff\xd8"

    settings.LONGEST_SCENE_SECONDS = 60.0
    Video.objects.filter(pk=video.pk).update(state=Video.State.FAILED)
    retry_video(video.owner, video.pk)
    ingest(video.pk)

    (scene,) = video.scenes.all()
    assert scene.other_keyframes_s, "the patterns drift, so that sixteen seconds show more than one picture does"
    assert set(get_media_storage().list_keys(video.storage_prefix)) == {
        video.original_key,
        video.timeline_key,
        *(key for pair in scene.image_keys for key in pair),
    }
