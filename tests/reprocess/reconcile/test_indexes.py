"""Each large active space has a valid index, and there are no other indexes."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.models import Index
from pytest_django import Settings

from tests.library import make_user, make_video
from tests.reprocess.reconcile.conftest import count_issues, reconcile
from videos.models import ActiveSpace, EmbeddingSpace, SceneEmbedding
from videos.search.indexes import build_index, drop_index, list_indexes, make_index

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def space(settings: Settings, local_storage: None) -> Iterator[EmbeddingSpace]:
    """Return an active space of twelve vectors that counts as large."""
    settings.INDEX_MIN_ROWS = 10
    space = EmbeddingSpace.objects.create(
        channel="clip", fingerprint="f" * 64, step="scene_clip", spec_version="1", embedder={"model": "m"}, dimensions=3
    )
    video = make_video(make_user(), [""] * 12)
    ActiveSpace.objects.create(owner=video.owner, channel="clip", space=space)
    SceneEmbedding.objects.bulk_create(
        SceneEmbedding(
            scene=scene, space=space, owner=video.owner, state="embedded", vector=[1.0, scene.index, 2.0], input_hash=scene.keyframe_hash
        )
        for scene in video.scenes.all()
    )
    yield space
    drop_index(space)


def count_index_issues(*args: str, what: str = "found") -> dict[str, int]:
    """Count the issues of indexes. The library has other issues, because it has no files but keyframes."""
    return {name: number for name, number in count_issues(*args, what=what).items() if "index" in name}


def mark_invalid(name: str) -> None:
    """Mark the index as not valid, as an interrupted build does."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", [name])


def test_the_missing_index_of_a_large_space_is_built(space: EmbeddingSpace) -> None:
    assert count_index_issues() == {"missing_indexes": 1}
    assert count_index_issues("--repair", what="repaired") == {"missing_indexes": 1}
    assert list_indexes()[make_index(space).name].valid
    assert count_index_issues() == {}


@pytest.mark.parametrize("damage", ["gone", "not valid"])
def test_a_lost_or_invalid_index_is_rebuilt(space: EmbeddingSpace, damage: str) -> None:
    build_index(space)
    assert count_index_issues() == {}
    if damage == "gone":
        with connection.schema_editor(atomic=False) as editor:
            editor.remove_index(SceneEmbedding, make_index(space))
    else:
        mark_invalid(make_index(space).name)
    assert count_index_issues() == {"lost_indexes": 1}
    owner = ActiveSpace.objects.get().owner.email
    assert count_index_issues("--owner", owner, "--repair", what="repaired") == {"lost_indexes": 1}
    index = list_indexes()[make_index(space).name]
    assert index.valid
    assert index.size_bytes > 0
    assert count_index_issues() == {}


def test_stray_indexes_are_dropped(space: EmbeddingSpace) -> None:
    build_index(space)
    stray = Index(fields=["input_hash"], name="hnsw_000000000000000000000000")
    with connection.schema_editor(atomic=False) as editor:
        editor.add_index(SceneEmbedding, stray)
    assert count_index_issues() == {"stray_indexes": 1}
    assert count_index_issues("--repair", what="repaired") == {"stray_indexes": 1}
    assert set(list_indexes()) == {make_index(space).name}
    assert reconcile()[0] == 3, "the missing original cannot be repaired"
