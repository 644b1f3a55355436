"""Vector channels leave out scenes below the model's similarity floor."""

import inspect
from unittest import mock
from uuid import UUID

import pytest

from heimdex.embedders.base import Embedder
from heimdex.embedders.conse import ConseEmbedder
from heimdex.embedders.open_clip import OpenClipEmbedder
from heimdex.embedders.openai import OpenAIEmbedder
from heimdex.embedders.sentence_transformer import SentenceTransformerEmbedder
from videos.models import EmbeddingSpace, Scene
from videos.search.vectors import search_spaces

FILM = UUID(int=9)


def test_scenes_below_the_similarity_floor_are_left_out() -> None:
    space = EmbeddingSpace(channel="transcript", embedder={})
    near = [(UUID(int=number), FILM, score) for number, score in enumerate((0.9, 0.2, 0.1999, -0.5))]
    model = mock.MagicMock(similarity_floor=0.2)
    with (
        mock.patch("videos.search.vectors.load_embedder", return_value=model),
        mock.patch("videos.search.vectors.find_nearest", return_value=near),
    ):
        pools = search_spaces(Scene.objects.none(), UUID(int=1), [space], "boat", 10)
    assert [scene.score for scene in pools.by_space[space.pk]] == [0.9, 0.2]
    assert pools.select([space]) == [pools.by_space[space.pk]]
    assert pools.select([EmbeddingSpace(channel="clip")]) == []


@pytest.mark.parametrize(
    ("embedder", "floor"),
    [(ConseEmbedder, 0.1), (OpenClipEmbedder, 0.2), (OpenAIEmbedder, 0.2), (SentenceTransformerEmbedder, 0.2)],
)
def test_each_embedder_has_its_similarity_floor(embedder: type[Embedder], floor: float) -> None:
    assert inspect.signature(embedder).parameters["similarity_floor"].default == floor
