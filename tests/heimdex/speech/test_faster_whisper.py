"""The packaged speech model."""

from pathlib import Path
from typing import ClassVar

from demo.film import SHOTS, reference_texts
from heimdex.media.audio import read_audio
from heimdex.media.probe import probe
from heimdex.media.scenes import detect_scenes
from heimdex.speech.base import Transcriber
from heimdex.speech.faster_whisper import FasterWhisperTranscriber
from heimdex.speech.scenes import text_between
from tests import media
from tests.heimdex.speech.conformance import TranscriberConformance
from tests.heimdex.speech.errors import word_errors


class TestPackagedModel(TranscriberConformance):
    transcriber: ClassVar[Transcriber] = FasterWhisperTranscriber()

    def test_each_scene_of_the_demo_film_has_its_own_words(self) -> None:
        path = media.demo_film()
        info = probe(path)
        transcript = self.transcriber.transcribe(read_audio(path, info))
        texts = reference_texts()
        for span, shot in zip(detect_scenes(path, info), SHOTS, strict=True):
            expected = texts.get(shot.speech, "")
            heard = text_between(transcript, span.start_s, span.end_s)
            assert word_errors(expected, heard) <= 0.25 * len(expected.split()), (expected, heard)


def test_a_path_without_weights_is_told_before_any_work(tmp_path: Path) -> None:
    (problem,) = FasterWhisperTranscriber(str(tmp_path)).check()
    assert "HEIMDEX_MODELS" in problem
    assert str(tmp_path) in problem
