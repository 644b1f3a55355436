"""Requests during an outage of the storage: 503 with Retry-After, nothing lost, and files that are deleted later."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from rest_framework.test import APIClient

from heimdex.outages.deletions import delete_postponed
from heimdex.outages.models import PostponedDeletion
from heimdex.storage import get_media_storage
from tests.outages import probe_now, storage_away
from tests.videos.api.conftest import COMPLETE, put
from videos.models import Video


@pytest.mark.django_db
def test_an_upload_can_be_completed_when_the_storage_is_back(
    api: APIClient, init_upload: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    started = init_upload()
    put(api, started)
    body = {"video_id": started["video_id"]}

    with storage_away(tmp_path):
        answer = api.post(COMPLETE, body)

    assert answer.status_code == 503
    assert 1 <= int(answer["Retry-After"]) <= 120
    assert answer.json() == {"detail": "The server's storage does not answer. Nothing is lost. Try again in a minute."}
    assert Video.objects.get().state == Video.State.UPLOADING
    assert api.post(COMPLETE, body).status_code == 202


@pytest.mark.django_db
def test_a_full_disk_answers_507(api: APIClient, init_upload: Callable[..., dict[str, Any]]) -> None:
    started = init_upload()
    put(api, started)
    with mock.patch.object(type(get_media_storage()), "move", side_effect=OSError(28, "No space left on device", "/srv/x")):
        answer = api.post(COMPLETE, {"video_id": started["video_id"]})

    assert answer.status_code == 507
    assert "/srv" not in answer.content.decode()
    assert Video.objects.get().state == Video.State.UPLOADING


@pytest.mark.django_db(transaction=True)
def test_a_video_is_deleted_at_once_and_its_files_when_the_storage_is_back(video: Video, tmp_path: Path) -> None:
    prefix = video.storage_prefix
    browser = Client()
    browser.force_login(video.owner)

    with storage_away(tmp_path):
        answer = browser.post(f"/videos/{video.pk}/delete/")
        assert answer.status_code == 302
        assert not Video.objects.exists()
        assert delete_postponed() == 0

    assert list(get_media_storage().list_keys(prefix))
    assert probe_now()
    assert delete_postponed() == 1
    assert not list(get_media_storage().list_keys(prefix))
    assert not PostponedDeletion.objects.exists()


@pytest.mark.django_db
def test_a_page_explains_that_the_storage_is_away(video: Video, tmp_path: Path) -> None:
    Video.objects.update(state=Video.State.FAILED, error_code="internal_error")
    browser = Client()
    browser.force_login(video.owner)

    with storage_away(tmp_path):
        answer = browser.post(f"/videos/{video.pk}/retry/")

    assert answer.status_code == 503
    assert answer["Retry-After"] == "60"
    assert "does not answer. Nothing is lost." in answer.content.decode().replace("&#x27;", "'")
    assert Video.objects.get().state == Video.State.FAILED
