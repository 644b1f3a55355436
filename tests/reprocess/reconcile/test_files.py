"""Only files without rows are deleted, and rows without files are reported. In a directory and in a bucket."""

import io
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from heimdex.storage import S3, get_media_storage
from tests.reprocess.reconcile.conftest import MINE, THEIRS, IssueCounts, count_issues, make_complete_video, reconcile, use_storage
from videos.models import Scene, Video
from videos.registry import list_stages
from videos.search.lexical.handler import get_lexical_backend

pytestmark = pytest.mark.django_db

Library = tuple[Video, Video]


def upload_after_deletion(video: Video) -> IssueCounts:
    """Leave an upload of a video that was deleted meanwhile."""
    get_media_storage().save(f"owners/{video.owner_id}/videos/{uuid4()}/upload", b"late")
    return {"orphan_files": 1}


def upload_again(video: Video) -> IssueCounts:
    """Leave a second upload of a completed video."""
    get_media_storage().save(video.upload_key, b"again")
    return {"orphan_files": 1}


def leave_images_of_deleted_scene(video: Video) -> IssueCounts:
    deleted = Scene(video=video, owner=video.owner)
    for key in (deleted.keyframe_key, deleted.thumbnail_key):
        get_media_storage().save(key, b"jpeg")
    return {"orphan_files": 2}


def delete_video_in_database_only(video: Video) -> IssueCounts:
    other = make_complete_video(video.owner)
    get_lexical_backend().delete(other.list_scene_ids())
    Video.objects.filter(pk=other.pk).delete()
    return {"orphan_files": 5}


DAMAGES = [upload_after_deletion, upload_again, leave_images_of_deleted_scene, delete_video_in_database_only]


def list_keys() -> set[str]:
    return set(get_media_storage().list_keys())


@pytest.fixture
def library(any_storage: None, make_library: Callable[[], Library], settings: Settings) -> Library:
    videos = make_library()
    # Every file is older than any upload in progress.
    settings.UPLOAD_TTL_SECONDS = -5
    return videos


def test_only_orphans_are_deleted_owner_by_owner(library: Library) -> None:
    mine, theirs = library
    whole = list_keys()
    expected = {"orphan_files": 9}
    for video in library:
        assert sum(damage(video)["orphan_files"] for damage in DAMAGES) == 9
    damaged = list_keys()

    assert reconcile()[0] == 3
    assert count_issues() == {"orphan_files": 18}
    assert count_issues("--owner", MINE) == count_issues("--owner", THEIRS) == expected
    assert list_keys() == damaged, "a check without --repair deleted files"

    assert count_issues("--owner", MINE, "--repair", what="repaired") == expected
    theirs_only = {key for key in damaged - whole if key.startswith(f"owners/{theirs.owner_id}/")}
    assert list_keys() == whole | theirs_only
    assert reconcile("--repair")[0] == 0
    assert list_keys() == whole
    assert reconcile()[1]["found"] == 0
    assert mine.owner_id != theirs.owner_id


def test_files_of_possible_uploads_and_of_videos_in_progress_are_kept(library: Library, settings: Settings) -> None:
    mine, theirs = library
    settings.UPLOAD_TTL_SECONDS = 3600
    for damage in DAMAGES:
        damage(mine)
    Video.objects.filter(pk=theirs.pk).update(state=Video.State.PROCESSING, woken_at=timezone.now())
    settings.UPLOAD_TTL_SECONDS = -5
    leave_images_of_deleted_scene(theirs)
    get_media_storage().delete(theirs.scenes.first().keyframe_key)  # type: ignore[union-attr]
    before = list_keys()
    settings.UPLOAD_TTL_SECONDS = 3600
    assert count_issues("--owner", MINE, "--repair") == {}
    settings.UPLOAD_TTL_SECONDS = -5
    assert count_issues("--owner", THEIRS) == {"jobless_videos": 1}, "the files of a video in progress are not orphans"
    assert list_keys() == before


def test_missing_images_are_rebuilt_and_a_missing_original_is_left_to_a_person(library: Library, settings: Settings) -> None:
    mine, theirs = library
    for video in library:
        get_media_storage().delete(video.scenes.get(index=0).keyframe_key)
        get_media_storage().delete(video.scenes.get(index=1).thumbnail_key)
    assert count_issues() == {"missing_pictures": 4}
    get_media_storage().delete(theirs.original_key)
    assert count_issues() == {"missing_originals": 1, "missing_pictures": 4}

    code, report = reconcile("--repair")

    assert code == 3
    assert {check["name"]: check["left"] for check in report["checks"] if check["left"]} == {"missing_originals": 1, "missing_pictures": 2}
    assert Video.objects.get(pk=mine.pk).state == "validating"
    assert mine.jobs.count() == len(list_stages())
    assert Video.objects.get(pk=theirs.pk).state == "indexed"
    assert count_issues("--owner", MINE) == {}


def test_without_any_video_nothing_is_deleted_because_the_database_may_be_the_wrong_one(library: Library) -> None:
    before = list_keys()
    for video in Video.objects.all():
        get_lexical_backend().delete(video.list_scene_ids())
    Video.objects.all().delete()
    code, report = reconcile("--repair")
    assert code == 3
    assert {check["name"]: (check["found"], check["repaired"]) for check in report["checks"] if check["found"]} == {"orphan_files": (10, 0)}
    assert list_keys() == before


def test_unknown_and_misplaced_files_are_reported_and_kept(library: Library) -> None:
    mine, theirs = library
    get_media_storage().save("owners/readme.txt", b"?")
    get_media_storage().save(f"owners/{theirs.owner_id}/videos/{mine.pk}/original", b"?")
    before = list_keys()
    code, report = reconcile("--repair")
    assert code == 3
    assert {check["name"]: check["left"] for check in report["checks"] if check["left"]} == {"misplaced_files": 1, "unknown_files": 1}
    assert list_keys() == before


def test_an_unreachable_storage_names_the_setting(db: None, settings: Settings, tmp_path: Path) -> None:
    options = {"bucket": "media", "endpoint_url": "http://127.0.0.1:9", "region": "us-east-1", "access_key": "key", "secret_key": "secret"}
    use_storage(settings, S3, scratch=tmp_path, **options)
    with pytest.raises(CommandError, match="HEIMDEX_S3_ENDPOINT_URL") as error:
        call_command("reconcile", stdout=io.StringIO())
    assert error.value.returncode == 1


def test_the_number_of_statements_does_not_depend_on_the_size_of_the_library(
    db: None, local_storage: None, make_library: Callable[[], Library], django_assert_max_num_queries: Callable[[int], object]
) -> None:
    mine, _ = make_library()
    with django_assert_max_num_queries(67) as first:  # type: ignore[attr-defined]
        reconcile()
    for _ in range(20):
        make_complete_video(mine.owner)
    with django_assert_max_num_queries(len(first)):  # type: ignore[attr-defined]
        reconcile()
