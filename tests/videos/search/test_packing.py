"""The vectors of large libraries are packed in blocks, and searches through codes find what comparing every vector finds."""

from collections.abc import Iterator
from unittest import mock
from uuid import UUID

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.models import EmbeddingSpace, PackedBlock, PackedSpace, Scene, SceneEmbedding, Video
from videos.search import nearest, packing, vector_codes
from videos.search.nearest import NearestVectors, NearScene
from videos.search.packed_vectors import find_packed
from videos.search.packing import find_unpacked_spaces, pack_large_spaces, pack_space

pytestmark = pytest.mark.django_db

DIMENSIONS = 64
BLOCK = 40


@pytest.fixture(autouse=True)
def small_blocks(settings: Settings) -> Iterator[None]:
    settings.PACK_MIN_VECTORS = 100
    with mock.patch.object(packing, "BLOCK_SIZE", BLOCK):
        yield


@pytest.fixture
def space() -> EmbeddingSpace:
    return EmbeddingSpace.objects.create(
        channel="transcript", fingerprint="f" * 64, step="scene_text", spec_version="1", embedder={"model": "m"}, dimensions=DIMENSIONS
    )


@pytest.fixture
def owner(space: EmbeddingSpace) -> User:
    """Return an owner of 130 random vectors; another owner has as many."""
    owner = make_user("owner@example.org")
    for seed, user in enumerate((owner, make_user("other@example.org"))):
        add_vectors(space, user, 130, seed)
    return owner


def add_vectors(space: EmbeddingSpace, owner: User, count: int, seed: int = 9) -> Video:
    video = make_video(owner, [])
    scenes = Scene.objects.bulk_create(
        Scene(video=video, owner=owner, index=index, start_s=index, end_s=index + 1) for index in range(1, count + 1)
    )
    embed(space, scenes, seed)
    return video


def embed(space: EmbeddingSpace, scenes: list[Scene], seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(len(scenes), DIMENSIONS))
    SceneEmbedding.objects.bulk_create(
        SceneEmbedding(scene=scene, space=space, owner_id=scene.owner_id, state="embedded", vector=vector.tolist())
        for scene, vector in zip(scenes, vectors, strict=True)
    )


def find(space: EmbeddingSpace, owner: User, limit: int = 20, *, only: Video | None = None) -> list[NearScene]:
    query = np.random.default_rng(8).normal(size=DIMENSIONS).astype(np.float32)
    scenes = Scene.objects.filter_searchable(owner.pk)
    if only:
        scenes = scenes.filter(video=only)
    packed = find_packed(owner.pk, [space]).get(space.pk)
    return NearestVectors(owner.pk, scenes, space, query, only is not None, packed).find(limit)


def list_ids(near: list[NearScene]) -> list[UUID]:
    return [scene_id for scene_id, _, _ in near]


def test_codes_find_the_same_scenes_of_the_owner_as_a_scan(space: EmbeddingSpace, owner: User) -> None:
    scanned = find(space, owner)
    assert pack_large_spaces() == 6
    packed = PackedSpace.objects.get(owner=owner)
    assert (packed.count, packed.is_active, packed.blocks.count()) == (120, True, 3)
    assert list_ids(find(space, owner)) == list_ids(scanned)
    assert {video_id for _, video_id, _ in scanned} == {owner.videos.get().pk}


def test_vectors_without_codes_are_found_too(space: EmbeddingSpace, owner: User) -> None:
    pack_large_spaces()
    video = add_vectors(space, owner, 30)
    with mock.patch.object(nearest, "rank_codes", return_value=np.arange(0)):
        assert {video_id for _, video_id, _ in find(space, owner, 100)} >= {video.pk}
    packed = PackedSpace.objects.get(owner=owner)
    assert SceneEmbedding.objects.filter(owner=owner, pk__gt=packed.packed_to).count() == 40


def test_what_is_written_later_is_appended_in_whole_blocks(space: EmbeddingSpace, owner: User) -> None:
    pack_large_spaces()
    assert find_unpacked_spaces() == []
    add_vectors(space, owner, 29)
    assert pack_large_spaces() == 0
    add_vectors(space, owner, 2)
    assert find_unpacked_spaces() == [space]
    assert pack_large_spaces() == 1
    assert sorted(PackedBlock.objects.filter(packed__owner=owner).values_list("number", flat=True)) == [0, 1, 2, 3]


def test_replaced_and_deleted_vectors_are_not_found_by_their_old_codes(space: EmbeddingSpace, owner: User) -> None:
    pack_large_spaces()
    best, second = list_ids(find(space, owner))[:2]
    SceneEmbedding.objects.filter(scene=best).delete()
    SceneEmbedding.objects.filter(scene=second).delete()
    embed(space, [Scene.objects.get(pk=second)], seed=3)
    ids = list_ids(find(space, owner, 1000))
    assert best not in ids
    assert ids.count(second) == 1


def test_conditions_that_none_of_the_best_codes_meets_are_looked_for_among_more(space: EmbeddingSpace, owner: User) -> None:
    query = np.random.default_rng(8).normal(size=DIMENSIONS).astype(np.float32)
    video = make_video(owner, ["", "", ""])
    opposite = [
        SceneEmbedding(scene=scene, space=space, owner=owner, state="embedded", vector=(-query).tolist()) for scene in video.scenes.all()
    ]
    SceneEmbedding.objects.bulk_create(opposite)
    add_vectors(space, owner, 40)
    pack_large_spaces()
    scenes = Scene.objects.filter_searchable(owner.pk).filter(video=video)
    packed = find_packed(owner.pk, [space])[space.pk]
    with mock.patch.multiple(nearest, MAX_SELECTED=0, RESCORED=1, RESCORED_PER_RESULT=1, WIDENING=2):
        vectors = NearestVectors(owner.pk, scenes, space, query, True, packed)
        ranked = vectors.rank(6)
        assert ranked == ([], False)
        assert set(list_ids(vectors.find(3, ranked))) == set(video.scenes.values_list("pk", flat=True))


