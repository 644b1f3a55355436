"""Initialize, send and complete an upload."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from tests.videos.api.conftest import COMPLETE, CONTENT, FILE, INIT, put
from videos.models import Job, Video

InitUpload = Callable[..., dict[str, Any]]
STAGES = ["validate", "probe", "scenes", "transcript", "on_screen", "description", "summary", "embed", "index"]


def test_an_upload_is_initialized_sent_completed_and_queued(api: APIClient, owner: User) -> None:
    init_answer = api.post(INIT, FILE)

    assert init_answer.status_code == 201
    body = init_answer.json()
    assert set(body) == {"video_id", "upload"}
    assert set(body["upload"]) == {"method", "url", "headers", "expires_at"}
    assert (body["upload"]["method"], body["upload"]["headers"]) == ("PUT", {"Content-Type": "video/mp4"})
    assert urlsplit(body["upload"]["url"]).scheme == "http"
    expires = parse_datetime(body["upload"]["expires_at"])
    assert expires is not None
    assert timedelta(hours=23) < expires - timezone.now() <= timedelta(hours=24)
    video = Video.objects.get(pk=body["video_id"])
    shown = (video.owner, video.title, video.description, video.filename, video.mime_type, video.size_bytes, video.state)
    assert shown == (owner, "A day at sea", "Of 1999", "film.mp4", "video/mp4", len(CONTENT), "uploading")

    assert put(api, body) == 200
    complete_answer = api.post(COMPLETE, {"video_id": body["video_id"]})

    assert complete_answer.status_code == 202
    status = complete_answer.json()
    assert (status["video_id"], status["state"], status["stage"], status["progress"], status["error"]) == (
        body["video_id"],
        "validating",
        "validate",
        0,
        "",
    )
    assert [(stage["stage"], stage["state"], stage["progress"]) for stage in status["stages"]] == [(name, "queued", 0.0) for name in STAGES]
    assert api.get(f"/v1/videos/{body['video_id']}/status").json() == status
    assert get_media_storage().size(video.original_key) == len(CONTENT)
    assert get_media_storage().size(video.upload_key) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"size_bytes": 0}, "size_bytes"),
        ({"size_bytes": -1}, "size_bytes"),
        ({"size_bytes": 10**15}, "size_bytes"),
        ({"size_bytes": 10**400}, "size_bytes"),
        ({"size_bytes": "many"}, "size_bytes"),
        ({"size_bytes": None}, "size_bytes"),
        ({"mime_type": "text/plain"}, "mime_type"),
        ({"mime_type": "image/png"}, "mime_type"),
        ({"mime_type": ""}, "mime_type"),
        ({"mime_type": "video/mp4\r\nSet-Cookie: a=b"}, "mime_type"),
        ({"mime_type": "video/☃"}, "mime_type"),
        ({"mime_type": "video/"}, "mime_type"),
        ({"filename": ""}, "filename"),
        ({"filename": "f" * 4000 + ".mp4"}, "filename"),
        ({"filename": ["film.mp4"]}, "filename"),
        ({"title": "t" * 301}, "title"),
        ({"title": "nul\0"}, "title"),
        ({"description": "d" * 10_001}, "description"),
    ],
)
def test_an_invalid_init_request_is_reported_by_field(api: APIClient, changes: dict[str, object], field: str) -> None:
    # Encoded here, because the test client's encoder rejects half of a surrogate pair.
    answer = api.generic("POST", INIT, json.dumps({**FILE, **changes}), content_type="application/json")

    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert answer.json()[field][0].endswith(".")
    assert not Video.objects.exists()


def test_a_file_that_is_not_a_video_is_rejected_by_name(api: APIClient) -> None:
    answer = api.post(INIT, {**FILE, "filename": "C:\\papers\\notes.txt", "mime_type": "text/plain"})

    expected = "notes.txt is not a video (text/plain). Choose a video file such as MP4, MOV, MKV or WebM."
    assert (answer.status_code, answer.json()) == (400, {"mime_type": [expected]})


@pytest.mark.parametrize("filename", ["film\0.mp4", "film\ud800.mp4"])
def test_characters_of_a_filename_that_cannot_be_stored_are_replaced(api: APIClient, filename: str) -> None:
    # Encoded here, because the test client's encoder rejects half of a surrogate pair.
    answer = api.generic("POST", INIT, json.dumps({**FILE, "filename": filename, "title": ""}), content_type="application/json")

    assert answer.status_code == 201
    video = Video.objects.get()
    assert (video.filename, video.title) == ("film\ufffd.mp4", "film\ufffd")


@pytest.mark.parametrize(
    ("filename", "title"),
    [
        ("../../etc/passwd", "passwd"),
        ("..", "."),
        ("/absolute/a_b.mp4", "a b"),
        ("C:\\Films\\at sea.mov", "at sea"),
        ("two\r\nlines.mp4", "two lines"),
        ("img%d.png", "img%d"),
        ("concat:a|b", "concat:a|b"),
        ("subfile,,start,0,,:film.mp4", "subfile,,start,0,,:film"),
        ("-i", "-i"),
        ("photo\u202egnp.mp4", "photo\u202egnp"),
        ("<script>.mp4", "<script>"),
        ("日本語.mp4", "日本語"),
        ("x" * 300 + ".mp4", "x" * 300),
        (".mp4", ".mp4"),
        ("///", "Untitled"),
    ],
)
def test_any_filename_is_stored_as_text_and_is_not_part_of_the_key(
    api: APIClient, init_upload: InitUpload, owner: User, filename: str, title: str
) -> None:
    init_answer = init_upload(filename=filename, title="")

    assert put(api, init_answer) == 200
    assert api.post(COMPLETE, {"video_id": init_answer["video_id"]}).status_code == 202
    shown = api.get(f"/v1/videos/{init_answer['video_id']}").json()
    assert (shown["filename"], shown["title"]) == (filename, title)
    assert list(get_media_storage().list_keys(f"owners/{owner.pk}")) == [f"owners/{owner.pk}/videos/{init_answer['video_id']}/original"]


@pytest.mark.parametrize("mime_type", ["video/quicktime", "video/webm; codecs=vp8", "application/octet-stream", "image/gif"])
def test_every_type_that_browsers_send_for_videos_is_accepted(api: APIClient, init_upload: InitUpload, mime_type: str) -> None:
    assert put(api, init_upload(mime_type=mime_type)) == 200


def test_completing_before_the_file_has_arrived_names_the_fix(api: APIClient, init_upload: InitUpload) -> None:
    init_answer = init_upload()

    answer = api.post(COMPLETE, {"video_id": init_answer["video_id"]})

    assert answer.status_code == 409
    assert answer.json() == {"detail": "No file has arrived yet. PUT its bytes to the upload URL first, then complete the upload."}
    assert Video.objects.get().state == Video.State.UPLOADING
    assert not Job.objects.exists()
    put(api, init_answer)
    assert api.post(COMPLETE, {"video_id": init_answer["video_id"]}).status_code == 202


def test_a_file_of_another_size_is_rejected(api: APIClient, init_upload: InitUpload) -> None:
    init_answer = init_upload()
    video = Video.objects.get()

    assert put(api, init_answer, CONTENT + b"!") == 413
    assert put(api, init_answer, CONTENT[:-1]) == 400
    assert get_media_storage().size(video.upload_key) is None
    # A storage that cannot bind a URL to a size accepts any size.
    get_media_storage().save(video.upload_key, CONTENT[:-1])
    answer = api.post(COMPLETE, {"video_id": init_answer["video_id"]})

    assert answer.status_code == 409
    assert answer.json()["detail"] == "The file that arrived has 36 bytes, but the upload was created for 37. PUT the file again."
    assert put(api, init_answer) == 200
    assert api.post(COMPLETE, {"video_id": init_answer["video_id"]}).status_code == 202


def test_completing_twice_returns_the_same_answer_and_starts_nothing(api: APIClient, uploaded_video: Video) -> None:
    first = api.get(f"/v1/videos/{uploaded_video.pk}/status").json()
    jobs = set(Job.objects.values_list("pk", flat=True))

    again = api.post(COMPLETE, {"video_id": str(uploaded_video.pk)})

    assert (again.status_code, again.json()) == (202, first)
    assert set(Job.objects.values_list("pk", flat=True)) == jobs
    Video.objects.update(state=Video.State.FAILED, error_code="not_a_video", error_text="This is no video.")
    assert api.post(COMPLETE, {"video_id": str(uploaded_video.pk)}).json()["error"] == "This is no video."
    assert not Job.objects.exclude(pk__in=jobs).exists()


@pytest.mark.django_db(transaction=True)
def test_two_simultaneous_completions_start_one_ingest(api: APIClient, init_upload: InitUpload) -> None:
    init_answer = init_upload()
    put(api, init_answer)
    both = threading.Barrier(2)
    answers: list[int] = []

    def complete() -> None:
        client = APIClient()
        client.force_authenticate(User.objects.get())
        both.wait()
        answers.append(client.post(COMPLETE, {"video_id": init_answer["video_id"]}).status_code)
        connection.close()

    with mock.patch("heimdex.queue._send") as sent:
        threads = [threading.Thread(target=complete) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answers == [202, 202]
    assert sent.call_count == 1
    assert list(Job.objects.order_by("position").values_list("stage", flat=True)) == STAGES


def test_bytes_that_are_sent_after_completion_change_nothing(api: APIClient, init_upload: InitUpload) -> None:
    init_answer = init_upload()
    put(api, init_answer)
    api.post(COMPLETE, {"video_id": init_answer["video_id"]})

    assert put(api, init_answer, b"x" * len(CONTENT)) == 409
    api.post(COMPLETE, {"video_id": init_answer["video_id"]})

    video = Video.objects.get()
    with get_media_storage().open(video.original_key) as file:
        assert file.read() == CONTENT
    assert list(get_media_storage().list_keys(video.storage_prefix)) == [video.original_key]


def test_an_expired_upload_must_be_started_again(api: APIClient, init_upload: InitUpload) -> None:
    init_answer = init_upload()
    Video.objects.update(state=Video.State.FAILED, error_code="upload_expired", error_text="Upload it again.")

    answer = api.post(COMPLETE, {"video_id": init_answer["video_id"]})

    assert (answer.status_code, answer.json()["detail"]) == (409, "The upload was not finished in time. Start a new upload.")


@pytest.mark.parametrize("body", [{}, {"video_id": "seven"}, {"video_id": None}, {"video_id": 7.5}, {"video_id": ["a"]}])
def test_an_invalid_id_is_reported_by_field(api: APIClient, body: dict[str, object]) -> None:
    answer = api.post(COMPLETE, body)

    assert (answer.status_code, list(answer.json())) == (400, ["video_id"])


def test_an_unknown_id_and_another_owners_id_get_the_same_answer(api: APIClient, init_upload: InitUpload) -> None:
    init_answer = init_upload()
    put(api, init_answer)
    Video.objects.update(owner=User.objects.create_user("other@example.org", None))

    for video_id in (init_answer["video_id"], str(uuid4())):
        answer = api.post(COMPLETE, {"video_id": video_id})
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
    assert Video.objects.get(pk=UUID(init_answer["video_id"])).state == Video.State.UPLOADING


@pytest.mark.parametrize("url", [INIT, COMPLETE])
@pytest.mark.parametrize("body", ["{", "[]", '"text"', "7", "\x00", "[" * 100_000, '{"filename": NaN}', ""])
def test_a_body_that_is_not_a_json_object_is_reported(api: APIClient, url: str, body: str) -> None:
    answer = api.generic("POST", url, body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()


def test_a_form_body_is_rejected(api: APIClient) -> None:
    assert api.generic("POST", INIT, "filename=film.mp4", content_type="application/x-www-form-urlencoded").status_code == 415


def test_the_size_limit_comes_from_the_settings(api: APIClient, settings: LazySettings) -> None:
    settings.MAX_UPLOAD_BYTES = len(CONTENT)
    assert api.post(INIT, FILE).status_code == 201

    settings.MAX_UPLOAD_BYTES = len(CONTENT) - 1
    assert api.post(INIT, FILE).json() == {"size_bytes": ["The file is larger than the limit of 36\xa0bytes."]}
