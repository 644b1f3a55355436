"""Processes without torch name what to install; bfloat16 is used only where it is faster and gives the same vectors."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from heimdex.embedders.base import Embedder
from heimdex.embedders.conse import ConseEmbedder
from heimdex.embedders.open_clip import OpenClipEmbedder
from heimdex.embedders.sentence_transformer import SentenceTransformerEmbedder
from heimdex.embedders.torch_runtime import compute_lowest_cosine, load_fastest
from heimdex.errors import ModelUnavailable

CPU = torch.device("cpu")
PROBE = torch.tensor(np.random.default_rng(1).normal(size=(4, 64)), dtype=torch.float32)


@pytest.fixture(params=["minilm", "conse", "open_clip"])
def embedder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Embedder:
    monkeypatch.setitem(sys.modules, "torch", None)
    if request.param == "minilm":
        return SentenceTransformerEmbedder("all-MiniLM-L6-v2", 384)
    if request.param == "conse":
        return ConseEmbedder()
    (tmp_path / "weights.pt").touch()
    return OpenClipEmbedder(str(tmp_path / "weights.pt"))


def test_check_reports_missing_packages(embedder: Embedder) -> None:
    problems = " ".join(embedder.check())
    assert "torch" in problems
    assert "requirements/torch.txt" in problems


def test_embedding_reports_missing_packages_and_the_identity_still_works(embedder: Embedder) -> None:
    with pytest.raises(ModelUnavailable, match=r"torch.* not installed: install requirements/torch\.txt"):
        embedder.embed_queries(["a cat"])
    assert embedder.identity.dimensions in {384, 512}


def load() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Linear(64, 32)


def is_half(model: torch.nn.Module) -> bool:
    return next(model.parameters()).dtype == torch.bfloat16


def embed(model: torch.nn.Module, *, wait_s: Callable[[bool], float]) -> NDArray[np.float32]:
    time.sleep(wait_s(is_half(model)))
    with torch.inference_mode():
        vectors: NDArray[np.float32] = model(PROBE.to(next(model.parameters()).dtype)).float().numpy()
    return vectors


def make_half_faster(model: torch.nn.Module) -> NDArray[np.float32]:
    return embed(model, wait_s=lambda half: 0.0 if half else 0.02)


def make_half_slower(model: torch.nn.Module) -> NDArray[np.float32]:
    return embed(model, wait_s=lambda half: 0.02 if half else 0.0)


def make_half_wrong(model: torch.nn.Module) -> NDArray[np.float32]:
    vectors = make_half_faster(model)
    return vectors + 0.1 * np.abs(vectors).max() if is_half(model) else vectors


def make_half_overflow(model: torch.nn.Module) -> NDArray[np.float32]:
    return make_half_faster(model) * np.float32("nan" if is_half(model) else 1)


@pytest.fixture
def _instructions() -> object:
    with mock.patch("heimdex.embedders.torch_runtime.supports_bfloat16", return_value=True) as patched:
        yield patched


@pytest.mark.usefixtures("_instructions")
def test_bfloat16_is_chosen_when_it_is_faster_and_equal() -> None:
    assert is_half(load_fastest(load, make_half_faster, CPU))


@pytest.mark.usefixtures("_instructions")
@pytest.mark.parametrize("probe", [make_half_slower, make_half_wrong, make_half_overflow])
def test_otherwise_float32_keeps_its_own_weights(probe: Callable[[torch.nn.Module], NDArray[np.float32]]) -> None:
    kept = load_fastest(load, probe, CPU)
    for ours, original in zip(kept.parameters(), load().parameters(), strict=True):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, original, rtol=0, atol=0)


def test_a_processor_without_bfloat16_instructions_is_not_measured() -> None:
    with mock.patch.object(torch.cpu, "get_capabilities", return_value={"avx512_bf16": False}):
        assert not is_half(load_fastest(load, make_half_faster, CPU))


def test_the_lowest_cosine_belongs_to_the_worst_row() -> None:
    rows = np.array([[1, 0], [0, 2]], dtype=np.float32)
    assert compute_lowest_cosine(rows, rows) == pytest.approx(1)
    assert compute_lowest_cosine(rows, np.array([[1, 0], [1, 1]], dtype=np.float32)) == pytest.approx(2**-0.5)
    assert compute_lowest_cosine(rows, rows * 0) == 0
