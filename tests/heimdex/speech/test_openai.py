"""Speech through a server that speaks OpenAI's protocol, over a real socket."""

import json
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from demo.film import load_reference_texts
from heimdex.errors import InputBreaksServer, ModelUnavailable
from heimdex.openai.retry import RetryPolicy
from heimdex.outages.classify import OutageKind, find_outage
from heimdex.speech.base import Transcriber
from heimdex.speech.openai import OpenAITranscriber
from tests.heimdex.speech.conformance import TranscriberConformance, load_recording
from tests.heimdex.speech.transcription_server import TranscriptionServer, encode_verbose_json, serve_transcriptions
from tests.media import RATE, make_sound
from tests.openai_protocol import Answer

SEGMENT: dict[str, Any] = {"start": 0.5, "end": 2.5, "text": " Hello, there.", "avg_logprob": -0.2, "no_speech_prob": 0.1}
WORDS = [{"word": "Hello", "start": 0.6, "end": 1.0}, {"word": "there", "start": 1.5, "end": 2.0}]


class TestOpenAIProtocol(TranscriberConformance):
    transcriber: ClassVar[Transcriber]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _serve(cls) -> Iterator[None]:
        with serve_transcriptions() as server:
            cls.transcriber = OpenAITranscriber(base_url=server.url)
            yield


@pytest.fixture
def server() -> Iterator[TranscriptionServer]:
    with serve_transcriptions() as server:
        yield server


@pytest.fixture(autouse=True)
def _shorten_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RetryPolicy, "FIRST_WAIT_S", 0.001)


def build_transcriber(server: TranscriptionServer, **options: Any) -> OpenAITranscriber:
    return OpenAITranscriber(base_url=server.url, api_key="the-key", **options)


def load_speech() -> NDArray[np.float32]:
    return load_recording(next(iter(load_reference_texts())))


def test_the_request_follows_the_protocol(server: TranscriptionServer) -> None:
    server.prepared = [Answer(body=encode_verbose_json("Hello, there.", [SEGMENT], WORDS))] * 2
    build_transcriber(server, model="whisper-large").transcribe(load_speech(), language="en")
    build_transcriber(server).transcribe(load_speech())
    first, second = server.requests
    assert first.fields == {
        "model": ["whisper-large"],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["word", "segment"],
        "language": ["en"],
        "temperature": ["0.0"],
    }
    assert "language" not in second.fields
    assert first.filename.endswith(".flac")
    assert first.seconds == pytest.approx(load_speech().size / RATE)
    assert first.size < 2 * load_speech().size
    assert set(server.keys) == {"Bearer the-key"}


def test_words_have_the_punctuation_of_the_text_and_the_times_of_the_words(server: TranscriptionServer) -> None:
    server.prepared = [Answer(body=encode_verbose_json("Hello, there.", [SEGMENT], WORDS, language="german"))]
    transcript = build_transcriber(server).transcribe(load_speech())
    assert [(word.text, word.start_s, word.end_s) for word in transcript.words] == [("Hello,", 0.6, 1.0), ("there.", 1.5, 2.0)]
    assert transcript.language == "de"


def test_without_word_times_words_are_timed_within_their_sentence(server: TranscriptionServer) -> None:
    server.prepared = [Answer(body=encode_verbose_json("Hello, there.", [SEGMENT]))]
    words = build_transcriber(server).transcribe(load_speech()).words
    assert [word.text for word in words] == ["Hello,", "there."]
    assert (words[0].start_s, words[0].end_s, words[1].end_s) == (0.5, 1.5, 2.5)


def test_segments_that_the_server_doubts_are_left_out(server: TranscriptionServer) -> None:
    doubtful = {**SEGMENT, "avg_logprob": -1.4}
    looping = {**SEGMENT, "compression_ratio": 3.1}
    server.prepared = [Answer(body=encode_verbose_json("…", [doubtful, looping]))]
    transcript = build_transcriber(server).transcribe(load_speech())
    assert (transcript.text, transcript.language) == ("", None)


def test_audio_without_a_voice_is_not_sent(server: TranscriptionServer) -> None:
    assert build_transcriber(server).transcribe(make_sound("music", 20)).segments == ()
    assert server.requests == []


def test_long_audio_is_sent_in_files_within_the_size_limit(server: TranscriptionServer) -> None:
    server.prepared = [Answer(body=encode_verbose_json("Hello, there.", [SEGMENT], WORDS))] * 3
    once = np.concatenate([load_speech(), np.zeros(20 * RATE, np.float32)])
    long = np.tile(once, int(1300 * RATE / once.size))
    words = build_transcriber(server).transcribe(long).words
    assert len(server.requests) == 3
    assert max(asked.size for asked in server.requests) < 25_000_000
    assert sum(asked.seconds for asked in server.requests) == pytest.approx(long.size / RATE)
    # Words of the second file have their time in the whole audio.
    assert words[2].start_s == pytest.approx(server.requests[0].seconds + 0.6)


@pytest.mark.parametrize(
    "fault",
    [
        Answer(429),
        Answer(500),
        Answer(503),
        Answer(drop=True),
        Answer(body='{"text": '),
        Answer(body="<html>"),
        Answer(body='{"text": "x"}'),
    ],
    ids=["429", "500", "503", "dropped", "half an answer", "a page", "no times"],
)
def test_transient_faults_are_retried(server: TranscriptionServer, fault: Answer) -> None:
    server.prepared = [fault] * 3 + [Answer(body=encode_verbose_json("Hello, there.", [SEGMENT], WORDS))]
    assert build_transcriber(server).transcribe(load_speech()).text == "Hello, there."
    assert len(server.requests) == 4


