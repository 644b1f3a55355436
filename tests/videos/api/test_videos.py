"""List, show, rename, delete and retry."""

import json
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.storage import media_storage
from tests.library import make_video, picture
from tests.videos.api.conftest import COMPLETE
from videos.models import Job, Scene, Video, VideoMetadata

LISTED = {
    "id",
    "title",
    "description",
    "filename",
    "mime_type",
    "size_bytes",
    "language",
    "state",
    "error_code",
    "error_text",
    "created_at",
    "updated_at",
}


@pytest.fixture
def video(owner: User) -> Video:
    video = make_video(owner, title="A day at sea")
    VideoMetadata.objects.create(
        video=video, owner=owner, container="mp4", duration_s=20, width=1280, height=720, fps=25, video_codec="h264", audio_codec="aac"
    )
    return video


def fail(video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(state=Video.State.FAILED, error_code="truncated", error_text="The file is incomplete.")
    video.jobs.filter(stage="probe").update(state=Job.State.FAILED, attempts=1, error="The file is incomplete.")


def found(api: APIClient, words: str) -> list[str]:
    return [hit["title"] for hit in api.get("/v1/search", {"q": words}).json()["results"]]


def test_the_list_shows_the_owners_videos_newest_first_and_in_pages(api: APIClient, owner: User) -> None:
    for number in range(3):
        make_video(owner, ["word"], title=f"Film {number}")
    make_video(User.objects.create_user("other@example.org", None), ["word"], title="Theirs")

    page = api.get("/v1/videos?page_size=2").json()

    assert (page["count"], page["previous"]) == (3, None)
    assert [video["title"] for video in page["results"]] == ["Film 2", "Film 1"]
    assert set(page["results"][0]) == LISTED
    assert [video["title"] for video in api.get(page["next"]).json()["results"]] == ["Film 0"]


def test_the_detail_shows_what_was_measured_said_and_seen(api: APIClient, video: Video) -> None:
    first = video.scenes.get(index=0)
    media_storage().save(first.thumbnail_key, picture(0), "image/jpeg")
    media_storage().save(video.original_key, b"the film", "video/mp4")

    shown = api.get(f"/v1/videos/{video.pk}").json()

    assert set(shown) == LISTED | {"checksum", "summary", "chapters", "tags", "people", "metadata", "preview_url", "timeline", "scenes"}
    assert shown["metadata"] == {
        "container": "mp4",
        "duration_s": 20.0,
        "width": 1280,
        "height": 720,
        "fps": 25.0,
        "rotation": 0,
        "video_codec": "h264",
        "audio_codec": "aac",
        "language": "",
        "speech_notice": "",
        "damage_notice": "",
    }
    spans = [(scene["index"], scene["start_s"], scene["end_s"]) for scene in shown["scenes"]]
    assert spans == [(place, 5.0 * place, 5.0 * place + 5) for place in range(4)]
    scene = shown["scenes"][0]
    texts = {"transcript", "transcript_version", "transcript_edited_at", "description", "tags", "on_screen_text"}
    assert set(scene) == {"id", "index", "start_s", "end_s", "thumbnail_url", "people", "pictures", *texts}
    assert (scene["id"], scene["transcript"], scene["tags"]) == (str(first.pk), first.transcript, [{"name": "object 0", "confidence": 0.5}])
    anybody = APIClient()
    assert b"".join(anybody.get(scene["thumbnail_url"])) == picture(0)
    assert b"".join(anybody.get(shown["preview_url"])) == b"the film"


def test_the_detail_lists_every_picture_of_a_scene_and_the_timeline(api: APIClient, video: Video) -> None:
    first = video.scenes.get(index=0)
    first.other_keyframes_s = [4.25, 1.5]
    first.save(update_fields=["other_keyframes_s"])
    stored = [(key, picture(place)) for place, key in enumerate([*(key for key, _ in first.image_keys), video.timeline_key])]
    for key, content in stored:
        media_storage().save(key, content, "image/jpeg")
    assert api.get(f"/v1/videos/{video.pk}").json()["timeline"] is None
    VideoMetadata.objects.update(has_timeline=True)

    shown = api.get(f"/v1/videos/{video.pk}").json()

    pictures, timeline = shown["scenes"][0]["pictures"], shown["timeline"]
    assert [one["time_s"] for one in pictures] == [2.5, 4.25, 1.5]
    addresses = [*(one["url"] for one in pictures), timeline.pop("url")]
    anybody = APIClient()
    assert [b"".join(anybody.get(address)) for address in addresses] == [content for _, content in stored]
    assert timeline == {"duration_s": 20.0, "step_s": 1.0, "columns": 10, "count": 20}


def test_status_and_detail_say_what_could_not_be_understood(api: APIClient, video: Video) -> None:
    assert api.get(f"/v1/videos/{video.pk}/status").json()["notices"] == []
    VideoMetadata.objects.update(damage_notice="A part is damaged.", speech_notice="No German here.")
    assert api.get(f"/v1/videos/{video.pk}/status").json()["notices"] == ["A part is damaged.", "No German here."]
    assert api.get(f"/v1/videos/{video.pk}").json()["metadata"]["damage_notice"] == "A part is damaged."


def test_a_video_that_waits_has_no_preview_and_no_measures(api: APIClient, completed: Video) -> None:
    shown = api.get(f"/v1/videos/{completed.pk}").json()

    assert (shown["state"], shown["preview_url"], shown["metadata"], shown["scenes"]) == ("validating", "", None, [])


def test_the_status_follows_the_stages(api: APIClient, completed: Video) -> None:
    def status() -> tuple[str, str, int, str]:
        shown = api.get(f"/v1/videos/{completed.pk}/status").json()
        return shown["state"], shown["stage"], shown["progress"], shown["error"]

    assert status() == ("validating", "validate", 0, "")
    done = {"state": Job.State.DONE, "progress": 1.0, "finished_at": timezone.now()}
    completed.jobs.filter(stage__in=("validate", "probe")).update(**done)
    completed.jobs.filter(stage="scenes").update(state=Job.State.RUNNING, progress=0.5, attempts=1)
    Video.objects.update(state=Video.State.PROCESSING)
    assert status() == ("processing", "scenes", 18, "")
    completed.jobs.update(**done)
    Video.objects.update(state=Video.State.INDEXED)
    assert status() == ("indexed", "", 100, "")
    fail(completed)
    assert status()[0] == "failed"
    assert status()[3] == "The file is incomplete."
    shown = api.get(f"/v1/videos/{completed.pk}/status").json()
    assert set(shown) == {"video_id", "state", "stage", "progress", "error", "error_code", "notices", "stages", "updated_at"}
    assert set(shown["stages"][0]) == {"stage", "state", "progress", "attempts", "error", "started_at", "finished_at", "duration_s"}
    assert shown["error_code"] == "truncated"


def test_a_new_title_is_found_at_once_and_the_old_one_no_more(api: APIClient, video: Video) -> None:
    assert found(api, "sea")[0] == "A day at sea"
    before = video.updated_at

    answer = api.patch(f"/v1/videos/{video.pk}", {"title": "Zeppelin over Friedrichshafen"})

    assert answer.status_code == 200
    assert set(answer.json()) == LISTED
    assert answer.json()["title"] == "Zeppelin over Friedrichshafen"
    assert set(found(api, "zeppelin")) == {"Zeppelin over Friedrichshafen"}
    assert found(api, "day") == []
    video.refresh_from_db()
    assert (video.description, video.updated_at > before) == ("", True)
    assert api.patch(f"/v1/videos/{video.pk}", {"description": "With a marmalade picnic"}).json()["title"] == video.title
    assert set(found(api, "marmalade")) == {video.title}


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
def test_a_wrong_change_is_said_of_its_field(api: APIClient, video: Video, body: dict[str, object], field: str) -> None:
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


def test_deleting_leaves_no_row_no_file_and_no_hit(
    api: APIClient, owner: User, video: Video, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    media_storage().save(video.original_key, b"the film", "video/mp4")
    kept = make_video(owner, ["A boat that stays"], title="Kept")
    mine = f"owners/{owner.pk}"
    assert set(found(api, "boat")) == {"A day at sea", "Kept"}

    with django_capture_on_commit_callbacks(execute=True):
        answer = api.delete(f"/v1/videos/{video.pk}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert found(api, "boat") == ["Kept"]
    assert set(Scene.objects.values_list("video", flat=True)) == {kept.pk}
    assert not VideoMetadata.objects.exists()
    assert all(key.startswith(kept.storage_prefix) for key in media_storage().list_keys(mine))
    assert list(media_storage().list_keys(mine))
    for method, path in (("get", ""), ("delete", ""), ("get", "/status"), ("post", "/retry")):
        assert getattr(api, method)(f"/v1/videos/{video.pk}{path}").status_code == 404


def test_deleting_before_the_file_has_arrived_or_while_it_waits_works(
    api: APIClient, completed: Video, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(f"/v1/videos/{completed.pk}").status_code == 204

    assert not Job.objects.exists()
    assert not list(media_storage().list_keys(completed.storage_prefix))
    assert api.post(COMPLETE, {"video_id": str(completed.pk)}).status_code == 404


def test_a_failed_video_is_retried_from_the_first_stage(api: APIClient, completed: Video) -> None:
    fail(completed)

    with mock.patch("videos.ingest.schedule.enqueue") as wake:
        answer = api.post(f"/v1/videos/{completed.pk}/retry")

    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["state"], shown["stage"], shown["error"], shown["error_code"]) == ("validating", "validate", "", "")
    assert {(stage["state"], stage["attempts"], stage["error"]) for stage in shown["stages"]} == {("queued", 0, "")}
    wake.assert_called_once_with("videos.tasks.ingest_video", str(completed.pk))


@pytest.mark.parametrize("state", [state for state in Video.State if state != Video.State.FAILED])
def test_only_a_failed_video_is_retried(api: APIClient, completed: Video, state: str) -> None:
    Video.objects.update(state=state)
    jobs = set(Job.objects.values_list("pk", flat=True))

    answer = api.post(f"/v1/videos/{completed.pk}/retry")

    assert (answer.status_code, answer.json()) == (409, {"detail": f"Only a failed video can be retried. This one is {state}."})
    assert set(Job.objects.values_list("pk", flat=True)) == jobs


def test_what_never_arrived_cannot_be_retried(api: APIClient, completed: Video) -> None:
    fail(completed)
    media_storage().delete(completed.original_key)

    answer = api.post(f"/v1/videos/{completed.pk}/retry")

    assert (answer.status_code, answer.json()["detail"]) == (409, "The file of this video never arrived. Upload it again.")
    assert Video.objects.get().state == Video.State.FAILED


@pytest.mark.parametrize("name", ["7", "seven", "..", "%00", "x" * 4000])
def test_an_address_with_an_id_that_is_none_is_not_there(api: APIClient, name: str) -> None:
    for path in (f"/v1/videos/{name}", f"/v1/videos/{name}/status"):
        answer = api.get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
        assert answer.json() == {"detail": "Not found."}


@pytest.mark.parametrize("body", ["{", "[]", "7", "[" * 100_000])
def test_a_change_that_is_no_json_object_is_said_to_be_none(api: APIClient, video: Video, body: str) -> None:
    assert api.generic("PATCH", f"/v1/videos/{video.pk}", body, content_type="application/json").status_code == 400


def test_nothing_is_shown_without_a_log_in(completed: Video) -> None:
    anybody = APIClient()
    for method, path in (
        ("get", "/v1/videos"),
        ("get", f"/v1/videos/{completed.pk}"),
        ("get", f"/v1/videos/{completed.pk}/status"),
        ("patch", f"/v1/videos/{completed.pk}"),
        ("delete", f"/v1/videos/{completed.pk}"),
        ("post", f"/v1/videos/{completed.pk}/retry"),
        ("post", "/v1/videos/upload/init"),
        ("post", COMPLETE),
    ):
        assert getattr(anybody, method)(path).status_code == 401
    assert Video.objects.exists()


def test_more_rows_cost_no_more_queries(api: APIClient, owner: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    def read(path: str) -> Any:
        return json.loads(api.get(path).content)

    small = make_video(owner, ["one"])
    # Count, videos.
    with django_assert_num_queries(2):
        assert len(read("/v1/videos")["results"]) == 1
    # The video with its measures, its scenes, who is in them.
    with django_assert_num_queries(3):
        assert len(read(f"/v1/videos/{small.pk}")["scenes"]) == 1

    large = [make_video(owner, ["word"] * scenes) for scenes in (1, 1, 1, 16)][-1]
    with django_assert_num_queries(2):
        assert len(read("/v1/videos")["results"]) == 5
    with django_assert_num_queries(3):
        assert len(read(f"/v1/videos/{large.pk}")["scenes"]) == 16
    # The video, its jobs.
    with django_assert_num_queries(2):
        read(f"/v1/videos/{large.pk}/status")
