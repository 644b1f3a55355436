"""Image embeddings with ConSE and open_clip."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heimdex.embedders.conse import PROMPT, QUERY_PROMPT, ConseEmbedder, center_classes, combine_class_vectors
from heimdex.embedders.open_clip import OpenClipEmbedder
from heimdex.embedders.sentence_transformer import SentenceTransformerEmbedder
from heimdex.embedders.torch_runtime import MIN_COSINE
from heimdex.errors import ModelInputError, ModelUnavailable
from heimdex.vision.classifier import ImageClassifier
from tests.heimdex.embedders.conftest import ARCHITECTURE, RandomClip


def test_open_clip_matches_direct_calls_of_the_library(clip: OpenClipEmbedder, random_clip: RandomClip, images: list[Image.Image]) -> None:
    import open_clip
    import torch

    texts = ["a cat", "an espresso in a cup"]
    with torch.no_grad():
        by_hand = [random_clip.model.encode_image(random_clip.preprocess(image)[None], normalize=True) for image in images]
        expected = torch.cat(by_hand).numpy()
        queries = random_clip.model.encode_text(open_clip.get_tokenizer(ARCHITECTURE)(texts), normalize=True).numpy()
    # By hand it is float32; where the processor has bfloat16, the embedder uses it within this bound.
    assert (clip.embed_images(images) * expected).sum(axis=1).min() >= MIN_COSINE
    assert (clip.embed_queries(texts) * queries).sum(axis=1).min() >= MIN_COSINE


def test_open_clip_in_float32_matches_the_library_to_the_last_digits(
    random_clip: RandomClip, images: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr("heimdex.embedders.torch_runtime.supports_bfloat16", lambda device: False)
    exact = OpenClipEmbedder(str(random_clip.checkpoint), ARCHITECTURE)
    with torch.no_grad():
        expected = torch.cat([random_clip.model.encode_image(random_clip.preprocess(image)[None], normalize=True) for image in images])
    assert (exact.embed_images(images) * expected.numpy()).sum(axis=1).min() >= 0.99999


def test_conse_follows_the_formula(conse: ConseEmbedder, images: list[Image.Image]) -> None:
    classifier, text = ImageClassifier(), SentenceTransformerEmbedder("all-MiniLM-L6-v2", 384)
    embedded = conse.embed_images(images)
    names = text.embed_documents([PROMPT.format(name) for name in classifier.class_names])
    centered = names - names.mean(axis=0)
    centered /= np.linalg.norm(centered, axis=1, keepdims=True)
    expected = np.sqrt(classifier.classify(images)) @ centered
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert (embedded * expected).sum(axis=1).min() >= 0.9999
    (query,) = text.embed_queries([QUERY_PROMPT.format("a cat")]) - names.mean(axis=0)
    assert conse.embed_queries(["a cat"])[0] @ query / np.linalg.norm(query) >= 0.9999


def test_conse_ignores_how_a_query_asks_for_an_image(conse: ConseEmbedder) -> None:
    plain, *asking, other = conse.embed_queries(["a cat", "a photo of a cat", "Pictures of a cat", "the image of a cat", "a photo cat"])
    assert all(vector @ plain >= 0.9999 for vector in asking)
    assert other @ plain < 0.99


def test_conse_finds_the_image_that_a_query_describes(conse: ConseEmbedder, images: list[Image.Image]) -> None:
    queries = ["a cat", "coffee", "rocket launch", "a camera on a tripod", "quarterly tax report"]
    scores = conse.embed_queries(queries) @ conse.embed_images(images[:4]).T
    assert scores[:4].argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert scores[:4].max(axis=1).min() > conse.similarity_floor > scores[4].max()


def test_all_classes_of_an_image_count_by_the_root_of_their_probability() -> None:
    combined = combine_class_vectors(np.array([[0.64, 0.32, 0.04]]), np.eye(3, dtype=np.float32))
    assert combined[0] == pytest.approx([0.8, 0.5657, 0.2], abs=1e-4)


def test_what_all_classes_share_is_taken_away() -> None:
    classes = center_classes(np.array([[3.0, 1.0], [3.0, -1.0]], dtype=np.float32))
    assert classes.vectors.tolist() == [[0.0, 1.0], [0.0, -1.0]]
    assert classes.mean.tolist() == [3.0, 0.0]


def test_an_undecodable_image_is_an_error_of_that_input(conse: ConseEmbedder, images: list[Image.Image]) -> None:
    file = io.BytesIO()
    images[0].save(file, "PNG")
    broken = Image.open(io.BytesIO(file.getvalue()[: file.tell() // 2]))
    with pytest.raises(ModelInputError, match="cannot be decoded"):
        conse.embed_images([broken])


def test_a_missing_checkpoint_is_reported_with_the_fix(tmp_path: Path) -> None:
    absent = OpenClipEmbedder(str(tmp_path / "absent.pt"))
    assert "HEIMDEX_OPEN_CLIP_WEIGHTS" in absent.check()[0]
    for use in (lambda: absent.identity, lambda: absent.embed_queries(["a cat"])):
        with pytest.raises(ModelUnavailable, match=r"There is no checkpoint file .*absent\.pt: correct HEIMDEX_OPEN_CLIP_WEIGHTS"):
            use()


def test_an_invalid_checkpoint_is_reported_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "notes.pt").write_text("not a checkpoint")
    with pytest.raises(ModelUnavailable, match=r"cannot load ViT-B-32 .*HEIMDEX_OPEN_CLIP_WEIGHTS"):
        OpenClipEmbedder(str(tmp_path / "notes.pt")).embed_queries(["a cat"])


def test_an_unknown_tag_is_reported_with_the_known_ones() -> None:
    (problem,) = OpenClipEmbedder("opnai").check()
    assert "opnai" in problem
    assert "laion2b_s34b_b79k" in problem
    assert "HEIMDEX_OPEN_CLIP_WEIGHTS" in problem
