"""Vector channels leave out scenes below the model's similarity floor."""

import inspect
import math
from functools import partial
from unittest import mock
from uuid import UUID

import numpy as np
import pytest

from heimdex.embedders.base import Embedder
from heimdex.embedders.conse import ConseEmbedder
from heimdex.embedders.open_clip import OpenClipEmbedder
from heimdex.embedders.openai import OpenAIEmbedder
from heimdex.embedders.sentence_transformer import SentenceTransformerEmbedder
from tests.library import make_user, make_video
from videos.models import EmbeddingSpace, Scene, SceneEmbedding
from videos.search.vectors import VectorSearch, search_spaces


@pytest.mark.django_db
def test_scenes_below_the_similarity_floor_are_no_matches_and_no_candidates_by_themselves() -> None:
    video = make_video(make_user(), ["", "", "", ""])
    space = EmbeddingSpace.objects.create(channel="clip", fingerprint="f", step="s", spec_version="test", embedder={}, dimensions=2)
    cosines = (0.9, 0.21, 0.19, -0.5)
    for scene, cosine in zip(video.scenes.order_by("index"), cosines, strict=True):
        vector = [cosine, math.sqrt(1 - cosine**2)]
        SceneEmbedding.objects.create(scene=scene, space=space, owner=video.owner, state="embedded", vector=vector)
    ids = list(video.scenes.order_by("index").values_list("pk", flat=True))
    model = mock.MagicMock(similarity_floor=0.2)
    model.rate_similarity = partial(Embedder.rate_similarity, model)
    model.embed_queries.return_value = np.array([[1.0, 0.0]], np.float32)

    def find(also: set[UUID]) -> list[tuple[UUID, bool]]:
        with mock.patch("videos.search.vectors.load_embedder", return_value=model):
            pools = search_spaces(VectorSearch(video.owner_id, Scene.objects.all(), [space], "boat", 10), lambda _: also)
        assert pools.select([space]) == [pools.by_space[space.pk]]
        assert pools.select([EmbeddingSpace(channel="clip")]) == []
        return [(scene.scene_id, scene.is_match) for scene in pools.by_space[space.pk]]

    assert find(set()) == [(ids[0], True), (ids[1], True)]
    # Another channel found the last two.
    assert find({ids[2], ids[3]}) == [(ids[0], True), (ids[1], True), (ids[2], False), (ids[3], False)]


@pytest.mark.parametrize(
    ("embedder", "floor"),
    [(ConseEmbedder, 0.1), (OpenClipEmbedder, 0.2), (OpenAIEmbedder, 0.2), (SentenceTransformerEmbedder, 0.2)],
)
def test_each_embedder_has_its_similarity_floor(embedder: type[Embedder], floor: float) -> None:
    assert inspect.signature(embedder).parameters["similarity_floor"].default == floor
