"""The contract of every embedder, whatever its model."""

import threading

import numpy as np
import pytest

from heimdex.embedders import sentence_transformer
from heimdex.embedders.base import Embedder
from heimdex.embedders.torch_runtime import MIN_COSINE
from heimdex.embedders.vectors import Vectors
from tests.heimdex.embedders.conftest import Case

ODD_TEXTS = ["", " ", "😀👩‍👩‍👧‍👦", "שלום עולם", "word " * 1200, "字" * 800, "\x00\n\t", "half a pair \ud83d", "<|endoftext|> [SEP]"]


def compute_cosines(left: Vectors, right: Vectors) -> Vectors:
    products: Vectors = np.sum(left * right, axis=1)
    return products


@pytest.fixture(scope="session")
def reference(case: Case, embedder: Embedder) -> Vectors:
    return case.embed(embedder, case.documents)


def test_documents_become_unit_vectors_in_float32(case: Case, embedder: Embedder, reference: Vectors) -> None:
    assert reference.shape == (len(case.documents), embedder.identity.dimensions)
    assert reference.dtype == np.float32
    assert np.linalg.norm(reference, axis=1) == pytest.approx(1, abs=1e-5)


def test_queries_share_the_documents_space(case: Case, embedder: Embedder) -> None:
    vectors = embedder.embed_queries(["a cat", "a rocket"])
    assert vectors.shape == (2, embedder.identity.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert compute_cosines(vectors[:1], vectors[1:])[0] < 0.999


def test_same_input_gives_the_same_vector(case: Case, embedder: Embedder, reference: Vectors) -> None:
    np.testing.assert_array_equal(case.embed(embedder, case.documents), reference)


def test_neither_position_nor_batch_changes_a_vector(case: Case, embedder: Embedder, reference: Vectors) -> None:
    alone = np.concatenate([case.embed(embedder, [document]) for document in case.documents])
    assert compute_cosines(reference, alone).min() >= MIN_COSINE


def test_no_inputs_give_no_rows_and_no_call(case: Case, embedder: Embedder) -> None:
    before = embedder.calls
    assert case.embed(embedder, []).shape == (0, embedder.identity.dimensions)
    assert embedder.embed_queries([]).shape == (0, embedder.identity.dimensions)
    assert embedder.calls == before


def test_any_text_can_be_a_query(case: Case, embedder: Embedder) -> None:
    vectors = embedder.embed_queries(ODD_TEXTS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_calls_are_counted_by_batch(case: Case, embedder: Embedder) -> None:
    before = embedder.calls
    case.embed(embedder, list(case.documents[:2]) * 2)
    assert embedder.calls - before == 2
    embedder.embed_queries(["one"])
    assert embedder.calls - before == 3


def test_check_finds_no_problems(embedder: Embedder) -> None:
    assert embedder.check() == []


def test_the_floor_is_a_cosine(embedder: Embedder) -> None:
    assert 0 < embedder.similarity_floor < 1


def test_two_threads_can_load_the_model_concurrently(
    case: Case, embedder: Embedder, reference: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_transformer, "_models", {})
    fresh = case.build()
    barrier = threading.Barrier(2)
    results: list[Vectors] = []

    def use() -> None:
        barrier.wait()
        results.append(np.concatenate([case.embed(fresh, case.documents[:2]), fresh.embed_queries(["a cat"])]))

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = np.concatenate([reference[:2], embedder.embed_queries(["a cat"])])
    assert len(results) == 2
    assert all(compute_cosines(result, expected).min() >= MIN_COSINE for result in results)
    assert fresh.calls == 4
