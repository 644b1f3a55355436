"""A small server that speaks OpenAI's transcription protocol with a real model behind it, and answers that a test can prepare."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from functools import cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from heimdex.speech.faster_whisper import find_packaged_weights
from tests.openai_protocol import NO_MODELS, Answer, ProtocolHandler, serve_protocol


@dataclass(frozen=True)
class TranscriptionRequest:
    """A request: its fields, the name of the file, its size in bytes and its duration in seconds."""

    fields: dict[str, list[str]]
    filename: str
    size: int
    seconds: float


@dataclass
class TranscriptionServer:
    """The received requests and the prepared answers. Without a prepared answer, the server transcribes the file."""

    prepared: list[Answer] = field(default_factory=list)
    requests: list[TranscriptionRequest] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    url: str = ""

    def transcribe_request(self, content_type: str, body: bytes) -> str:
        fields, name, recording = _parse_form(content_type, body)
        samples = _decode_flac(recording)
        self.requests.append(TranscriptionRequest(fields, name, len(recording), samples.size / 16_000))
        if self.prepared and self.prepared[0].body is not None:
            return ""
        return _transcribe(samples.tobytes(), fields.get("language", [None])[0])


def encode_verbose_json(
    text: str, segments: list[dict[str, Any]], words: list[dict[str, Any]] | None = None, language: str = "english"
) -> str:
    """Return an answer of the protocol."""
    return json.dumps({"task": "transcribe", "language": language, "duration": 9.0, "text": text, "segments": segments, "words": words})


@cache
def _transcribe(sound: bytes, language: str | None) -> str:
    """Answer as OpenAI does: words without punctuation, the language by its English name. The same file has the same answer."""
    samples = np.frombuffer(sound, np.float32)
    segments, info = _load_model().transcribe(samples, language=language, beam_size=5, temperature=0.0, word_timestamps=True)
    transcribed = list(segments)
    words = [word for segment in transcribed for word in segment.words or ()]
    answer = {
        "task": "transcribe",
        "language": {"en": "english"}[info.language],
        "duration": samples.size / 16_000,
        "text": "".join(segment.text for segment in transcribed).strip(),
        "words": [{"word": word.word.strip(' ,.;:!?"'), "start": float(word.start), "end": float(word.end)} for word in words],
        "segments": [
            {
                "id": number,
                "seek": segment.seek,
                "start": float(segment.start),
                "end": float(segment.end),
                "text": segment.text,
                "tokens": segment.tokens,
                "temperature": 0.0,
                "avg_logprob": segment.avg_logprob,
                "compression_ratio": segment.compression_ratio,
                "no_speech_prob": segment.no_speech_prob,
            }
            for number, segment in enumerate(transcribed)
        ],
    }
    return json.dumps(answer)


@cache
def _load_model() -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(str(find_packaged_weights()), device="cpu", compute_type="int8")


def _parse_form(content_type: str, body: bytes) -> tuple[dict[str, list[str]], str, bytes]:
    parts = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body).get_payload()
    fields: dict[str, list[str]] = {}
    name, recording = "", b""
    for part in parts:
        assert isinstance(part, Message)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if filename := part.get_filename():
            name, recording = filename, content
        else:
            fields.setdefault(str(part.get_param("name", header="content-disposition")), []).append(content.decode())
    return fields, name, recording


def _decode_flac(recording: bytes) -> NDArray[np.float32]:
    with av.open(io.BytesIO(recording)) as container:
        blocks = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(blocks).astype(np.float32) / 32768


@contextmanager
def serve_transcriptions() -> Iterator[TranscriptionServer]:
    """Serve on a free port until the block ends."""
    state = TranscriptionServer()

    class Handler(ProtocolHandler):
        def do_GET(self) -> None:
            self.answer(NO_MODELS)

        def do_POST(self) -> None:
            self.answer(state.transcribe_request(self.headers["Content-Type"], self.read_content()))

        def answer(self, otherwise: str) -> None:
            state.keys.append(self.headers["Authorization"])
            answer = state.prepared.pop(0) if state.prepared else Answer(body=None)
            self.send(answer, self.prepare(answer, lambda: otherwise))

    with serve_protocol(Handler) as state.url:
        yield state
