"""Transcribe with any server that speaks OpenAI's transcription protocol."""

import io
import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heimdex.errors import InputBreaksServer, ModelInputError, ModelUnavailable
from heimdex.openai.client import ModelClient
from heimdex.openai.retry import RetryPolicy
from heimdex.speech.base import SAMPLE_RATE, SHORTEST_SPEECH_S, Segment, Transcriber, Transcript, Word
from heimdex.speech.chunks import split_chunks
from heimdex.speech.filters import SegmentScores, has_voice, is_credible, is_stutter
from heimdex.speech.languages import NAMES, UNSPACED, parse_language
from heimdex.speech.words import align_words

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.audio import TranscriptionVerbose

RETRIES = RetryPolicy(attempts=6, total_s=300.0, timeout_s=120.0)
# OpenAI accepts files of up to 25 MB. Ten minutes of 16-bit audio at 16 kHz are 19 MB before FLAC halves them.
_SHORTEST_CALL_S, _LONGEST_CALL_S = 300.0, 600.0


class OpenAITranscriber(Transcriber):
    """Transcribe through the official client. `model` must answer with times (`verbose_json`), as whisper-1 and its open copies do.

    Audio without a voice is not sent, so silence costs nothing and adds no invented words. Transient errors are retried. After
    `breaker_after` failed calls in a row nothing is sent for a while, and ModelUnavailable states the reason.
    """

    def __init__(self, model: str = "whisper-1", base_url: str = "", api_key: str = "", breaker_after: int = 10) -> None:
        self._model = model
        self._client = ModelClient(
            model, base_url=base_url, api_key=api_key, inputs="this audio", expected="transcript with times", breaker_after=breaker_after
        )

    @property
    def identity(self) -> str:
        """Identify the model. The server's URL is not part of the identity, so that a server can move."""
        return f"openai/{self._model}"

    def supports_language(self, language: str) -> bool:
        """Return whether Whisper supports the language. The server may still reject it, with a reason."""
        return language in NAMES

    def check(self) -> list[str]:
        """Return what keeps the model from working. Request the server's list of models."""
        if find_spec("faster_whisper") is None:
            return ["Voice detection needs the package faster-whisper: install requirements/worker.txt."]
        return self._client.check()

    def transcribe(
        self, audio: NDArray[np.float32], *, language: str | None = None, on_progress: Callable[[float], None] | None = None
    ) -> Transcript:
        """Return the speech. Raise ModelUnavailable, whose message names the fix, when the server cannot be used.

        Raise InputBreaksServer when it fails on this audio and on no other.
        """
        segments: list[Segment] = []
        detected: str | None = None
        for chunk in split_chunks([audio], shortest_s=_SHORTEST_CALL_S, longest_s=_LONGEST_CALL_S):
            if chunk.samples.size >= SHORTEST_SPEECH_S * SAMPLE_RATE and has_voice(chunk.samples):
                answer = self._request(chunk.samples, language)
                for segment in parse_segments(answer, chunk.start_s):
                    if not is_stutter([earlier.text for earlier in segments], segment.text):
                        segments.append(segment)
                detected = detected or language or detect_language(answer)
            if on_progress:
                on_progress(chunk.end / audio.size)
        if on_progress:
            on_progress(1.0)
        return Transcript(detected if segments else None, tuple(segments))

    def _request(self, samples: NDArray[np.float32], language: str | None) -> "TranscriptionVerbose":
        import openai

        recording = encode_flac(samples)

        def send(recording: bytes, client: "OpenAI", timeout_s: float) -> "TranscriptionVerbose":
            answer = client.audio.transcriptions.create(
                file=("speech.flac", recording, "audio/flac"),
                model=self._model,
                response_format="verbose_json",
                timestamp_granularities=["word", "segment"],
                language=language or openai.omit,
                temperature=0.0,
                timeout=timeout_s,
            )
            # Parsed here so that an unreadable answer counts as a transient error.
            parse_segments(answer, 0.0)
            return answer

        try:
            return self._client.call_for_input(partial(send, recording), partial(send, encode_flac(_make_harmless())), RETRIES)
        except InputBreaksServer:
            raise
        except ModelInputError as rejection:
            # Any audio is valid: the server rejects the model's name, the answer's format or the language.
            raise ModelUnavailable(f'{rejection} Correct "model" of "speech" in HEIMDEX_MODELS.') from rejection


def _make_harmless() -> NDArray[np.float32]:
    """Return two seconds of silence."""
    return np.zeros(2 * SAMPLE_RATE, dtype=np.float32)


def encode_flac(samples: NDArray[np.float32]) -> bytes:
    """Encode mono audio at 16 kHz (-1 to 1, louder samples are clipped) as a 16-bit FLAC file: lossless at half the size."""
    import av

    integers = np.clip(np.round(samples * 32767.0), -32768, 32767).astype(np.int16).reshape(1, -1)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(integers, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def parse_segments(answer: "TranscriptionVerbose", start_s: float) -> list[Segment]:
    """Return the credible segments, shifted by `start_s` seconds. Raise ValueError when the answer violates the protocol."""
    if not isinstance(getattr(answer, "text", None), str) or getattr(answer, "segments", None) is None:
        raise ValueError("no text with segments")
    timed = [
        Word(_parse_seconds(word.start) + start_s, _parse_seconds(word.end) + start_s, str(word.word), 1.0) for word in answer.words or ()
    ]
    is_unspaced = detect_language(answer) in UNSPACED
    segments: list[Segment] = []
    for segment in answer.segments or ():
        text = " ".join(str(segment.text).split())
        mean = _read_score(segment, "avg_logprob", 0.0)
        scores = SegmentScores(text, _read_score(segment, "no_speech_prob", 0.0), mean, _read_score(segment, "compression_ratio", 1.0))
        if not is_credible(scores):
            continue
        segment_start_s, segment_end_s = _parse_seconds(segment.start) + start_s, _parse_seconds(segment.end) + start_s
        inside = [word for word in timed if segment_start_s <= (word.start_s + word.end_s) / 2 < segment_end_s]
        probability = math.exp(min(mean, 0.0))
        # A text without spaces cannot be split into words: use the server's words.
        words = tuple(inside) if is_unspaced and inside else align_words(text, segment_start_s, segment_end_s, inside, probability)
        segments.append(Segment(segment_start_s, segment_end_s, text, words))
    return segments


def detect_language(answer: "TranscriptionVerbose") -> str | None:
    """Return the code of the language. Servers name it by code or in English."""
    return parse_language(str(getattr(answer, "language", None) or ""))


def _read_score(segment: Any, name: str, default: float) -> float:
    """Return a score of a segment, or the default, because not every server reports all scores."""
    value = getattr(segment, name, None)
    return default if value is None else _parse_number(value)


def _parse_seconds(value: Any) -> float:
    return max(0.0, _parse_number(value))


def _parse_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)
