"""Speech is transcribed chunk by chunk. A worker that dies costs one chunk, and an unsupported language gets a notice."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from numpy.typing import NDArray

from heimdex.errors import InputBreaksServer
from heimdex.speech.base import Segment, Transcriber, Transcript, Word
from heimdex.speech.chunks import split_chunks
from tests import media
from tests.videos.ingest.conftest import AddArrivedVideo, UseStages, expire_waits, get_job, read_state
from videos.ingest.pipeline import ingest
from videos.models import Scene, TranscriptChunk, Video

SECONDS = 8


class CountingTranscriber(Transcriber):
    """Returns one numbered word in the middle of every chunk."""

    def __init__(self) -> None:
        self.transcribed_s: list[float] = []
        self.languages: list[str | None] = []
        self.dies_at: int | None = None
        self.breaks_at: frozenset[int] = frozenset()

    @property
    def identity(self) -> str:
        return "counting"

    def supports_language(self, language: str) -> bool:
        return language == "en"

    def check(self) -> list[str]:
        return []

    def transcribe(
        self, audio: NDArray[np.float32], *, language: str | None = None, on_progress: Callable[[float], None] | None = None
    ) -> Transcript:
        if len(self.transcribed_s) == self.dies_at:
            raise RuntimeError("The worker is gone")
        seconds = audio.size / 16_000
        self.transcribed_s.append(seconds)
        self.languages.append(language)
        if len(self.transcribed_s) in self.breaks_at:
            raise InputBreaksServer("http://10.0.0.7/v1 still answers with status 500")
        word = Word(seconds / 2 - 0.1, seconds / 2 + 0.1, f"word{len(self.transcribed_s)}", 1.0)
        return Transcript("en", (Segment(0, seconds, word.text, (word,)),))


@pytest.fixture(autouse=True)
def skip_vision_stages(use_stages: UseStages) -> None:
    use_stages("validate", "probe", "scenes", "transcript", "index")


@pytest.fixture
def counting_transcriber() -> Iterator[CountingTranscriber]:
    """Transcribe chunks of about two seconds with a model whose words are known."""
    speech = CountingTranscriber()

    def split_into_short_chunks(blocks: Iterator[NDArray[np.float32]], *, start: int = 0) -> object:
        return split_chunks(blocks, start=start, shortest_s=1.5, longest_s=2.5)

    with (
        mock.patch("videos.ingest.stages.transcript.get_transcriber", return_value=speech),
        mock.patch("heimdex.speech.chunks.split_chunks", side_effect=split_into_short_chunks),
    ):
        yield speech


def make_film() -> Path:
    return media.build_video((75, 125), audio="music")


def test_a_worker_that_takes_over_transcribes_only_what_is_missing(
    add_arrived_video: AddArrivedVideo, counting_transcriber: CountingTranscriber
) -> None:
    video = add_arrived_video(make_film())
    counting_transcriber.dies_at = 2

    ingest(video.pk)

    assert read_state(video) == ("processing", "")
    stored = list(TranscriptChunk.objects.filter(video=video))
    assert [chunk.words[0][2] for chunk in stored] == ["word1", "word2"]
    assert stored[1].first_sample == stored[0].end_sample
    counting_transcriber.dies_at = None
    expire_waits(video)
    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert sum(counting_transcriber.transcribed_s) == pytest.approx(SECONDS, abs=0.2)
    words = [word for scene in video.scenes.order_by("index") for word in scene.words]
    assert [text for _, _, text in words] == [f"word{number}" for number in range(1, len(counting_transcriber.transcribed_s) + 1)]
    middles = np.cumsum(counting_transcriber.transcribed_s) - np.array(counting_transcriber.transcribed_s) / 2
    assert [(start + end) / 2 for start, end, _ in words] == pytest.approx(list(middles), abs=0.01)
    assert all(scene.start_s <= (start + end) / 2 < scene.end_s for scene in video.scenes.all() for start, end, _ in scene.words)
    assert get_job(video, "transcript").attempts == 2
    # The chunks are deleted once their words are in the scenes.
    assert not TranscriptChunk.objects.exists()
    assert video.metadata.language == "en"


def test_chunks_of_another_model_are_transcribed_again(
    add_arrived_video: AddArrivedVideo, counting_transcriber: CountingTranscriber
) -> None:
    video = add_arrived_video(make_film())
    old = {"model_key": "another model", "first_sample": 0, "end_sample": 10**9, "words": [[0, 1, "old"]]}
    TranscriptChunk.objects.create(video=video, owner=video.owner, **old)

    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert sum(counting_transcriber.transcribed_s) == pytest.approx(SECONDS, abs=0.2)
    assert "old" not in " ".join(Scene.objects.values_list("transcript", flat=True))


def test_the_model_gets_the_language_that_the_owner_gave(
    add_arrived_video: AddArrivedVideo, counting_transcriber: CountingTranscriber
) -> None:
    ingest(add_arrived_video(make_film(), language="en").pk)
    assert set(counting_transcriber.languages) == {"en"}


def test_speech_in_an_unsupported_language_is_not_transcribed(add_arrived_video: AddArrivedVideo) -> None:
    video = add_arrived_video(make_film(), language="de")

    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert set(Scene.objects.values_list("transcript", flat=True)) == {""}
    assert video.metadata.speech_notice == (
        "The speech was not transcribed: the speech model of this server does not support German. "
        "Your administrator can configure one that does."
    )
    assert Video.objects.get().language == "de"


@pytest.mark.parametrize(
    ("breaks_at", "notice"),
    [
        ({2}, "The speech between 0:0\\d and 0:0\\d could not be transcribed\\."),
        ({1, 2, 3}, "The speech between 0:00 and 0:0\\d could not be transcribed\\. The same is true of other parts\\."),
    ],
)
def test_a_part_on_which_the_speech_server_fails_is_left_out_with_a_notice(
    add_arrived_video: AddArrivedVideo, counting_transcriber: CountingTranscriber, breaks_at: set[int], notice: str
) -> None:
    counting_transcriber.breaks_at = frozenset(breaks_at)
    video = add_arrived_video(make_film())

    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert get_job(video, "transcript").attempts == 1
    words = [text for scene in video.scenes.order_by("index") for _, _, text in scene.words]
    chunks = len(counting_transcriber.transcribed_s)
    assert words == [f"word{number}" for number in range(1, chunks + 1) if number not in breaks_at]
    assert re.fullmatch(notice, video.metadata.speech_notice)
    assert video.notices == [video.metadata.speech_notice]
