"""The interface of speech models and the transcript that they return."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
# Shorter audio contains no word.
SHORTEST_SPEECH_S = 0.1


@dataclass(frozen=True)
class Word:
    """One spoken word with its punctuation and without surrounding spaces. Times are in seconds from the first sample."""

    start_s: float
    end_s: float
    text: str
    probability: float


@dataclass(frozen=True)
class Segment:
    """A stretch of speech, about a sentence."""

    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Transcript:
    """The speech in some audio. `language` is a code such as `en`, or None without speech."""

    language: str | None
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        """The whole text; a space separates segments."""
        return " ".join(segment.text for segment in self.segments)

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word in order."""
        return tuple(word for segment in self.segments for word in segment.words)


class Transcriber(ABC):
    """A speech model. The constructor loads nothing; threads may share an instance."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Backend, model and revision, which determine the words."""

    @abstractmethod
    def supports_language(self, language: str) -> bool:
        """Return whether the model was trained on a language, given by its code."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return what keeps the model from working. Each sentence names the setting and the fix. Load no weights."""

    @abstractmethod
    def transcribe(
        self, audio: NDArray[np.float32], *, language: str | None = None, on_progress: Callable[[float], None] | None = None
    ) -> Transcript:
        """Return the speech in mono audio at 16 kHz (float32, -1 to 1). All of it is in memory; `heimdex.speech.chunks` bounds it.

        Silence, noise and music give an empty transcript. `language` is a supported one; None detects it. `on_progress` gets the share
        done, 0 to 1. Raise InputBreaksServer when a server fails on this audio and on no other.
        """
