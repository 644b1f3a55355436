"""A disk below its reserve refuses new uploads, and everything else works."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.accounts.models import RateLimit, User
from heimdex.storage import get_media_storage
from people.models import Person, PersonPhoto
from tests.videos.api.conftest import COMPLETE, CONTENT, FILE, INIT, put
from videos.models import Video

SENTENCE = (
    "The server's disk is almost full, so it accepts no new uploads. Everything else works. Ask the administrator to free some space, "
    "then upload the file again."
)
EVERYTHING = 2**50


def test_new_uploads_are_refused_and_everything_else_works(
    api: APIClient, owner: User, video: Video, init_upload: Callable[..., dict[str, Any]], settings: Settings, faces_on: None
) -> None:
    arrived, announced = init_upload(), init_upload()
    assert put(api, arrived) == 200
    used = RateLimit.objects.get().due_at
    person = Person.objects.create(owner=owner, name="Ann")

    settings.DISK_RESERVE_BYTES = EVERYTHING

    photo = {"filename": "ann.jpg", "mime_type": "image/jpeg", "size_bytes": 20}
    for url, body in ((INIT, FILE), (f"/v1/persons/{person.pk}/photos/upload-url", photo)):
        refused = api.post(url, body)
        assert (refused.status_code, refused.json()) == (507, {"detail": SENTENCE})
    assert not PersonPhoto.objects.exists()
    assert RateLimit.objects.get().due_at == used
    # Neither is a file stored whose upload was announced while there was space.
    assert put(api, announced) == 507
    assert get_media_storage().size(Video.objects.get(pk=announced["video_id"]).upload_key) is None

    browser = Client()
    browser.force_login(owner)
    assert browser.get("/").status_code == browser.get(f"/videos/{video.pk}/").status_code == 200
    assert api.get("/v1/search", {"q": "boat"}).status_code == 200
    assert api.post(COMPLETE, {"video_id": arrived["video_id"]}).status_code == 202
    assert api.delete(f"/v1/videos/{announced['video_id']}").status_code == 204

    settings.DISK_RESERVE_BYTES = 0
    assert api.post(INIT, FILE).status_code == 201


def test_the_reserve_is_kept_after_the_file(api: APIClient, settings: Settings) -> None:
    free = get_media_storage().measure_free_bytes()
    assert free is not None
    settings.MAX_UPLOAD_BYTES = EVERYTHING
    settings.DISK_RESERVE_BYTES = free // 2
    assert api.post(INIT, {**FILE, "size_bytes": free // 4}).status_code == 201
    assert api.post(INIT, {**FILE, "size_bytes": free * 3 // 4}).status_code == 507


@pytest.mark.django_db
def test_the_command_refuses_too(tmp_path: Path, owner: User, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.DISK_RESERVE_BYTES = EVERYTHING
    film = tmp_path / "film.mp4"
    film.write_bytes(CONTENT)
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("ingest", str(film), owner=owner.email)
    assert f"refused. {SENTENCE}" in capsys.readouterr().out
