"""One embedder of each type, with suitable inputs."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import skimage
from PIL import Image

from heimdex.embedders.base import Embedder, ImageEmbedder, TextEmbedder
from heimdex.embedders.conse import ConseEmbedder
from heimdex.embedders.open_clip import OpenClipEmbedder
from heimdex.embedders.openai import OpenAIEmbedder
from heimdex.embedders.sentence_transformer import SentenceTransformerEmbedder
from heimdex.embedders.torch_runtime import import_torchvision
from heimdex.embedders.universal_sentence_encoder import UniversalSentenceEncoderEmbedder
from heimdex.embedders.vectors import Vectors
from tests.heimdex.embedders.openai_server import EmbeddingServer, serve_embeddings

TEXTS = [
    "a cat",
    "Der Zug fährt heute später.",
    "今日は良い天気ですね",
    "so what we see here is a rocket " * 20,
    "sleep and health",
    "🚀🐈",
    "x",
]


# The code of ViT-B-32 at a fraction of its size: the tests compare us with the library, whatever the weights are.
ARCHITECTURE = "ViT-test"
SMALL_CLIP = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 224, "layers": 2, "width": 128, "patch_size": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 2},
}


@dataclass(frozen=True)
class Case:
    """A type of embedder: how to build one, its documents, and the fixture of an instance that other tests share."""

    build: Callable[..., Embedder]
    documents: Sequence[Any]
    shared: str = ""

    def embed(self, embedder: Embedder, documents: Sequence[Any]) -> Vectors:
        if isinstance(embedder, ImageEmbedder):
            return embedder.embed_images(documents)
        assert isinstance(embedder, TextEmbedder)
        return embedder.embed_documents(documents)


def load_image(name: str) -> Image.Image:
    image = Image.open(Path(skimage.__file__).parent / "data" / name)
    image.load()
    return image


@pytest.fixture(scope="session")
def images() -> list[Image.Image]:
    """A cat, an espresso, a rocket, a gray photographer, and odd modes and shapes."""
    cat = load_image("chelsea.png")
    return [
        cat,
        load_image("coffee.png"),
        load_image("rocket.jpg"),
        load_image("camera.png"),
        cat.convert("RGBA").resize((640, 20)),
        Image.new("L", (1, 1)),
    ]


@dataclass(frozen=True)
class RandomClip:
    """A small model with random weights that needs no download: in memory, and as a checkpoint file."""

    model: Any
    preprocess: Any
    checkpoint: Path


@pytest.fixture(scope="session")
def random_clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RandomClip]:
    import_torchvision()
    import open_clip
    import torch

    folder = tmp_path_factory.mktemp("clip")
    (folder / f"{ARCHITECTURE}.json").write_text(json.dumps(SMALL_CLIP))
    open_clip.add_model_config(folder)
    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms(ARCHITECTURE)
    path = folder / "random.pt"
    # Half precision halves the file; the loaded model computes in float32.
    torch.save(model.half().state_dict(), path)
    yield RandomClip(model.float().eval(), preprocess, path)
    path.unlink()


@pytest.fixture(scope="session")
def clip(random_clip: RandomClip) -> OpenClipEmbedder:
    return OpenClipEmbedder(str(random_clip.checkpoint), ARCHITECTURE, batch_size=3)


@pytest.fixture(scope="session")
def conse() -> ConseEmbedder:
    return ConseEmbedder(batch_size=3)


@pytest.fixture(scope="session")
def shared_server() -> Iterator[EmbeddingServer]:
    with serve_embeddings() as server:
        yield server


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with serve_embeddings() as server:
        yield server


@pytest.fixture(scope="session", params=["minilm", "universal_sentence_encoder", "conse", "open_clip", "openai"])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "minilm":
        return Case(lambda **options: SentenceTransformerEmbedder("all-MiniLM-L6-v2", 384, **options), TEXTS)
    if request.param == "universal_sentence_encoder":
        return Case(lambda **options: UniversalSentenceEncoderEmbedder(**options), TEXTS)
    if request.param == "openai":
        server: EmbeddingServer = request.getfixturevalue("shared_server")
        return Case(lambda **options: OpenAIEmbedder("text-embedding-3-small", 1536, base_url=server.url, **options), TEXTS)
    images: list[Image.Image] = request.getfixturevalue("images")
    if request.param == "conse":
        return Case(lambda **options: ConseEmbedder(**options), images, "conse")
    random_clip: RandomClip = request.getfixturevalue("random_clip")
    return Case(lambda **options: OpenClipEmbedder(str(random_clip.checkpoint), ARCHITECTURE, **options), images, "clip")


@pytest.fixture(scope="session")
def embedder(case: Case, request: pytest.FixtureRequest) -> Embedder:
    shared: Embedder = request.getfixturevalue(case.shared) if case.shared else case.build(batch_size=3)
    return shared
