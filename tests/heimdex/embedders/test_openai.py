"""Texts through a server that speaks OpenAI's protocol, over a real socket."""

import json

import numpy as np
import pytest

from heimdex.embedders.errors import EmbedderError, EmbedderUnavailable
from heimdex.embedders.openai import OpenAIEmbedder, byte_windows
from tests.heimdex.embedders.openai_server import Answer, EmbeddingServer


def embedder(server: EmbeddingServer, model: str = "text-embedding-3-small") -> OpenAIEmbedder:
    return OpenAIEmbedder(model, 1536, base_url=server.url, api_key="the-key")


def test_vectors_are_the_servers_normalised_and_in_order(server: EmbeddingServer) -> None:
    texts = [f"text {number}" for number in range(70)]
    vectors = embedder(server).embed_documents(texts)
    expected = np.stack([server.vector(text) for text in texts])
    np.testing.assert_allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    assert [len(request["input"]) for request in server.requests] == [32, 32, 6]
    assert set(server.keys) == {"Bearer the-key"}


def test_dimensions_are_asked_only_of_models_that_know_them(server: EmbeddingServer) -> None:
    embedder(server).embed_queries(["x"])
    embedder(server, model="bge-m3").embed_queries(["x"])
    assert [request.get("dimensions") for request in server.requests] == [1536, None]


def test_no_empty_or_overlong_input_is_sent(server: EmbeddingServer) -> None:
    vectors = embedder(server).embed_documents(["", "字" * 4800])
    sent = [text for request in server.requests for text in request["input"]]
    assert "" not in sent
    assert max(len(text.encode()) for text in sent) <= 8191
    assert vectors.shape == (2, 1536)


def test_windows_of_bytes_lose_nothing_and_cut_between_words() -> None:
    text = "some words of a transcript " * 1000
    windows = byte_windows(text, 8191)
    assert "".join(windows) == text
    assert all(window.endswith(" ") and len(window) <= 8191 for window in windows)
    assert byte_windows("short", 8191) == ["short"]


@pytest.mark.parametrize("status", [429, 500])
def test_a_passing_trouble_is_tried_again(server: EmbeddingServer, status: int) -> None:
    server.prepared = [Answer(status)]
    assert embedder(server).embed_queries(["x"]).shape == (1, 1536)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ([Answer(401)], "refuses the key: correct HEIMDEX_OPENAI_API_KEY"),
        ([Answer(403)], "refuses the key: correct HEIMDEX_OPENAI_API_KEY"),
        ([Answer(404)], 'knows no model text-embedding-3-small: correct "model" in HEIMDEX_MODELS'),
        ([Answer(429)] * 3, "still says 429 after several tries .*prepared by the test"),
        ([Answer(500)] * 3, "still answers with status 500"),
        ([Answer(200, '{"data": [')], "no list of embeddings: .*HEIMDEX_OPENAI_BASE_URL"),
        ([Answer(200, '{"data": null}')], "no list of embeddings: .*HEIMDEX_OPENAI_BASE_URL"),
        ([Answer(200, '"hello"')], "no list of embeddings: .*HEIMDEX_OPENAI_BASE_URL"),
        ([Answer(200, '{"data": [{"index": 0, "embedding": "no base64!"}]}')], "no list of embeddings"),
        ([Answer(200, '{"data": [{"index": 0, "embedding": ["a"]}]}')], "no list of embeddings"),
    ],
)
def test_a_server_that_cannot_be_used_is_named_with_the_fix(server: EmbeddingServer, answers: list[Answer], sentence: str) -> None:
    server.prepared = list(answers)
    with pytest.raises(EmbedderUnavailable, match=sentence):
        embedder(server).embed_queries(["x"])


def test_texts_that_the_server_refuses_are_an_error_of_those_texts(server: EmbeddingServer) -> None:
    server.prepared = [Answer(400)]
    with pytest.raises(EmbedderError, match=r"refuses these texts .*prepared by the test"):
        embedder(server).embed_queries(["x"])


def test_wrong_dimensions_and_counts_are_refused(server: EmbeddingServer) -> None:
    server.dimensions = 1024
    with pytest.raises(EmbedderUnavailable, match="1024 dimensions, but 1536 are configured"):
        embedder(server).embed_queries(["x"])
    row = {"index": 0, "embedding": [1.0] * 1536}
    server.prepared = [Answer(200, json.dumps({"data": [row, row]}))]
    with pytest.raises(EmbedderUnavailable, match="answered 1 inputs"):
        embedder(server).embed_queries(["x"])
    server.prepared = [Answer(200, json.dumps({"data": [{"index": 0, "embedding": [float("nan")] * 1536}]}))]
    with pytest.raises(EmbedderError, match="not finite"):
        embedder(server).embed_queries(["x"])


def test_an_unreachable_server_is_named_with_the_fix() -> None:
    nobody = OpenAIEmbedder("m", 8, base_url="http://127.0.0.1:9/v1")
    assert "HEIMDEX_OPENAI_BASE_URL" in nobody.check()[0]
    with pytest.raises(EmbedderUnavailable, match=r"http://127.0.0.1:9/v1 cannot be reached: .*HEIMDEX_OPENAI_BASE_URL"):
        nobody.embed_queries(["x"])


def test_a_missing_key_is_named_before_anything_is_sent() -> None:
    keyless = OpenAIEmbedder("text-embedding-3-small", 1536)
    assert "HEIMDEX_OPENAI_API_KEY" in keyless.check()[0]
    with pytest.raises(EmbedderUnavailable, match="HEIMDEX_OPENAI_API_KEY"):
        keyless.embed_queries(["x"])


def test_check_asks_the_server(server: EmbeddingServer) -> None:
    assert embedder(server).check() == []
    server.prepared = [Answer(401)]
    assert "HEIMDEX_OPENAI_API_KEY" in embedder(server).check()[0]
    server.prepared = [Answer(404)]
    assert embedder(server).check() == []
    assert "no address" in OpenAIEmbedder("m", 8, base_url="localhost:8080").check()[0]
