"""Photos that people are known by and whose files are gone are found, in a directory and in a bucket."""

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
    """Return three people of two owners, each with a photo in each state; those of the second lie where a merge left them."""
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


def test_a_lost_picture_is_found_whatever_else_of_the_photo_is_left_and_is_for_a_person(people: list[Person]) -> None:
    ada, bob, eve = people
    picture_alone = ada.photos.get(state="ready")
    get_media_storage().delete(picture_alone.image_key)
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
    [found] = [one for one in report["checks"] if one["found"]]
    assert (found["name"], found["left"]) == ("missing_photos", 3)
    assert f"“Ada”: {picture_alone.image_key}" in found["examples"]
    assert f"“Bob”: {merged.image_key}" in found["examples"]

    get_media_storage().delete_prefix("owners")
    assert count_issues() == {"missing_photos": 4}, "nothing is listed, and all that should be is missing"


def test_a_lost_thumbnail_is_made_anew_unless_the_picture_cannot_be_read(people: list[Person]) -> None:
    mine = PersonPhoto.objects.filter(state="ready", owner=people[0].owner)
    for photo in mine:
        get_media_storage().delete(photo.thumbnail_key)
    unreadable = people[0].photos.get(state="ready")
    get_media_storage().save(unreadable.image_key, b"no picture")

    assert count_issues() == {"missing_photo_thumbnails": 3}
    assert count_issues("--repair", what="repaired") == {"missing_photo_thumbnails": 2}
    assert count_issues() == {"missing_photo_thumbnails": 1}
    for photo in mine.exclude(pk=unreadable.pk):
        with get_media_storage().open(photo.thumbnail_key) as file:
            assert max(Image.open(io.BytesIO(file.read())).size) == 320


def test_photos_that_go_while_they_are_looked_at_are_not_missing(people: list[Person], monkeypatch: pytest.MonkeyPatch) -> None:
    gone = people[0].photos.get(state="ready")

    def remove(photos: object, owner_id: object) -> object:
        # The rows were read, the listing comes later.
        PersonPhoto.objects.filter(pk=gone.pk).delete()
        get_media_storage().delete_prefix(gone.storage_prefix)
        return walk(photos, owner_id)  # type: ignore[arg-type]

    walk = check._find_incomplete
    monkeypatch.setattr(check, "_find_incomplete", remove)
    assert count_issues() == {}


def test_many_that_lack_files_are_looked_at_some_at_a_time(people: list[Person], monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        get_media_storage().delete_prefix(make_photo(people[1]).storage_prefix)
    monkeypatch.setattr(check, "_BATCH", 2)

    assert count_issues() == {"missing_photos": 5}


def test_many_photos_take_as_many_statements_as_few(people: list[Person], django_assert_num_queries: Callable[[int], Any]) -> None:
    for more in (0, 8):
        for _ in range(more):
            get_media_storage().delete_prefix(make_photo(people[1]).storage_prefix)
        with django_assert_num_queries(2 if more else 1):
            assert len(list(check.CHECK.find(None))) == more
