"""Text embeddings from a server of OpenAI's protocol, over a real socket."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from heimdex.embedders.batching import split_by_bytes
from heimdex.embedders.openai import OpenAIEmbedder
from heimdex.errors import InputsRejected, ModelInputError, ModelUnavailable
from heimdex.openai.retry import RetryPolicy
from tests.heimdex.embedders.openai_server import EmbeddingServer
from tests.openai_protocol import Answer


def build_embedder(server: EmbeddingServer, model: str = "text-embedding-3-small", **options: int | str) -> OpenAIEmbedder:
    return OpenAIEmbedder(model, 1536, base_url=server.url, api_key="the-key", **options)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RetryPolicy, "FIRST_WAIT_S", 0.001)


def test_vectors_of_the_server_are_normalized_and_in_order(server: EmbeddingServer) -> None:
    texts = [f"text {number}" for number in range(70)]
    vectors = build_embedder(server, batch_size=32).embed_documents(texts)
    expected = np.stack([server.make_vector(text) for text in texts])
    np.testing.assert_allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    assert sorted(len(request["input"]) for request in server.requests) == [6, 32, 32]
    assert set(server.keys) == {"Bearer the-key"}


def test_dimensions_are_sent_only_to_models_that_support_them(server: EmbeddingServer) -> None:
    build_embedder(server).embed_queries(["x"])
    build_embedder(server, model="bge-m3").embed_queries(["x"])
    assert [request.get("dimensions") for request in server.requests] == [1536, None]


def test_no_empty_or_overlong_input_is_sent(server: EmbeddingServer) -> None:
    vectors = build_embedder(server).embed_documents(["", "字" * 4800])
    sent = [text for request in server.requests for text in request["input"]]
    assert "" not in sent
    assert max(len(text.encode()) for text in sent) <= 8191
    assert vectors.shape == (2, 1536)


def test_byte_windows_lose_no_text_and_cut_between_words() -> None:
    text = "some words of a transcript " * 1000
    windows = split_by_bytes(text, 8191)
    assert "".join(windows) == text
    assert all(window.endswith(" ") and len(window) <= 8191 for window in windows)
    assert split_by_bytes("short", 8191) == ["short"]


@pytest.mark.parametrize("status", [429, 500])
def test_a_transient_error_is_retried(server: EmbeddingServer, status: int) -> None:
    server.prepared = [Answer(status)]
    assert build_embedder(server).embed_queries(["x"]).shape == (1, 1536)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ([Answer(401)], "rejects the key: correct HEIMDEX_OPENAI_API_KEY"),
        ([Answer(403)], "rejects the key: correct HEIMDEX_OPENAI_API_KEY"),
        ([Answer(404)], 'has no model text-embedding-3-small: correct "model" in HEIMDEX_MODELS'),
        ([Answer(429)] * 3, "still answers with status 429 after several attempts .*prepared by the test"),
        ([Answer(500)] * 3, "still answers with status 500"),
        ([Answer(200, '{"data": [')] * 3, "not answer with a list of embeddings: .*HEIMDEX_OPENAI_BASE_URL"),
        ([Answer(200, '{"data": null}')] * 3, "not answer with a list of embeddings: .*HEIMDEX_OPENAI_BASE_URL"),
        ([Answer(200, '"hello"')] * 3, "not answer with a list of embeddings: .*HEIMDEX_OPENAI_BASE_URL"),
        ([Answer(200, '{"data": [{"index": 0, "embedding": "no base64!"}]}')] * 3, "not answer with a list of embeddings"),
        ([Answer(200, '{"data": [{"index": 0, "embedding": ["a"]}]}')] * 3, "not answer with a list of embeddings"),
    ],
)
def test_an_unusable_server_is_reported_with_the_fix(server: EmbeddingServer, answers: list[Answer], sentence: str) -> None:
    server.prepared = list(answers)
    with pytest.raises(ModelUnavailable, match=sentence):
        build_embedder(server).embed_queries(["x"])


def test_texts_that_the_server_rejects_are_errors_of_those_texts(server: EmbeddingServer) -> None:
    server.prepared = [Answer(400)]
    with pytest.raises(ModelInputError, match=r"rejects these texts .*prepared by the test"):
        build_embedder(server).embed_queries(["x"])


def test_wrong_dimensions_and_counts_are_rejected(server: EmbeddingServer) -> None:
    server.dimensions = 1024
    with pytest.raises(ModelUnavailable, match="1024 dimensions, but 1536 are configured"):
        build_embedder(server).embed_queries(["x"])
    row = {"index": 0, "embedding": [1.0] * 1536}
    server.prepared = [Answer(200, json.dumps({"data": [row, row]}))] * 3
    with pytest.raises(ModelUnavailable, match="answered 1 inputs with 2 vectors"):
        build_embedder(server).embed_queries(["x"])
    server.prepared = [Answer(200, json.dumps({"data": [{"index": 0, "embedding": [float("nan")] * 1536}]}))]
    with pytest.raises(ModelInputError, match="not finite"):
        build_embedder(server).embed_queries(["x"])


def test_an_unreachable_server_is_reported_with_the_fix() -> None:
    nobody = OpenAIEmbedder("m", 8, base_url="http://127.0.0.1:9/v1")
    assert "HEIMDEX_OPENAI_BASE_URL" in nobody.check()[0]
    with pytest.raises(ModelUnavailable, match=r"http://127.0.0.1:9/v1 cannot be reached: .*HEIMDEX_OPENAI_BASE_URL"):
        nobody.embed_queries(["x"])


def test_a_missing_key_is_reported_before_any_request() -> None:
    keyless = OpenAIEmbedder("text-embedding-3-small", 1536)
    assert "HEIMDEX_OPENAI_API_KEY" in keyless.check()[0]
    with pytest.raises(ModelUnavailable, match="HEIMDEX_OPENAI_API_KEY"):
        keyless.embed_queries(["x"])


def test_check_queries_the_server(server: EmbeddingServer) -> None:
    assert build_embedder(server).check() == []
    server.prepared = [Answer(401)]
    assert "HEIMDEX_OPENAI_API_KEY" in build_embedder(server).check()[0]
    server.prepared = [Answer(404)]
    assert build_embedder(server).check() == []
    assert "is not a URL" in OpenAIEmbedder("m", 8, base_url="localhost:8080").check()[0]


def test_calls_hold_as_many_texts_as_their_tokens_allow_and_run_in_parallel(server: EmbeddingServer) -> None:
    server.latency_s = 0.1
    model = build_embedder(server, batch_size=10, call_tokens=500, concurrency=4)
    assert model.preferred_batch_size == 40
    long, short = ["word " * 200] * 6, [f"short {number}" for number in range(40)]
    before = model.calls
    model.embed_documents([*long, *short])
    sizes = [sum(len(text) for text in request["input"]) / 4 for request in server.requests]
    # 251 tokens each by the estimate: two of the long ones are too many for one call.
    assert max(sizes) <= 500
    assert max(len(request["input"]) for request in server.requests) <= 10
    assert model.calls - before == len(server.requests)
    assert server.busiest == 4
    assert model.tokens == 7 * 46


def test_input_types_are_sent_and_the_document_type_is_part_of_the_identity(server: EmbeddingServer) -> None:
    typed = build_embedder(server, query_input_type="query", document_input_type="passage")
    typed.embed_queries(["x"])
    typed.embed_documents(["x"])
    build_embedder(server).embed_documents(["x"])
    assert [request.get("input_type") for request in server.requests] == ["query", "passage", None]
    assert build_embedder(server, query_input_type="query").identity == build_embedder(server).identity != typed.identity


@pytest.mark.parametrize(
    "fault",
    [Answer(429), Answer(500), Answer(503), Answer(drop=True), Answer(body='{"data": ['), Answer(body="<html>")],
    ids=["429", "500", "503", "dropped", "half an answer", "a page"],
)
def test_transient_faults_are_retried_and_every_call_is_counted(server: EmbeddingServer, fault: Answer) -> None:
    server.prepared = [fault] * 5
    texts = [f"text {number}" for number in range(40)]
    model = build_embedder(server, batch_size=10)
    vectors = model.embed_documents(texts)
    expected = np.stack([server.make_vector(text) for text in texts])
    np.testing.assert_allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    assert model.calls == len(server.requests) == 9


def test_a_slow_answer_times_out_and_is_retried(server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heimdex.embedders.openai.QUERY_RETRIES", RetryPolicy(attempts=2, total_s=5, timeout_s=0.2))
    server.prepared = [Answer(body=None, after_s=1.0)]
    assert build_embedder(server).embed_queries(["x"]).shape == (1, 1536)
    server.prepared = [Answer(body=None, after_s=1.0)] * 2
    with pytest.raises(ModelUnavailable, match=r"did not answer within 0\.2 s"):
        build_embedder(server).embed_queries(["x"])


@pytest.mark.parametrize("header", [("Retry-After", "1"), ("Retry-After-Ms", "1000")])
def test_retry_after_is_honored_by_every_caller(server: EmbeddingServer, header: tuple[str, str]) -> None:
    server.prepared = [Answer(429, headers=(header,))]
    model = build_embedder(server)
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(model.embed_queries, ["x"])
        while not server.keys:
            time.sleep(0.001)
        time.sleep(0.1)
        second = pool.submit(model.embed_queries, ["y"])
        first.result()
        second.result()
    assert time.monotonic() - began >= 1
    assert len(server.requests) == 3


def test_a_wait_beyond_the_total_time_ends_the_call_at_once(server: EmbeddingServer) -> None:
    server.prepared = [Answer(429, headers=(("Retry-After", "3600"),))]
    with pytest.raises(ModelUnavailable, match="429"):
        build_embedder(server).embed_queries(["x"])
    assert len(server.requests) == 1


def test_an_empty_account_is_not_retried(server: EmbeddingServer) -> None:
    server.prepared = [Answer(429, '{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}')]
    with pytest.raises(ModelUnavailable, match=r"quota.*credit"):
        build_embedder(server).embed_queries(["x"])
    assert len(server.requests) == 1


def test_a_failing_server_is_not_called_after_some_failures(server: EmbeddingServer) -> None:
    server.prepared = [Answer(500)] * 1000
    model = build_embedder(server, batch_size=1, breaker_after=12, concurrency=4)
    with pytest.raises(ModelUnavailable, match=r"status 500.*calls failed in a row"):
        model.embed_documents([f"text {number}" for number in range(300)])
    sent = len(server.requests)
    assert 12 <= sent <= 12 + 4
    with pytest.raises(ModelUnavailable, match=r"status 500.*calls failed in a row"):
        model.embed_documents(["more"])
    assert len(server.requests) == sent


def test_the_server_is_tried_again_after_the_reset_time(server: EmbeddingServer) -> None:
    server.prepared = [Answer(500)] * 3
    model = build_embedder(server, breaker_after=3)
    model._client._breaker._reset_after_s = 0.05
    with pytest.raises(ModelUnavailable):
        model.embed_documents(["x"])
    time.sleep(0.1)
    assert model.embed_documents(["x"]).shape == (1, 1536)


def test_a_rejected_text_is_reported_and_the_others_are_not_sent_again(server: EmbeddingServer) -> None:
    server.refused = "bad"
    texts = [*(f"text {number}" for number in range(63)), "a bad text"]
    model = build_embedder(server, batch_size=16)
    with pytest.raises(InputsRejected, match=r"rejects these texts .*prepared by the test") as caught:
        model.embed_documents(texts)
    assert list(caught.value.reasons) == [63]
    expected = np.stack([server.make_vector(text) for text in texts[:63]])
    np.testing.assert_allclose(caught.value.vectors[:63], expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    accepted = [text for request in server.requests if "a bad text" not in request["input"] for text in request["input"]]
    assert sorted(accepted) == sorted(texts[:63])


def test_a_rejected_part_rejects_only_its_long_text(server: EmbeddingServer) -> None:
    server.refused = "bad"
    with pytest.raises(InputsRejected) as caught:
        build_embedder(server).embed_documents(["fine", "word " * 3000 + "bad", "word " * 3000])
    assert list(caught.value.reasons) == [1]
    assert np.linalg.norm(caught.value.vectors[[0, 2]], axis=1) == pytest.approx(1, abs=1e-5)


def test_a_server_that_rejects_everything_stops_the_run_instead_of_failing_each_text(server: EmbeddingServer) -> None:
    server.refused = "text"
    with pytest.raises(ModelUnavailable, match=r"rejects these texts .*20 calls failed in a row"):
        build_embedder(server, concurrency=1).embed_documents([f"text {number}" for number in range(1000)])
    assert len(server.requests) < 100
