"""Files of people, photos and faces without rows, in a directory and in a bucket."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from heimdex.storage import get_media_storage
from people.models import Person, PersonPhoto, SceneFace
from reprocess.reconcile import photo_files
from tests.people.conftest import make_photo
from tests.reprocess.reconcile.conftest import MINE, count_issues, reconcile
from tests.reprocess.reconcile.test_files import list_keys
from videos.models import ActiveSpace, EmbeddingSpace, Video

pytestmark = pytest.mark.django_db

Library = tuple[Video, Video]


@pytest.fixture
def library(any_storage: None, make_library: Callable[[], Library], settings: Settings) -> Library:
    videos = make_library()
    # Every file is older than any upload in progress.
    settings.UPLOAD_TTL_SECONDS = -5
    return videos


@pytest.fixture
def ada(library: Library) -> Person:
    """Return a person with a photo in each state and all its files."""
    person = Person.objects.create(owner=library[0].owner, name="Ada")
    for state in PersonPhoto.State.values:
        make_photo(person, state)
    for state, name in (("uploading", "upload"), ("processing", "original"), ("failed", "original")):
        get_media_storage().save(f"{person.photos.get(state=state).storage_prefix}/{name}", b"bytes")
    assert count_issues() == {}
    return person


def test_only_files_of_deleted_people_and_photos_are_deleted(ada: Person, library: Library, settings: Settings) -> None:
    before = list_keys()
    ready, failed = ada.photos.get(state="ready"), ada.photos.get(state="failed")
    bob = Person.objects.create(owner=library[1].owner, name="Bob")
    gone = make_photo(bob)
    PersonPhoto.objects.filter(pk=gone.pk).delete()
    get_media_storage().save(f"owners/{ada.owner_id}/persons/{uuid4()}/photos/{uuid4()}/upload", b"late")
    # Uploaded again after completion, or left by a crash.
    for photo in (ready, failed):
        get_media_storage().save(photo.upload_key, b"again")
    get_media_storage().save(ready.original_key, b"where it was taken")
    damaged = list_keys()
    settings.UPLOAD_TTL_SECONDS = 3600
    assert count_issues() == {}, "a young file may belong to an upload"
    settings.UPLOAD_TTL_SECONDS = -5

    assert reconcile()[0] == 3
    assert (count_issues(), count_issues("--owner", MINE)) == ({"orphan_photos": 6}, {"orphan_photos": 4})
    assert list_keys() == damaged, "a check without --repair deleted files"
    assert count_issues("--repair", what="repaired") == {"orphan_photos": 6}

    assert list_keys() == before
    assert count_issues() == {}


def test_photos_are_checked_in_batches(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        gone = make_photo(ada)
        PersonPhoto.objects.filter(pk=gone.pk).delete()
    monkeypatch.setattr(photo_files, "_BATCH_FILES", 3)

    assert count_issues("--repair", what="repaired") == {"orphan_photos": 10}


def test_files_of_a_merged_person_are_not_misplaced(ada: Person) -> None:
    bob = Person.objects.create(owner=ada.owner, name="Bob")
    PersonPhoto.objects.update(person=bob, filed_under=ada.pk)
    ada.delete()
    assert count_issues() == {}

    PersonPhoto.objects.update(filed_under=None)
    before = list_keys()
    # Under the person of the row, there are no files.
    assert set(count_issues("--repair")) == {"misplaced_files", "missing_photos"}
    assert list_keys() == before


def test_without_any_person_nothing_is_deleted_because_the_database_may_be_the_wrong_one(ada: Person) -> None:
    before = list_keys()
    Person.objects.all().delete()

    code, report = reconcile("--repair")

    assert code == 3
    assert {check["name"]: (check["found"] > 0, check["repaired"]) for check in report["checks"] if check["found"]} == {
        "orphan_photos": (True, 0)
    }
    assert list_keys() == before


def test_thumbnails_of_deleted_faces_are_deleted(library: Library) -> None:
    scene = library[0].scenes.earliest("index")
    space = EmbeddingSpace.objects.create(channel="person", fingerprint="f", step="s", spec_version="v", embedder={}, dimensions=2)
    ActiveSpace.objects.create(owner=library[0].owner, channel="person", space=space)
    common: dict[str, Any] = {"owner": library[0].owner, "space": space, "scene": scene, "video": library[0], "vector": [0.6, 0.8]}
    place = {"left": 0.1, "top": 0.1, "right": 0.2, "bottom": 0.2, "time_s": 1, "first_s": 1, "last_s": 1, "quality": 1, "side_px": 9}
    kept, gone = (SceneFace.objects.create(**common, **place) for _ in range(2))
    for face in (kept, gone):
        get_media_storage().save(face.thumbnail_key, b"jpeg")
    whole = list_keys()
    assert "orphan_files" not in count_issues()
    key = gone.thumbnail_key
    gone.delete()
    Video.objects.update(updated_at=timezone.now() - timedelta(seconds=1))

    assert count_issues()["orphan_files"] == 1
    assert count_issues("--repair", what="repaired")["orphan_files"] == 1
    assert list_keys() == whole - {key}


def test_photos_with_another_owner_than_their_person_are_repaired(ada: Person, library: Library) -> None:
    photo = ada.photos.get(state="uploading")
    PersonPhoto.objects.filter(pk=photo.pk).update(owner=library[1].owner)

    assert count_issues()["foreign_rows"] == 1
    assert count_issues("--repair", what="repaired")["foreign_rows"] == 1
    photo.refresh_from_db()
    assert photo.owner == ada.owner
