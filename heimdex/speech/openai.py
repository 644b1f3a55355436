"""Speech to text through any server that speaks OpenAI's transcription protocol."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.errors import EmbedderError, EmbedderUnavailable
from heimdex.embedders.patience import Patience
from heimdex.openai_server import OpenAIServer
from heimdex.speech.base import SAMPLE_RATE, SHORTEST_S, Segment, Transcriber, Transcript
from heimdex.speech.chunks import chunks
from heimdex.speech.flac import flac
from heimdex.speech.gates import repeats
from heimdex.speech.languages import NAMES
from heimdex.speech.openai_answers import segments_in, spoken_language
from heimdex.speech.voice import holds_voice

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.audio import TranscriptionVerbose

PATIENCE = Patience(tries=6, total_s=300.0, timeout_s=120.0)
# OpenAI takes files of up to 25 MB; ten minutes of 16-bit sound at 16 kHz are 19 MB before FLAC halves them.
_SHORTEST_CALL_S, _LONGEST_CALL_S = 300.0, 600.0


class OpenAITranscriber(Transcriber):
    """Transcribe through the official client. `model` must answer with times (`verbose_json`), as whisper-1 and its open copies do.

    Sound without a voice is not sent, so silence costs nothing and brings no invented words. What fails in passing is repeated; after
    `breaker_after` failed calls in a row nothing more is sent for a while, and EmbedderUnavailable says why.
    """

    def __init__(self, model: str = "whisper-1", base_url: str = "", api_key: str = "", breaker_after: int = 10) -> None:
        self._model = model
        self._server = OpenAIServer(
            model, base_url=base_url, api_key=api_key, inputs="this sound", wanted="transcript with times", breaker_after=breaker_after
        )

    @property
    def identity(self) -> str:
        """Name the model; the server's address is no part of it, so that a server can move."""
        return f"openai/{self._model}"

    def understands(self, language: str) -> bool:
        """Leave it to the server: what it is told of is refused there, with a reason."""
        return language in NAMES

    def check(self) -> list[str]:
        """Return what keeps the model from working; asks the server for its list of models."""
        if find_spec("faster_whisper") is None:
            return ["Whether anybody speaks is found out with the package faster-whisper: install requirements/worker.txt."]
        return self._server.check()

    def transcribe(
        self, audio: NDArray[np.float32], *, language: str | None = None, on_progress: Callable[[float], None] | None = None
    ) -> Transcript:
        """Return what is said; EmbedderUnavailable with the fix in its text when the server cannot be used."""
        kept: list[Segment] = []
        spoken: str | None = None
        for chunk in chunks([audio], shortest_s=_SHORTEST_CALL_S, longest_s=_LONGEST_CALL_S):
            if chunk.samples.size >= SHORTEST_S * SAMPLE_RATE and holds_voice(chunk.samples):
                answer = self._asked(chunk.samples, language)
                for segment in segments_in(answer, chunk.start_s):
                    if not repeats([earlier.text for earlier in kept], segment.text):
                        kept.append(segment)
                spoken = spoken or language or spoken_language(answer)
            if on_progress:
                on_progress(chunk.end / audio.size)
        if on_progress:
            on_progress(1.0)
        return Transcript(spoken if kept else None, tuple(kept))

    def _asked(self, samples: NDArray[np.float32], language: str | None) -> "TranscriptionVerbose":
        import openai

        recording = flac(samples)

        def send(client: "OpenAI", timeout_s: float) -> "TranscriptionVerbose":
            answer = client.audio.transcriptions.create(
                file=("speech.flac", recording, "audio/flac"),
                model=self._model,
                response_format="verbose_json",
                timestamp_granularities=["word", "segment"],
                language=language or openai.omit,
                temperature=0.0,
                timeout=timeout_s,
            )
            # Read here, because what cannot be read counts as a fault of the answer.
            segments_in(answer, 0.0)
            return answer

        try:
            return self._server.call(send, PATIENCE)
        except EmbedderError as refusal:
            # Sound is sound: what is refused is the model's name, the form of the answer or the language.
            raise EmbedderUnavailable(f'{refusal} Correct "model" of "speech" in HEIMDEX_MODELS.') from refusal
