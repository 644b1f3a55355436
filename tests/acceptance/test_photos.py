"""Real workers process photos of people; one worker is killed."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.queue import UPLOADS
from heimdex.storage import get_media_storage
from people.input_hashes import hash_query
from people.models import Person, PersonPhoto
from tests.acceptance.conftest import Workers, build_worker_environment, open_session
from tests.acceptance.test_lost_stages import IMPATIENT
from tests.library import get_stored_hash

Until = Callable[[Callable[[], bool], str], None]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("faces_on"), pytest.mark.integration]

ASSETS = Path(__file__).resolve().parents[2] / "demo" / "assets"
ASTRONAUT = (ASSETS / "astronaut.jpg").read_bytes()


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("owner@example.org", None))
    return client


@pytest.fixture
def person_id(api: APIClient) -> str:
    return str(api.post("/v1/persons", {"name": "Eileen"}).json()["id"])


@pytest.fixture
def uploaders(clusters: Workers) -> Workers:
    """Run upload workers that retry lost work quickly."""
    clusters.serve({UPLOADS: build_worker_environment() | IMPATIENT})
    return clusters


def send(api: APIClient, person_id: str, content: bytes) -> str:
    """Announce a photo and send it; return its id."""
    file = {"filename": "photo.jpg", "mime_type": "image/jpeg", "size_bytes": len(content)}
    target: dict[str, Any] = api.post(f"/v1/persons/{person_id}/photos/upload-url", file).json()
    assert APIClient().put(target["url"], content, content_type="image/jpeg").status_code == 200
    return str(target["photo_id"])


def complete(api: APIClient, person_id: str, photo_id: str) -> None:
    assert api.post(f"/v1/persons/{person_id}/photos/{photo_id}/complete").status_code == 202


def make_two_faces() -> bytes:
    astronaut = Image.open(io.BytesIO(ASTRONAUT)).convert("RGB")
    both = Image.new("RGB", (2 * astronaut.width, astronaut.height))
    both.paste(astronaut, (0, 0))
    both.paste(astronaut, (astronaut.width, 0))
    buffer = io.BytesIO()
    both.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def test_photos_become_ready_or_fail_with_a_reason(api: APIClient, person_id: str, uploaders: Workers, wait_until: Until) -> None:
    contents = [ASTRONAUT, (ASSETS / "coffee.jpg").read_bytes(), make_two_faces(), b"no image at all", ASTRONAUT]
    for content in contents:
        complete(api, person_id, send(api, person_id, content))

    wait_until(lambda: not PersonPhoto.objects.filter(state__in=PersonPhoto.IN_PROGRESS).exists(), "the end of all photos")

    shown = api.get(f"/v1/persons/{person_id}/photos").json()["results"]
    assert [(photo["state"], photo["error_code"]) for photo in shown] == [
        ("ready", ""),
        ("failed", "no_face"),
        ("failed", "several_faces"),
        ("failed", "not_a_picture"),
        ("failed", "duplicate"),
    ]
    person = api.get(f"/v1/persons/{person_id}").json()
    assert (person["status"], person["ready_photo_count"], person["failed_photo_count"]) == ("ready", 1, 4)
    ready = PersonPhoto.objects.get(state=PersonPhoto.State.READY)
    assert get_stored_hash(Person.objects.get(), "person_query") == hash_query([ready.image_hash], archived=False)


def test_another_worker_takes_over_the_photo_of_a_killed_worker(
    api: APIClient, person_id: str, uploaders: Workers, wait_until: Until
) -> None:
    photo_id = send(api, person_id, ASTRONAUT)
    photo = PersonPhoto.objects.get(pk=photo_id)
    with open_session() as session:
        # The worker has written the files and waits for this row before it commits.
        session.execute("SELECT id FROM people_person WHERE id = %s FOR UPDATE", [person_id])
        complete(api, person_id, photo_id)
        wait_until(lambda: get_media_storage().size(photo.thumbnail_key) is not None, "the copy of the photo")
        assert PersonPhoto.objects.get().state == PersonPhoto.State.PROCESSING
        uploaders.kill(UPLOADS)
        session.rollback()
    uploaders.start(UPLOADS)

    wait_until(lambda: not PersonPhoto.objects.filter(state__in=PersonPhoto.IN_PROGRESS).exists(), "the end of the photo")

    photo.refresh_from_db()
    assert (photo.state, photo.error_text, photo.lease_token) == ("ready", "", None)
    assert photo.attempts > 1
    assert set(get_media_storage().list_keys(photo.storage_prefix)) == {photo.image_key, photo.thumbnail_key}
