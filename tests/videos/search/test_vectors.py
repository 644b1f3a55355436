"""Vector channels leave out what is less similar than the model's floor."""

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


def test_a_scene_as_similar_as_the_floor_is_found_and_a_less_similar_one_is_not() -> None:
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


@pytest.mark.parametrize("embedder", [ConseEmbedder, OpenClipEmbedder, OpenAIEmbedder, SentenceTransformerEmbedder])
def test_the_floor_of_a_model_is_a_fifth_unless_it_is_configured(embedder: type[Embedder]) -> None:
    assert inspect.signature(embedder).parameters["similarity_floor"].default == 0.2
