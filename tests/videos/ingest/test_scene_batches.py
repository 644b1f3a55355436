"""Descriptions and on-screen text of keyframes, and the batches that are repeated when a worker dies."""

import io
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from django.conf import LazySettings
from PIL import Image, ImageDraw, ImageFont
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.backends import get_describer, get_text_reader
from heimdex.storage import get_media_storage
from heimdex.vision.base import Describer, Description
from heimdex.vision.ocr import TextLine, TextReader
from heimdex.vision.ocr_rapid import RapidOcrReader
from heimdex.vision.tags import TagDescriber
from tests import media
from tests.library import make_video
from tests.videos.ingest.conftest import AddArrivedVideo, UseStages, expire_waits, get_job, read_state
from videos.ingest.pipeline import ingest
from videos.ingest.schedule import start_ingest
from videos.ingest.stages import description, on_screen
from videos.models import Scene, Video

SEEING = ("on_screen", "description", "summary", "index")
SLIDES = (("Growing tomatoes", "Water them twice a day"), ("Leaving the harbour", "Mind the <b>tide</b> & the wind"))


def make_slides() -> Path:
    """Build a silent film of two slides with text, three seconds each."""

    def build(path: Path) -> None:
        import av

        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=media.FPS, options={"preset": "ultrafast", "crf": "23"})
            stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
            for number, (lines, color) in enumerate(zip(SLIDES, ("white", "navy"), strict=True)):
                image = Image.new("RGB", (640, 360), color)
                for place, line in enumerate(lines):
                    ink = "black" if color == "white" else "white"
                    ImageDraw.Draw(image).text((40, 60 + 80 * place), line, font=ImageFont.load_default(32), fill=ink)
                frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
                for shown in range(3 * media.FPS):
                    frame.pts = number * 3 * media.FPS + shown
                    container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    return media.build_cached("two-slides.mp4", build)


class CallRecorder(TextReader, Describer):
    """The configured reader and describer; it records its calls, and dies before the call `dies_at`."""

    def __init__(self, dies_at: int) -> None:
        self._reader, self._describer = RapidOcrReader(), TagDescriber()
        self.calls: list[int] = []
        self.dies_at = dies_at

    @property
    def identity(self) -> str:
        return "watched"

    def check(self) -> list[str]:
        return []

    def read(self, images: Sequence[Image.Image]) -> list[list[TextLine]]:
        self._record_call(images)
        return self._reader.read(images)

    def describe(self, scenes: Sequence[Sequence[Image.Image]]) -> list[Description]:
        self._record_call(scenes)
        return self._describer.describe(scenes)

    def _record_call(self, asked: Sequence[object]) -> None:
        self.calls.append(len(asked))
        if len(self.calls) == self.dies_at:
            raise SystemExit


class ReadingDescriber(Describer):
    """A describer that reads text in scenes with two images, as vision models do; it records the images."""

    identity = "reading"
    max_images = 2

    def __init__(self) -> None:
        self.shown: list[list[tuple[int, int]]] = []

    def check(self) -> list[str]:
        return []

    def describe(self, scenes: Sequence[Sequence[Image.Image]]) -> list[Description]:
        self.shown += [[image.size for image in pictures] for pictures in scenes]
        lines = ("Harbour master", "Harbour master", "x", "Tide at 10:45 <b>")
        return [Description("A pier.", (), lines if len(pictures) > 1 else ()) for pictures in scenes]


def add_two_keyframes(video: Video) -> Scene:
    """Give the first scene of a video two more keyframes, each with another size."""
    scene = video.scenes.get(index=0)
    scene.other_keyframes_s = [1.0, 2.0]
    scene.save(update_fields=["other_keyframes_s"])
    for size, (key, _) in zip(((320, 180), (32, 18), (16, 9)), scene.image_keys, strict=True):
        content = io.BytesIO()
        Image.new("RGB", size).save(content, "JPEG")
        get_media_storage().save(key, content.getvalue(), "image/jpeg")
    return scene


@pytest.fixture
def use_vision_stages(use_stages: UseStages) -> None:
    use_stages(*SEEING)


def make_queued_video(owner: User, scenes: int) -> Video:
    """Return a video that is divided into scenes and waits for the following stages."""
    video = make_video(owner, ["Something is said."] * scenes)
    Scene.objects.filter(video=video).update(description="", tags=[], visual_text="")
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING, summary="")
    start_ingest(video)
    return video


