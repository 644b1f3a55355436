"""Embedders in a process that has no torch, as the web image is built."""

import sys
from pathlib import Path

import pytest

from heimdex.embedders.base import Embedder
from heimdex.embedders.conse import ConseEmbedder
from heimdex.embedders.open_clip import OpenClipEmbedder
from heimdex.embedders.sentence_transformer import SentenceTransformerEmbedder
from heimdex.errors import ModelUnavailable


@pytest.fixture(params=["minilm", "conse", "open_clip"])
def embedder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Embedder:
    monkeypatch.setitem(sys.modules, "torch", None)
    if request.param == "minilm":
        return SentenceTransformerEmbedder("all-MiniLM-L6-v2", 384)
    if request.param == "conse":
        return ConseEmbedder()
    (tmp_path / "weights.pt").touch()
    return OpenClipEmbedder(str(tmp_path / "weights.pt"))


def test_check_names_what_to_install(embedder: Embedder) -> None:
    problems = " ".join(embedder.check())
    assert "torch" in problems
    assert "requirements/torch.txt" in problems


def test_use_names_what_to_install_and_identity_still_works(embedder: Embedder) -> None:
    with pytest.raises(ModelUnavailable, match=r"torch.* not installed: install requirements/torch\.txt"):
        embedder.embed_queries(["a cat"])
    assert embedder.identity.dimensions in {384, 512}
