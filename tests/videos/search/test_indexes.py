"""A large space is searched through its own index, which finds the same scenes as a scan."""

from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.actions.cutovers import purge_spaces
from tests.library import make_user, make_video
from videos.models import ActiveSpace, EmbeddingSpace, RetiredSpace, Scene, SceneEmbedding
from videos.search import nearest as nearest_module
from videos.search.indexes import build_index, build_missing_indexes, drop_index, make_index
from videos.search.nearest import find_nearest, select_candidates, uses_index

pytestmark = pytest.mark.django_db(transaction=True)

DIMENSIONS = 16


@pytest.fixture
def space(settings: Settings) -> Iterator[EmbeddingSpace]:
    """Return a space of 240 random vectors, half of them another owner's."""
    settings.INDEX_MIN_ROWS = 100
    space = EmbeddingSpace.objects.create(
        channel="transcript", fingerprint="f" * 64, step="scene_text", spec_version="1", embedder={"model": "m"}, dimensions=DIMENSIONS
    )
    rng = np.random.default_rng(7)
    for email in ("owner@example.org", "other@example.org"):
        video = make_video(make_user(email), [""])
        spans = [(0.5 * number, 0.5 * number + 0.5) for number in range(1, 120)]
        Scene.objects.bulk_create(
            Scene(video=video, owner=video.owner, index=index, start_s=start, end_s=end)
            for index, (start, end) in enumerate(spans, start=1)
        )
        ActiveSpace.objects.create(owner=video.owner, channel="transcript", space=space)
        SceneEmbedding.objects.bulk_create(
            SceneEmbedding(scene=scene, space=space, owner=video.owner, state="embedded", vector=rng.normal(size=DIMENSIONS).tolist())
            for scene in video.scenes.all()
        )
    yield space
    drop_index(space)


@pytest.fixture
def owner(space: EmbeddingSpace) -> User:
    return User.objects.get(email="owner@example.org")


def has_index(space: EmbeddingSpace) -> bool:
    with connection.cursor() as cursor:
        return make_index(space).name in connection.introspection.get_constraints(cursor, SceneEmbedding._meta.db_table)


def test_the_index_and_the_scan_find_the_same_scenes_of_the_owner(space: EmbeddingSpace, owner: User) -> None:
    assert build_missing_indexes() == 1
    space.refresh_from_db()
    query = np.random.default_rng(8).normal(size=DIMENSIONS).astype(np.float32)

    def find_scenes(*, is_restricted: bool) -> list[object]:
        return [
            scene
            for scene, _, _ in find_nearest(
                Scene.objects.filter_searchable(owner.pk), owner.pk, space, query, 20, is_restricted=is_restricted
            )
        ]

    scanned = find_scenes(is_restricted=True)
    with mock.patch.object(nearest_module, "MAX_SCANNED", 50), mock.patch.object(nearest_module, "_scan", side_effect=AssertionError):
        assert uses_index(owner.pk, space)
        assert find_scenes(is_restricted=False) == scanned
    assert set(scanned) <= set(owner.videos.get().scenes.values_list("pk", flat=True))
    assert not uses_index(owner.pk, space)


def test_the_query_uses_the_expression_of_the_index(space: EmbeddingSpace, owner: User) -> None:
    build_index(space)
    query = np.ones(DIMENSIONS, dtype=np.float32)
    with connection.cursor() as cursor:
        # Scanning such a small table is faster than its index.
        for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            cursor.execute(f"SET {setting} = off")
        try:
            assert f"Index Scan using {make_index(space).name}" in select_candidates(owner.pk, space, query, 20).explain()
        finally:
            cursor.execute("RESET ALL")


def test_every_vector_is_read_when_the_index_gives_up(space: EmbeddingSpace, owner: User) -> None:
    build_index(space)
    space.refresh_from_db()
    query = np.ones(DIMENSIONS, dtype=np.float32)
    scenes = Scene.objects.filter_searchable(owner.pk)
    with mock.patch.object(nearest_module, "MAX_SCANNED", 50), mock.patch.object(nearest_module, "_search_index", return_value=[]):
        assert len(find_nearest(scenes, owner.pk, space, query, 20, is_restricted=False)) == 20


def test_one_index_is_built_for_each_large_active_space(space: EmbeddingSpace, settings: Settings) -> None:
    settings.INDEX_MIN_ROWS = 240
    assert build_missing_indexes() == 0
    settings.INDEX_MIN_ROWS = 239
    ActiveSpace.objects.all().delete()
    assert build_missing_indexes() == 0
    assert build_index(space)
    assert has_index(space)
    assert not build_index(space)
    drop_index(space)
    assert not has_index(space)
    # Another worker builds it.
    EmbeddingSpace.objects.update(index_began_at=timezone.now())
    assert not build_index(space)
    # A build may take six hours.
    EmbeddingSpace.objects.update(index_began_at=timezone.now() - timedelta(hours=5, minutes=59))
    assert not build_index(space)
    EmbeddingSpace.objects.update(index_began_at=timezone.now() - timedelta(hours=6, minutes=1))
    assert build_index(space)


def test_the_index_is_dropped_with_its_space(space: EmbeddingSpace) -> None:
    build_index(space)
    for active in ActiveSpace.objects.all():
        RetiredSpace.objects.create(owner=active.owner, space=space, retired_at=timezone.now() - timedelta(days=9))
    ActiveSpace.objects.all().delete()
    purged = purge_spaces(timedelta(days=7), dry_run=False)
    assert [entry.rows for entry in purged] == [120, 120]
    assert not has_index(space)
    assert not EmbeddingSpace.objects.exists()


def test_an_index_search_reads_twice_as_many_candidates_and_stops_after_200_000_vectors(space: EmbeddingSpace, owner: User) -> None:
    build_index(space)
    space.refresh_from_db()
    query = np.ones(DIMENSIONS, dtype=np.float32)
    with mock.patch.object(nearest_module, "MAX_SCANNED", 50), CaptureQueriesContext(connection) as captured:
        find_nearest(Scene.objects.filter_searchable(owner.pk), owner.pk, space, query, 20, is_restricted=False)
    statements = " ".join(query["sql"] for query in captured.captured_queries)
    assert "set_config('hnsw.ef_search', '400', true)" in statements
    assert "set_config('hnsw.iterative_scan', 'strict_order', true)" in statements
    assert "set_config('hnsw.max_scan_tuples', '200000', true)" in statements
    assert "LIMIT 40" in statements


def test_up_to_20_000_vectors_of_an_owner_are_scanned(space: EmbeddingSpace, owner: User) -> None:
    space.indexed_at = timezone.now()
    with CaptureQueriesContext(connection) as captured:
        uses_index(owner.pk, space)
    assert "LIMIT 20001" in captured.captured_queries[0]["sql"]
    with mock.patch.object(nearest_module, "MAX_SCANNED", 120):
        assert not uses_index(owner.pk, space)
    with mock.patch.object(nearest_module, "MAX_SCANNED", 119):
        assert uses_index(owner.pk, space)
