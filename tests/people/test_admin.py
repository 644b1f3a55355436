"""The admin pages of people."""

import pytest
from django.test import Client

from heimdex.accounts.models import User
from people.models import Person, PersonPhoto
from tests.people.conftest import make_photo
from tests.videos.pages.conftest import extract_text, read


@pytest.fixture
def admin(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("admin@example.org", None))
    return client


def test_people_and_photos_are_read_only(admin: Client, ada: Person) -> None:
    photo = make_photo(ada, PersonPhoto.State.FAILED, error_code="no_face", error_text="No face can be seen.")

    assert "Ada owner@example.org Needs photos 1 1" in extract_text(read(admin, "/admin/people/person/?q=ada"))
    assert "No face can be seen." in extract_text(read(admin, f"/admin/people/person/{ada.pk}/change/"))
    assert "photo.jpg Ada owner@example.org failed no_face" in extract_text(
        read(admin, "/admin/people/personphoto/?state__exact=failed")
    ).replace("Failed", "failed")
    for model, row in (("person", ada), ("personphoto", photo)):
        page = read(admin, f"/admin/people/{model}/{row.pk}/change/")
        assert "_save" not in page
        # Operators must not see the people that owners look for.
        assert "/v1/files/" not in page
        assert admin.post(f"/admin/people/{model}/{row.pk}/change/", {"name": "Mine"}).status_code == 403
        assert admin.post(f"/admin/people/{model}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert admin.get(f"/admin/people/{model}/add/").status_code == 403