@pytest.mark.usefixtures("packaged_models")
def test_text_on_slides_is_stored_searchable_and_embedded(add_arrived_video: AddArrivedVideo) -> None:
    video = add_arrived_video(make_slides(), title="Two slides")
    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    first, second = Scene.objects.filter(video=video).order_by("index")
    assert [scene.on_screen_text.splitlines() for scene in (first, second)] == [list(lines) for lines in SLIDES]
    assert "Growing tomatoes" not in first.visual_text
    assert set(video.jobs.values_list("state", "attempts")) == {("done", 1)}

    api = APIClient()
    api.force_authenticate(video.owner)
    results = api.get("/v1/search", {"q": "tides"}).json()["results"]
    why = {match["channel"]: match["highlight"] for match in results[0]["matches"]}
    assert results[0]["scene_id"] == str(second.pk)
    assert "Mind the &lt;b&gt;<mark>tide</mark>&lt;/b&gt; &amp; the wind" in why["on_screen"]
    assert "lexical" not in why
    # The text is embedded too: other words of the same meaning find it.
    seen = api.get("/v1/search", {"q": "how to cultivate vegetables"}).json()["results"]
    assert seen[0]["scene_id"] == str(first.pk)
    assert "visual" in {match["channel"] for match in seen[0]["matches"]}
    shown = api.get(f"/v1/videos/{video.pk}").json()
    assert (shown["chapters"], shown["scenes"][0]["on_screen_text"]) == ([], "\n".join(SLIDES[0]))


@pytest.mark.usefixtures("use_vision_stages")
@pytest.mark.parametrize(
    ("stage", "module", "size", "dies_at", "calls"),
    [("on_screen", on_screen, 4, 6, [1] * 6 + [1] * 7), ("description", description, 16, 2, [16, 16, 16, 3])],
)
def test_a_worker_that_takes_over_repeats_no_finished_batch(
    owner: User, stage: str, module: object, size: int, dies_at: int, calls: list[int]
) -> None:
    video = make_queued_video(owner, 2 * size + 3)
    model = CallRecorder(dies_at)
    name = "get_text_reader" if stage == "on_screen" else "get_describer"
    with mock.patch.object(module, name, return_value=model):
        with pytest.raises(SystemExit):
            ingest(video.pk)
        assert get_job(video, stage).state == "running"
        assert sum("watched" in (scene.read_by, scene.described_by) for scene in video.scenes.all()) == size
        expire_waits(video)
        ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert model.calls == calls
    assert (get_job(video, stage).attempts, get_job(video, stage).progress) == (2, 1.0)
    assert not Scene.objects.filter(video=video, read_by="").exists()
    assert not Scene.objects.filter(video=video, described_by="").exists()


@pytest.mark.usefixtures("use_vision_stages")
def test_a_worker_that_lost_its_lease_writes_no_batch(owner: User) -> None:
    video = make_queued_video(owner, 2)
    model = CallRecorder(dies_at=0)
    real = model.read

    def read_slowly(images: Sequence[Image.Image]) -> list[list[TextLine]]:
        video.jobs.filter(stage="on_screen").update(lease_token=None)
        return real(images)

    with mock.patch.object(model, "read", read_slowly), mock.patch.object(on_screen, "get_text_reader", return_value=model):
        ingest(video.pk)
    assert not Scene.objects.exclude(read_by="").exists()


@pytest.mark.usefixtures("use_vision_stages")
def test_with_ocr_off_nothing_is_read_and_the_video_is_indexed(owner: User, settings: LazySettings) -> None:
    settings.MODEL_BACKENDS = {alias: backend for alias, backend in settings.MODEL_BACKENDS.items() if alias != "ocr"}
    assert get_text_reader() is None
    video = make_queued_video(owner, 2)
    ingest(video.pk)
    assert read_state(video) == ("indexed", "") or read_state(video)[0] == "processing"
    assert set(Scene.objects.values_list("on_screen_text", "read_by")) == {("", "")}
    assert set(Scene.objects.values_list("described_by", flat=True)) == {get_describer().identity}


@pytest.mark.usefixtures("use_vision_stages")
@pytest.mark.parametrize("ocr", [False, True], ids=["OCR off", "OCR on"])
def test_text_from_the_describer_is_searchable_without_a_reader(owner: User, settings: LazySettings, ocr: bool) -> None:
    if not ocr:
        settings.MODEL_BACKENDS = {alias: backend for alias, backend in settings.MODEL_BACKENDS.items() if alias != "ocr"}
    video, model = make_queued_video(owner, 2), ReadingDescriber()
    scene = add_two_keyframes(video)
    with mock.patch.object(description, "get_describer", return_value=model):
        ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert model.shown == [[(320, 180), (32, 18)], [(320, 180)]]
    scene.refresh_from_db()
    assert (scene.description, scene.read_by == "reading") == ("A pier.", not ocr)
    assert scene.on_screen_text == ("" if ocr else "Harbour master\nTide at 10:45 <b>")
    api = APIClient()
    api.force_authenticate(owner)
    results = api.get("/v1/search", {"q": "tides"}).json()["results"]
    assert ("on_screen" in {match["channel"] for result in results for match in result["matches"]}) is not ocr
