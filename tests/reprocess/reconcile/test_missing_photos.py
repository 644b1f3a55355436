"""READY photos with missing files are reported, in a directory and in a bucket."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from heimdex.storage import get_media_storage
from people.models import Person, PersonPhoto
from reprocess.reconcile.checks import photos as check
from tests.library import make_user
from tests.people.conftest import make_photo
from tests.reprocess.reconcile.conftest import MINE, THEIRS, count_issues, reconcile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("any_storage")]


@pytest.fixture
def people() -> list[Person]:
    """Return three people of two owners, each with a photo in each state. The second also has a photo of a merged person."""
    mine, theirs = make_user(MINE), make_user(THEIRS)
    made = [Person.objects.create(owner=owner, name=name) for owner, name in ((mine, "Ada"), (mine, "Bob"), (theirs, "Eve"))]
    for person in made:
        for state in PersonPhoto.State.values:
            make_photo(person, state)
    merged = Person.objects.create(owner=mine, name="Augusta")
    photo = make_photo(merged)
    PersonPhoto.objects.filter(pk=photo.pk).update(person=made[1], filed_under=merged.pk)
    merged.delete()
    assert count_issues() == {}
    return made


def test_a_missing_image_is_reported_whether_or_not_the_thumbnail_exists_and_is_left_to_a_person(people: list[Person]) -> None:
    ada, bob, eve = people
    without_image = ada.photos.get(state="ready")
    get_media_storage().delete(without_image.image_key)
    merged = bob.photos.get(filed_under__isnull=False)
    for photo in (merged, eve.photos.get(state="ready")):
        get_media_storage().delete_prefix(photo.storage_prefix)

    assert (count_issues(), count_issues("--owner", MINE), count_issues("--owner", THEIRS)) == (
        {"missing_photos": 3},
        {"missing_photos": 2},
        {"missing_photos": 1},
    )
    code, report = reconcile("--repair")
    assert code == 3
    [issue] = [issue for issue in report["checks"] if issue["found"]]
    assert (issue["name"], issue["left"]) == ("missing_photos", 3)
    assert f"“Ada”: {without_image.image_key}" in issue["examples"]
    assert f"“Bob”: {merged.image_key}" in issue["examples"]

    get_media_storage().delete_prefix("owners")
    assert count_issues() == {"missing_photos": 4}, "with an empty listing all images are missing"


def test_a_missing_thumbnail_is_rebuilt_unless_the_image_cannot_be_read(people: list[Person]) -> None:
    mine = PersonPhoto.objects.filter(state="ready", owner=people[0].owner)
    for photo in mine:
        get_media_storage().delete(photo.thumbnail_key)
    unreadable = people[0].photos.get(state="ready")
    get_media_storage().save(unreadable.image_key, b"not an image")

    assert count_issues() == {"missing_photo_thumbnails": 3}
    assert count_issues("--repair", what="repaired") == {"missing_photo_thumbnails": 2}
    assert count_issues() == {"missing_photo_thumbnails": 1}
    for photo in mine.exclude(pk=unreadable.pk):
        with get_media_storage().open(photo.thumbnail_key) as file:
            assert max(Image.open(io.BytesIO(file.read())).size) == 320


def test_photos_that_are_deleted_during_the_check_are_not_missing(people: list[Person], monkeypatch: pytest.MonkeyPatch) -> None:
    deleted = people[0].photos.get(state="ready")

    def remove(photos: object, owner_id: object) -> object:
        # After the rows were read, and before the listing.
        PersonPhoto.objects.filter(pk=deleted.pk).delete()
        get_media_storage().delete_prefix(deleted.storage_prefix)
        return find_incomplete(photos, owner_id)  # type: ignore[arg-type]

    find_incomplete = check._find_incomplete
    monkeypatch.setattr(check, "_find_incomplete", remove)
    assert count_issues() == {}


def test_incomplete_photos_are_checked_in_batches(people: list[Person], monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        get_media_storage().delete_prefix(make_photo(people[1]).storage_prefix)
    monkeypatch.setattr(check, "_BATCH", 2)

    assert count_issues() == {"missing_photos": 5}


def test_the_number_of_statements_does_not_depend_on_the_number_of_photos(
    people: list[Person], django_assert_num_queries: Callable[[int], Any]
) -> None:
    for more in (0, 8):
        for _ in range(more):
            get_media_storage().delete_prefix(make_photo(people[1]).storage_prefix)
        with django_assert_num_queries(2 if more else 1):
            assert len(list(check.CHECK.find(None))) == more