def test_a_slow_answer_times_out_and_is_retried(server: TranscriptionServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heimdex.speech.openai.RETRIES", RetryPolicy(attempts=2, total_s=5, timeout_s=0.3))
    server.prepared = [Answer(after_s=1.0), Answer(body=encode_verbose_json("Hello, there.", [SEGMENT], WORDS))]
    assert build_transcriber(server).transcribe(load_speech()).text == "Hello, there."


def test_retry_after_is_honored(server: TranscriptionServer) -> None:
    server.prepared = [Answer(429, headers=(("Retry-After", "1"),)), Answer(body=encode_verbose_json("Hello, there.", [SEGMENT], WORDS))]
    began = time.monotonic()
    build_transcriber(server).transcribe(load_speech())
    assert time.monotonic() - began >= 1
    server.prepared = [Answer(429, headers=(("Retry-After", "86400"),))]
    with pytest.raises(ModelUnavailable, match="429"):
        build_transcriber(server).transcribe(load_speech())


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ([Answer(401)], "rejects the key: correct HEIMDEX_OPENAI_API_KEY"),
        ([Answer(404)], 'has no model whisper-1: correct "model"'),
        ([Answer(400)], r'rejects this audio for whisper-1: .*prepared by the test.*Correct "model" of "speech" in HEIMDEX_MODELS'),
        ([Answer(500)] * 6, "status 500 after several attempts"),
        ([Answer(body='{"text": "x"}')] * 6, "not answer with a transcript with times: .*HEIMDEX_OPENAI_BASE_URL"),
        ([Answer(body=encode_verbose_json("x", [{**SEGMENT, "start": "soon"}]))] * 6, "not answer with a transcript with times"),
        ([Answer(body=encode_verbose_json("x", [{**SEGMENT, "end": None}]))] * 6, "not answer with a transcript with times"),
        ([Answer(body='"hello"')] * 6, "not answer with a transcript with times"),
        ([Answer(429, json.dumps({"error": {"message": "Quota", "code": "insufficient_quota"}}))], "credit"),
    ],
)
def test_an_unusable_server_is_reported_with_the_fix(server: TranscriptionServer, answers: list[Answer], sentence: str) -> None:
    server.prepared = list(answers)
    with pytest.raises(ModelUnavailable, match=sentence):
        build_transcriber(server).transcribe(load_speech())
    assert server.prepared == []


def test_after_several_failures_the_server_is_not_called(server: TranscriptionServer) -> None:
    server.prepared = [Answer(500)] * 100
    patient = build_transcriber(server, breaker_after=3)
    with pytest.raises(ModelUnavailable, match="3 calls failed in a row"):
        patient.transcribe(load_speech())
    sent = len(server.requests)
    with pytest.raises(ModelUnavailable, match="calls failed in a row"):
        patient.transcribe(load_speech())
    assert len(server.requests) == sent == 3


def test_a_missing_key_or_server_is_reported_by_check(server: TranscriptionServer) -> None:
    assert build_transcriber(server).check() == []
    assert "HEIMDEX_OPENAI_API_KEY" in OpenAITranscriber().check()[0]
    assert "is not a URL" in OpenAITranscriber(base_url="localhost:8080").check()[0]
    assert "HEIMDEX_OPENAI_BASE_URL" in OpenAITranscriber(base_url="http://127.0.0.1:9/v1").check()[0]
    with pytest.raises(ModelUnavailable, match="HEIMDEX_OPENAI_API_KEY"):
        OpenAITranscriber().transcribe(load_speech())


def test_audio_on_which_a_working_server_fails_twice_is_to_blame(server: TranscriptionServer) -> None:
    hello, failures = Answer(body=encode_verbose_json("Hello, there.", [SEGMENT], WORDS)), [Answer(500)] * 6
    transcriber, speech = build_transcriber(server), load_speech()
    server.prepared = [*failures, hello, *failures, hello]
    with pytest.raises(ModelUnavailable, match="status 500"):
        # It has transcribed nothing yet: it may fail on all speech.
        transcriber.transcribe(speech)

    server.prepared = [hello, *failures, hello, hello, *failures, hello, *failures, hello]
    assert transcriber.transcribe(speech).text == "Hello, there."
    # The first failure was an outage of a moment.
    assert transcriber.transcribe(speech).text == "Hello, there."
    with pytest.raises(InputBreaksServer, match="status 500") as raised:
        transcriber.transcribe(speech)
    assert find_outage(raised.value) is None
    assert server.prepared == []


def test_a_server_that_answers_nothing_blames_no_audio(server: TranscriptionServer) -> None:
    hello = Answer(body=encode_verbose_json("Hello, there.", [SEGMENT], WORDS))
    transcriber, speech = build_transcriber(server), load_speech()
    server.prepared = [hello, *[Answer(500)] * 20]
    transcriber.transcribe(speech)
    with pytest.raises(ModelUnavailable) as raised:
        transcriber.transcribe(speech)
    assert find_outage(raised.value) is OutageKind.MODEL