def test_a_search_that_meets_a_packing_finds_every_vector_once(space: EmbeddingSpace, owner: User) -> None:
    pack_large_spaces()
    packed = find_packed(owner.pk, [space])[space.pk]
    add_vectors(space, owner, 40)
    expected = find(space, owner, 1000)
    pack_large_spaces()
    query = np.random.default_rng(8).normal(size=DIMENSIONS).astype(np.float32)
    scenes = Scene.objects.filter_searchable(owner.pk)
    assert NearestVectors(owner.pk, scenes, space, query, packed=packed).find(1000) == expected
    PackedSpace.objects.all().delete()
    assert NearestVectors(owner.pk, scenes, space, query, packed=packed).find(1000) == expected


def test_a_second_packing_at_the_same_time_leaves_the_first_one_active(space: EmbeddingSpace, owner: User) -> None:
    def pack_beside(packed: PackedSpace) -> None:
        if packed.count == 3 * BLOCK:
            assert pack_space(owner.pk, space) == 0

    assert pack_space(owner.pk, space, pack_beside) == 3
    assert PackedSpace.objects.get(owner=owner).is_active


def test_libraries_with_few_embedded_vectors_are_not_packed(space: EmbeddingSpace, owner: User) -> None:
    rows = SceneEmbedding.objects.filter(owner=owner)
    rows.filter(pk__in=list(rows.values_list("pk", flat=True)[:100])).update(state="empty", vector=None)
    assert pack_space(owner.pk, space) == 0
    assert not PackedSpace.objects.filter(owner=owner).exists()
    assert len(find(space, owner, 1000)) == 30


def test_less_than_a_block_is_not_packed(space: EmbeddingSpace, owner: User, settings: Settings) -> None:
    settings.PACK_MIN_VECTORS = 1
    with mock.patch.object(packing, "BLOCK_SIZE", 131):
        assert pack_large_spaces() == 0
    assert not PackedSpace.objects.exists()


def test_vectors_of_one_owner_that_cannot_be_packed_keep_no_other_waiting(space: EmbeddingSpace, owner: User) -> None:
    encode = vector_codes.encode_vectors
    with mock.patch.object(packing, "encode_vectors", side_effect=[ValueError("broken"), *[mock.DEFAULT] * 3], wraps=encode):
        assert pack_large_spaces() == 3
    assert find_unpacked_spaces() == [space]
    assert pack_large_spaces() == 3
    assert find_unpacked_spaces() == []


def test_a_packing_of_a_process_that_stops_ends_after_a_block_and_continues(space: EmbeddingSpace, owner: User) -> None:
    with mock.patch.object(packing, "is_stopping", return_value=True):
        assert pack_space(owner.pk, space) == 1
    assert not PackedSpace.objects.get(owner=owner).is_active
    assert pack_space(owner.pk, space) == 2
    assert PackedSpace.objects.get(owner=owner).is_active


def test_many_dead_codes_are_replaced_while_searches_use_the_old_ones(space: EmbeddingSpace, owner: User) -> None:
    pack_large_spaces()
    before = PackedSpace.objects.get(owner=owner)
    gone = list(SceneEmbedding.objects.filter(owner=owner).order_by("pk").values_list("pk", flat=True)[:31])
    SceneEmbedding.objects.filter(pk__in=gone).delete()
    add_vectors(space, owner, 20)

    def check(packed: PackedSpace) -> None:
        assert not packed.is_active
        assert PackedSpace.objects.get(owner=owner, is_active=True) == before

    pack_space(owner.pk, space, check)
    assert PackedSpace.objects.get(owner=owner) != before
    assert PackedSpace.objects.get(owner=owner).count == 80
    assert packing.MAX_DEAD_SHARE == 0.25


def test_an_interrupted_packing_goes_on_where_it_stopped(space: EmbeddingSpace, owner: User) -> None:
    class Killed(Exception):
        pass

    with pytest.raises(Killed):
        pack_space(owner.pk, space, mock.Mock(side_effect=Killed))
    assert not PackedSpace.objects.get().is_active
    assert len(find(space, owner)) == 20
    assert pack_space(owner.pk, space) == 2
    assert PackedSpace.objects.get().is_active
    assert PackedSpace.objects.get().count == 120


def test_small_libraries_are_not_packed(space: EmbeddingSpace, owner: User, settings: Settings) -> None:
    settings.PACK_MIN_VECTORS = 130
    assert pack_large_spaces() == 0
    assert not PackedSpace.objects.exists()


def test_conditions_hold_and_fill_the_channel(space: EmbeddingSpace, owner: User) -> None:
    video = add_vectors(space, owner, 60)
    pack_large_spaces()
    with mock.patch.object(nearest, "MAX_SELECTED", 10), mock.patch.object(nearest, "RESCORED", 25):
        near = find(space, owner, only=video)
    assert list_ids(near) == list_ids(find(space, owner, only=video))
    assert len(near) == 20


def test_the_vectors_of_few_selected_scenes_are_compared_one_by_one(space: EmbeddingSpace, owner: User) -> None:
    pack_large_spaces()
    with CaptureQueriesContext(connection) as captured:
        find(space, owner, only=owner.videos.get())
    assert not any("packedblock" in query["sql"] for query in captured)
    assert (nearest.MAX_SELECTED, nearest.RESCORED, nearest.WIDENING) == (10_000, 2000, 8)
