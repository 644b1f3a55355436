"""What a speech model returns, and the interface that every one of them has."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
# Shorter sound holds no word.
SHORTEST_S = 0.1


@dataclass(frozen=True)
class Word:
    """One spoken word, with its punctuation and no spaces around it; times in seconds from the first sample."""

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
    """All that was said. `language` is a code such as `en`, and None when nobody speaks."""

    language: str | None
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        """The whole text, segments separated by a space."""
        return " ".join(segment.text for segment in self.segments)

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word in order."""
        return tuple(word for segment in self.segments for word in segment.words)


class Transcriber(ABC):
    """A speech model. Building one loads nothing; one instance may be shared by threads."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Backend, model and revision: what determines the words."""

    @abstractmethod
    def understands(self, language: str) -> bool:
        """Tell whether the model was trained on a language, given as its code."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return what keeps the model from working, each a sentence that names the setting and the fix; loads no weights."""

    @abstractmethod
    def transcribe(
        self, audio: NDArray[np.float32], *, language: str | None = None, on_progress: Callable[[float], None] | None = None
    ) -> Transcript:
        """Return what is said in mono sound at 16 kHz (float32, -1 to 1), all of which is held in memory: `listening` bounds it.

        Silence, noise and music give an empty transcript. `language` is one that it understands; None means: find out.
        `on_progress` gets the share done.
        """
