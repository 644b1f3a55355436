"""List and show videos."""

import json
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from tests.library import make_image, make_video
from tests.videos.api.conftest import COMPLETE, LISTED, fail
from videos.models import Job, Video, VideoMetadata


def test_the_list_shows_the_owners_videos_in_pages_newest_first(api: APIClient, owner: User) -> None:
    for number in range(3):
        make_video(owner, ["word"], title=f"Film {number}")
    make_video(User.objects.create_user("other@example.org", None), ["word"], title="Theirs")

    page = api.get("/v1/videos?page_size=2").json()

    assert (page["count"], page["previous"]) == (3, None)
    assert [video["title"] for video in page["results"]] == ["Film 2", "Film 1"]
    assert set(page["results"][0]) == LISTED
    assert [video["title"] for video in api.get(page["next"]).json()["results"]] == ["Film 0"]


def test_the_detail_shows_metadata_speech_and_descriptions(api: APIClient, video: Video) -> None:
    first = video.scenes.get(index=0)
    get_media_storage().save(first.thumbnail_key, make_image(0), "image/jpeg")
    get_media_storage().save(video.original_key, b"the film", "video/mp4")

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
    text_fields = {"transcript", "transcript_version", "transcript_edited_at", "description", "tags", "on_screen_text"}
    assert set(scene) == {"id", "index", "start_s", "end_s", "thumbnail_url", "people", "pictures", *text_fields}
    assert (scene["id"], scene["transcript"], scene["tags"]) == (str(first.pk), first.transcript, [{"name": "object 0", "confidence": 0.5}])
    anonymous = APIClient()
    assert b"".join(anonymous.get(scene["thumbnail_url"])) == make_image(0)
    assert b"".join(anonymous.get(shown["preview_url"])) == b"the film"


def test_the_detail_lists_every_keyframe_and_the_timeline(api: APIClient, video: Video) -> None:
    first = video.scenes.get(index=0)
    first.other_keyframes_s = [4.25, 1.5]
    first.save(update_fields=["other_keyframes_s"])
    stored = [(key, make_image(place)) for place, key in enumerate([*(key for key, _ in first.image_keys), video.timeline_key])]
    for key, content in stored:
        get_media_storage().save(key, content, "image/jpeg")
    assert api.get(f"/v1/videos/{video.pk}").json()["timeline"] is None
    VideoMetadata.objects.update(has_timeline=True)

    shown = api.get(f"/v1/videos/{video.pk}").json()

    pictures, timeline = shown["scenes"][0]["pictures"], shown["timeline"]
    assert [keyframe["time_s"] for keyframe in pictures] == [2.5, 4.25, 1.5]
    urls = [*(keyframe["url"] for keyframe in pictures), timeline.pop("url")]
    anonymous = APIClient()
    assert [b"".join(anonymous.get(url)) for url in urls] == [content for _, content in stored]
    assert timeline == {"duration_s": 20.0, "step_s": 1.0, "columns": 10, "count": 20}


def test_the_status_contains_the_notices(api: APIClient, video: Video) -> None:
    assert api.get(f"/v1/videos/{video.pk}/status").json()["notices"] == []
    VideoMetadata.objects.update(damage_notice="A part is damaged.", speech_notice="No German here.")
    assert api.get(f"/v1/videos/{video.pk}/status").json()["notices"] == ["A part is damaged.", "No German here."]
    assert api.get(f"/v1/videos/{video.pk}").json()["metadata"]["damage_notice"] == "A part is damaged."


def test_a_waiting_video_has_no_preview_and_no_metadata(api: APIClient, uploaded_video: Video) -> None:
    shown = api.get(f"/v1/videos/{uploaded_video.pk}").json()

    assert (shown["state"], shown["preview_url"], shown["metadata"], shown["scenes"]) == ("validating", "", None, [])


def test_the_status_follows_the_stages(api: APIClient, uploaded_video: Video) -> None:
    def get_status() -> tuple[str, str, int, str]:
        shown = api.get(f"/v1/videos/{uploaded_video.pk}/status").json()
        return shown["state"], shown["stage"], shown["progress"], shown["error"]

    assert get_status() == ("validating", "validate", 0, "")
    done = {"state": Job.State.DONE, "progress": 1.0, "finished_at": timezone.now()}
    uploaded_video.jobs.filter(stage__in=("validate", "probe")).update(**done)
    uploaded_video.jobs.filter(stage="scenes").update(state=Job.State.RUNNING, progress=0.5, attempts=1)
    Video.objects.update(state=Video.State.PROCESSING)
    assert get_status() == ("processing", "scenes", 18, "")
    uploaded_video.jobs.update(**done)
    Video.objects.update(state=Video.State.INDEXED)
    assert get_status() == ("indexed", "", 100, "")
    fail(uploaded_video)
    assert get_status()[0] == "failed"
    assert get_status()[3] == "Decoding took too long."
    shown = api.get(f"/v1/videos/{uploaded_video.pk}/status").json()
    waits = {"waits_for", "wait_label", "wait_text", "tries_at"}
    assert set(shown) == {"video_id", "state", "stage", "progress", "error", "error_code", "notices", "stages", "updated_at"} | waits
    assert set(shown["stages"][0]) == {"stage", "state", "progress", "attempts", "error", "started_at", "finished_at", "duration_s"}
    assert shown["error_code"] == "took_too_long"


@pytest.mark.parametrize("name", ["7", "seven", "..", "%00", "x" * 4000])
def test_a_url_with_an_invalid_id_is_not_found(api: APIClient, name: str) -> None:
    for path in (f"/v1/videos/{name}", f"/v1/videos/{name}/status"):
        answer = api.get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
        assert answer.json() == {"detail": "Not found."}


@pytest.mark.parametrize("body", ["{", "[]", "7", "[" * 100_000])
def test_a_change_that_is_not_a_json_object_is_reported(api: APIClient, video: Video, body: str) -> None:
    assert api.generic("PATCH", f"/v1/videos/{video.pk}", body, content_type="application/json").status_code == 400


def test_nothing_is_shown_without_a_login(uploaded_video: Video) -> None:
    anonymous = APIClient()
    for method, path in (
        ("get", "/v1/videos"),
        ("get", f"/v1/videos/{uploaded_video.pk}"),
        ("get", f"/v1/videos/{uploaded_video.pk}/status"),
        ("patch", f"/v1/videos/{uploaded_video.pk}"),
        ("delete", f"/v1/videos/{uploaded_video.pk}"),
        ("post", f"/v1/videos/{uploaded_video.pk}/retry"),
        ("post", "/v1/videos/upload/init"),
        ("post", COMPLETE),
    ):
        assert getattr(anonymous, method)(path).status_code == 401
    assert Video.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_rows(
    api: APIClient, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def read(path: str) -> Any:
        return json.loads(api.get(path).content)

    small = make_video(owner, ["one"])
    # Count, videos.
    with django_assert_num_queries(2):
        assert len(read("/v1/videos")["results"]) == 1
    # The video with its metadata, its scenes, the people in them.
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
