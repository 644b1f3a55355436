"""The packaged speech model, and the languages and checks of other models."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from bench.word_errors import count_word_errors
from demo.film import SHOTS, load_reference_texts
from heimdex.media.audio import iter_audio_blocks
from heimdex.media.probe import probe
from heimdex.media.scenes import iter_scenes
from heimdex.speech.base import Transcriber
from heimdex.speech.faster_whisper import FasterWhisperTranscriber
from heimdex.speech.words import assign_words_to_scenes
from tests import media
from tests.heimdex.speech.conformance import TranscriberConformance


class TestPackagedModel(TranscriberConformance):
    transcriber: ClassVar[Transcriber] = FasterWhisperTranscriber()

    def test_each_scene_of_the_demo_film_has_its_own_words(self) -> None:
        path = media.build_demo_video()
        info = probe(path)
        words = self.transcriber.transcribe(np.concatenate(list(iter_audio_blocks(path, info)))).words
        starts = [scene.span.start_s for scene in iter_scenes(path, info)]
        texts = load_reference_texts()
        shares = assign_words_to_scenes([(word.start_s, word.end_s, word.text) for word in words], starts)
        for share, shot in zip(shares, SHOTS, strict=True):
            expected, transcribed = texts.get(shot.speech, ""), " ".join(text for _, _, text in share)
            assert count_word_errors(expected, transcribed) <= 0.25 * len(expected.split()), (expected, transcribed)


@pytest.mark.integration
class TestPackagedMultilingualModel(TranscriberConformance):
    transcriber: ClassVar[Transcriber] = FasterWhisperTranscriber("base")


def test_english_models_support_only_english() -> None:
    assert not FasterWhisperTranscriber().supports_language("de")
    assert not FasterWhisperTranscriber("/models/small.en/").supports_language("de")
    assert FasterWhisperTranscriber("small").supports_language("de")
    assert FasterWhisperTranscriber("base").supports_language("ko")


def test_a_path_without_weights_is_reported_by_check(tmp_path: Path) -> None:
    (problem,) = FasterWhisperTranscriber(str(tmp_path)).check()
    assert "HEIMDEX_MODELS" in problem
    assert str(tmp_path) in problem
