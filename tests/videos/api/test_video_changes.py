"""Rename, delete and retry."""

from unittest import mock
from uuid import uuid4

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from tests.library import make_video
from tests.videos.api.conftest import COMPLETE, LISTED, fail
from videos.models import Job, Scene, Video, VideoMetadata


def find_titles(api: APIClient, words: str) -> list[str]:
    return [hit["title"] for hit in api.get("/v1/search", {"q": words}).json()["results"]]


def test_a_new_title_is_searchable_at_once_and_the_old_title_is_not(api: APIClient, video: Video) -> None:
    assert find_titles(api, "sea")[0] == "A day at sea"
    before = video.updated_at

    answer = api.patch(f"/v1/videos/{video.pk}", {"title": "Zeppelin over Friedrichshafen"})

    assert answer.status_code == 200
    assert set(answer.json()) == LISTED
    assert answer.json()["title"] == "Zeppelin over Friedrichshafen"
    assert set(find_titles(api, "zeppelin")) == {"Zeppelin over Friedrichshafen"}
    assert find_titles(api, "day") == []
    video.refresh_from_db()
    assert (video.description, video.updated_at > before) == ("", True)
    assert api.patch(f"/v1/videos/{video.pk}", {"description": "With a marmalade picnic"}).json()["title"] == video.title
    assert set(find_titles(api, "marmalade")) == {video.title}


def test_only_title_and_description_can_be_changed(api: APIClient, video: Video) -> None:
    other = User.objects.create_user("other@example.org", None)
    forged = {"state": "failed", "filename": "x", "owner": str(other.pk), "error_text": "x", "id": str(uuid4()), "size_bytes": 9}

    assert api.patch(f"/v1/videos/{video.pk}", forged).status_code == 200

    after = Video.objects.get()
    assert (after.pk, after.state, after.filename, after.owner_id, after.error_text, after.size_bytes) == (
        video.pk,
        video.state,
        video.filename,
        video.owner_id,
        "",
        1,
    )
    assert api.put(f"/v1/videos/{video.pk}", {"title": "x"}).status_code == 405


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": None}, "title"),
        ({"title": "t" * 301}, "title"),
        ({"title": "nul\0"}, "title"),
        ({"title": ["a"]}, "title"),
        # More words than PostgreSQL's text search can hold of one row.
        ({"description": " ".join(map(str, range(200_000)))}, "description"),
    ],
)
def test_an_invalid_change_is_reported_by_field(api: APIClient, video: Video, body: dict[str, object], field: str) -> None:
    answer = api.patch(f"/v1/videos/{video.pk}", body)

    assert (answer.status_code, list(answer.json())) == (400, [field])
    video.refresh_from_db()
    assert (video.title, video.description) == ("A day at sea", "")


def test_the_longest_title_and_description_are_accepted(api: APIClient, video: Video) -> None:
    longest = {"title": "t" * 300, "description": "d" * 10_000}
    assert api.patch(f"/v1/videos/{video.pk}", longest).status_code == 200
    assert api.patch(f"/v1/videos/{video.pk}", {"description": "d" * 10_001}).status_code == 400
    video.refresh_from_db()
    assert (video.title, video.description) == (longest["title"], longest["description"])


def test_deleting_removes_rows_files_and_hits(
    api: APIClient, owner: User, video: Video, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    get_media_storage().save(video.original_key, b"the film", "video/mp4")
    kept = make_video(owner, ["A boat that stays"], title="Kept")
    mine = f"owners/{owner.pk}"
    assert set(find_titles(api, "boat")) == {"A day at sea", "Kept"}

    with django_capture_on_commit_callbacks(execute=True):
        answer = api.delete(f"/v1/videos/{video.pk}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert find_titles(api, "boat") == ["Kept"]
    assert set(Scene.objects.values_list("video", flat=True)) == {kept.pk}
    assert not VideoMetadata.objects.exists()
    assert all(key.startswith(kept.storage_prefix) for key in get_media_storage().list_keys(mine))
    assert list(get_media_storage().list_keys(mine))
    for method, path in (("get", ""), ("delete", ""), ("get", "/status"), ("post", "/retry")):
        assert getattr(api, method)(f"/v1/videos/{video.pk}{path}").status_code == 404


def test_a_video_can_be_deleted_before_its_file_arrives_and_while_it_waits(
    api: APIClient, uploaded_video: Video, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(f"/v1/videos/{uploaded_video.pk}").status_code == 204

    assert not Job.objects.exists()
    assert not list(get_media_storage().list_keys(uploaded_video.storage_prefix))
    assert api.post(COMPLETE, {"video_id": str(uploaded_video.pk)}).status_code == 404


def test_a_failed_video_is_retried_from_the_first_stage(api: APIClient, uploaded_video: Video) -> None:
    fail(uploaded_video)

    with mock.patch("videos.ingest.schedule.enqueue") as wake:
        answer = api.post(f"/v1/videos/{uploaded_video.pk}/retry")

    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["state"], shown["stage"], shown["error"], shown["error_code"]) == ("validating", "validate", "", "")
    assert {(stage["state"], stage["attempts"], stage["error"]) for stage in shown["stages"]} == {("queued", 0, "")}
    wake.assert_called_once_with("videos.tasks.ingest_video", str(uploaded_video.pk))


@pytest.mark.parametrize("state", [state for state in Video.State if state != Video.State.FAILED])
def test_only_a_failed_video_is_retried(api: APIClient, uploaded_video: Video, state: str) -> None:
    Video.objects.update(state=state)
    jobs = set(Job.objects.values_list("pk", flat=True))

    answer = api.post(f"/v1/videos/{uploaded_video.pk}/retry")

    assert (answer.status_code, answer.json()) == (409, {"detail": f"Only a failed video can be retried. This one is {state}."})
    assert set(Job.objects.values_list("pk", flat=True)) == jobs


@pytest.mark.parametrize(
    "code", ["not_a_video", "still_picture", "no_video_stream", "truncated", "damaged", "codec_not_allowed", "wrong_size", "empty_file"]
)
def test_a_video_that_would_fail_again_cannot_be_retried(api: APIClient, uploaded_video: Video, code: str) -> None:
    Video.objects.update(state=Video.State.FAILED, error_code=code)

    answer = api.post(f"/v1/videos/{uploaded_video.pk}/retry")

    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "A retry with the same file cannot succeed. Delete this video and upload another file.",
    )
    assert not Video.objects.get().can_retry


@pytest.mark.parametrize("code", ["too_long", "needs_too_much_memory", "file_missing", "gave_up", "internal_error"])
def test_a_video_that_failed_for_the_servers_reasons_can_be_retried(api: APIClient, uploaded_video: Video, code: str) -> None:
    Video.objects.update(state=Video.State.FAILED, error_code=code)
    assert Video.objects.get().can_retry
    assert api.post(f"/v1/videos/{uploaded_video.pk}/retry").status_code == 202


def test_a_video_whose_file_never_arrived_cannot_be_retried(api: APIClient, uploaded_video: Video) -> None:
    fail(uploaded_video)
    get_media_storage().delete(uploaded_video.original_key)

    answer = api.post(f"/v1/videos/{uploaded_video.pk}/retry")

    assert (answer.status_code, answer.json()["detail"]) == (409, "The file of this video never arrived. Upload it again.")
    assert Video.objects.get().state == Video.State.FAILED
