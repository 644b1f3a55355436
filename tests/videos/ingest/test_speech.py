"""Speech is transcribed chunk by chunk. A worker that dies costs one chunk, and an unsupported language gets a notice."""

from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from numpy.typing import NDArray

from heimdex.speech.base import Segment, Transcriber, Transcript, Word
from heimdex.speech.chunks import split_chunks
from tests import media
from tests.videos.ingest.conftest import Arrived, UseStages, job, read_state, stop_waiting
from videos.ingest.pipeline import ingest
from videos.models import Scene, TranscriptChunk, Video

SECONDS = 8


class Counting(Transcriber):
    """Hears its own counting: one word in the middle of every stretch."""

    def __init__(self) -> None:
        self.heard: list[float] = []
        self.languages: list[str | None] = []
        self.dies_at: int | None = None

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
        if len(self.heard) == self.dies_at:
            raise RuntimeError("The worker is gone")
        seconds = audio.size / 16_000
        self.heard.append(seconds)
        self.languages.append(language)
        word = Word(seconds / 2 - 0.1, seconds / 2 + 0.1, f"word{len(self.heard)}", 1.0)
        return Transcript("en", (Segment(0, seconds, word.text, (word,)),))


@pytest.fixture(autouse=True)
def without_what_is_seen(use_stages: UseStages) -> None:
    use_stages("validate", "probe", "scenes", "transcript", "index")


@pytest.fixture
def counting() -> Iterator[Counting]:
    """Listen to chunks of about two seconds with a model of which the words are known."""
    speech = Counting()

    def short(blocks: Iterator[NDArray[np.float32]], *, start: int = 0) -> object:
        return split_chunks(blocks, start=start, shortest_s=1.5, longest_s=2.5)

    with (
        mock.patch("videos.ingest.stages.transcript.get_transcriber", return_value=speech),
        mock.patch("heimdex.speech.chunks.split_chunks", side_effect=short),
    ):
        yield speech


def film() -> Path:
    return media.build_video((75, 125), audio="music")


def test_one_who_takes_over_hears_only_what_nobody_has_heard(arrived: Arrived, counting: Counting) -> None:
    video = arrived(film())
    counting.dies_at = 2

    ingest(video.pk)

    assert read_state(video) == ("processing", "")
    kept = list(TranscriptChunk.objects.filter(video=video))
    assert [stretch.words[0][2] for stretch in kept] == ["word1", "word2"]
    assert kept[1].first_sample == kept[0].end_sample
    counting.dies_at = None
    stop_waiting(video)
    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert sum(counting.heard) == pytest.approx(SECONDS, abs=0.2)
    said = [word for scene in video.scenes.order_by("index") for word in scene.words]
    assert [text for _, _, text in said] == [f"word{number}" for number in range(1, len(counting.heard) + 1)]
    middles = np.cumsum(counting.heard) - np.array(counting.heard) / 2
    assert [(start + end) / 2 for start, end, _ in said] == pytest.approx(list(middles), abs=0.01)
    assert all(scene.start_s <= (start + end) / 2 < scene.end_s for scene in video.scenes.all() for start, end, _ in scene.words)
    assert job(video, "transcript").attempts == 2
    # What was kept on the way is gone once it is in the scenes.
    assert not TranscriptChunk.objects.exists()
    assert video.metadata.language == "en"


def test_what_another_model_has_heard_is_heard_anew(arrived: Arrived, counting: Counting) -> None:
    video = arrived(film())
    old = {"listener": "another model", "first_sample": 0, "end_sample": 10**9, "words": [[0, 1, "old"]]}
    TranscriptChunk.objects.create(video=video, owner=video.owner, **old)

    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert sum(counting.heard) == pytest.approx(SECONDS, abs=0.2)
    assert "old" not in " ".join(Scene.objects.values_list("transcript", flat=True))


def test_the_language_that_the_owner_gave_is_told_to_the_model(arrived: Arrived, counting: Counting) -> None:
    ingest(arrived(film(), language="en").pk)
    assert set(counting.languages) == {"en"}


def test_speech_in_a_language_that_the_model_does_not_know_is_not_guessed_at(arrived: Arrived) -> None:
    video = arrived(film(), language="de")

    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert set(Scene.objects.values_list("transcript", flat=True)) == {""}
    assert video.metadata.speech_notice == (
        "The speech was not transcribed: the speech model of this server does not support German. "
        "Your administrator can configure one that does."
    )
    assert Video.objects.get().language == "de"
