"""Upload URLs end with the access of their user, and are renewed until the upload ends."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage, views
from tests.videos.api.conftest import COMPLETE, put
from videos.models import Video

InitUpload = Callable[..., dict[str, Any]]


def lock_account() -> None:
    User.objects.update(is_active=False)


def delete_video() -> None:
    Video.objects.all().delete()


def expire_upload() -> None:
    Video.objects.update(state=Video.State.FAILED, error_code="upload_expired", error_text="Upload it again.")


LOSSES = pytest.mark.parametrize(("lose", "status"), [(lock_account, 403), (delete_video, 403), (expire_upload, 409)])


@LOSSES
def test_an_upload_url_ends_with_the_access_of_its_user(
    api: APIClient, init_upload: InitUpload, owner: User, lose: Callable[[], None], status: int
) -> None:
    init_answer = init_upload()
    lose()

    assert put(api, init_answer) == status
    assert list(get_media_storage().list_keys(f"owners/{owner.pk}")) == []


@LOSSES
def test_an_upload_that_loses_access_while_it_is_sent_leaves_no_file(
    api: APIClient, init_upload: InitUpload, owner: User, lose: Callable[[], None], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = views._receive

    def receive_and_lose(*args: Any) -> int:
        received = receive(*args)
        lose()
        return received

    init_answer = init_upload()
    monkeypatch.setattr(views, "_receive", receive_and_lose)

    assert put(api, init_answer) == status
    assert list(get_media_storage().list_keys(f"owners/{owner.pk}")) == []


def test_a_locked_account_completes_and_renews_nothing(api: APIClient, init_upload: InitUpload) -> None:
    init_answer = init_upload()
    put(api, init_answer)
    lock_account()

    assert api.post(COMPLETE, {"video_id": init_answer["video_id"]}).status_code == 404
    assert api.post(f"/v1/videos/{init_answer['video_id']}/upload-url").status_code == 404
    assert Video.objects.get().state == Video.State.UPLOADING


def test_the_url_of_an_upload_is_renewed_until_the_upload_ends(api: APIClient, init_upload: InitUpload) -> None:
    init_answer = init_upload()
    url = f"/v1/videos/{init_answer['video_id']}/upload-url"

    answer = api.post(url)
    assert (answer.status_code, set(answer.json())) == (200, {"method", "url", "headers", "expires_at"})
    assert put(api, {"upload": answer.json()}) == 200
    api.post(COMPLETE, {"video_id": init_answer["video_id"]})
    complete = api.post(url)
    assert (complete.status_code, complete.json()["detail"]) == (409, "This upload was completed, so it needs no URL.")

    other = init_upload()
    late = {"detail": "The upload was not finished in time. Start a new upload."}
    for changes in ({"upload_expires_at": timezone.now()}, {"state": "failed", "error_code": "upload_expired", "error_text": "Late."}):
        Video.objects.filter(pk=other["video_id"]).update(**changes)
        answer = api.post(f"/v1/videos/{other['video_id']}/upload-url")
        assert (answer.status_code, answer.json()) == (409, late)
