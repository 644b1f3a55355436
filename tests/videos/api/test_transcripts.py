"""Edit a scene's transcript over HTTP, and download a video's transcript as a file."""

import pytest
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_video
from videos.actions.transcripts import TRANSCRIPT_MAX_LENGTH, edit_transcript
from videos.models import Scene, Video, VideoMetadata


@pytest.fixture
def scene(owner: User) -> Scene:
    return make_video(owner, ["The quick boat sailed over the northern sea.", "And came home."]).scenes.get(index=0)


@pytest.fixture
def url(scene: Scene) -> str:
    return f"/v1/videos/{scene.video_id}/scenes/{scene.pk}/transcript"


def test_an_edited_transcript_is_searchable_and_shown_with_its_version(api: APIClient, scene: Scene, url: str) -> None:
    answer = api.patch(url, {"text": "  The quick goat\n sailed over the northern sea.  "})
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["transcript"] == "The quick goat sailed over the northern sea."
    assert shown["transcript_edited_at"]
    assert answer.headers["ETag"] == f'"{shown["transcript_version"]}"'
    in_detail = api.get(f"/v1/videos/{scene.video_id}").json()["scenes"][0]
    assert {name: in_detail[name] for name in ("transcript", "transcript_version")} == {
        name: shown[name] for name in ("transcript", "transcript_version")
    }
    assert [hit["scene_id"] for hit in api.get("/v1/search?q=goat").json()["results"]] == [str(scene.pk)]
    scene.refresh_from_db()
    assert [word for _, _, word in scene.words] == shown["transcript"].split()

    assert api.patch(url, {"text": ""}).json()["transcript"] == ""
    assert api.get("/v1/search?q=goat").json()["results"] == []


def test_an_edit_of_an_outdated_version_is_rejected_with_the_current_text(api: APIClient, scene: Scene, url: str) -> None:
    seen = f'"{scene.transcript_version}"'
    first = api.patch(url, {"text": "First."}, headers={"If-Match": seen})
    assert first.status_code == 200
    second = api.patch(url, {"text": "Second."}, headers={"If-Match": seen})
    assert second.status_code == 412
    assert second.json() == {
        "detail": "The transcript was changed since you opened it. Review the current text, then save again.",
        "transcript": "First.",
        "transcript_version": first.json()["transcript_version"],
    }
    assert second.headers["ETag"] == first.headers["ETag"]
    assert api.patch(url, {"text": "Second."}, headers={"If-Match": second.headers["ETag"]}).status_code == 200
    assert api.patch(url, {"text": "Third."}, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("body", [{}, {"text": None}, {"text": ["a"]}, {"text": "a\x00b"}, {"text": "a" * (TRANSCRIPT_MAX_LENGTH + 1)}])
def test_invalid_texts_are_rejected(api: APIClient, scene: Scene, url: str, body: dict[str, object]) -> None:
    assert api.patch(url, body).status_code == 400
    assert Scene.objects.get(pk=scene.pk).transcript == scene.transcript


def test_the_longest_text_is_accepted(api: APIClient, url: str) -> None:
    # Hyphens make PostgreSQL index each part of a word too, and these letters take the most space.
    assert (
        api.patch(url, {"text": "".join(f"{chr(0x20000 + place)}-{chr(0x21000 + place)} " for place in range(25_000))}).status_code == 200
    )


def test_a_video_that_is_not_ready_and_another_owners_scene_are_rejected(api: APIClient, owner: User, scene: Scene, url: str) -> None:
    other = make_video(owner, ["Another."])
    assert api.patch(f"/v1/videos/{other.pk}/scenes/{scene.pk}/transcript", {"text": "x"}).status_code == 404
    Video.objects.update(state=Video.State.PROCESSING)
    refused = api.patch(url, {"text": "x"})
    assert refused.status_code == 409
    assert refused.json() == {"detail": "This video is processing. Its transcript can be edited once the video is ready."}


@pytest.fixture
def video(owner: User) -> Video:
    video = make_video(owner, ["A boat & a <sea>.", "", "Tomatoes grow."], title="At sea")
    Video.objects.filter(pk=video.pk).update(filename="../Ärger\r\nX-Evil: 1/at “sea”.final.mp4")
    facts = {"container": "mp4", "duration_s": 15, "width": 1, "height": 1, "fps": 25, "video_codec": "h264", "language": "en"}
    VideoMetadata.objects.create(video=video, owner=owner, **facts)
    return video


def test_subrip_and_webvtt_files(api: APIClient, video: Video) -> None:
    srt = api.get(f"/v1/videos/{video.pk}/transcript.srt")
    assert srt.status_code == 200
    assert srt["Content-Type"] == "application/x-subrip; charset=utf-8"
    assert srt["Content-Disposition"] == "attachment; filename*=utf-8''at%20%E2%80%9Csea%E2%80%9D.final.srt"
    assert srt["Cache-Control"] == "private, no-cache"
    assert srt["X-Content-Type-Options"] == "nosniff"
    assert srt.content.decode() == (
        "1\n00:00:00,000 --> 00:00:01,000\nA boat & a ‹sea›.\n\n2\n00:00:10,000 --> 00:00:11,000\nTomatoes grow.\n"
    )
    # A browser's <track> may send this header.
    vtt = api.get(f"/v1/videos/{video.pk}/transcript.vtt", headers={"Accept": "text/vtt"})
    assert vtt["Content-Type"] == "text/vtt; charset=utf-8"
    assert vtt.content.decode().startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nA boat &amp; a &lt;sea&gt;.\n")


def test_json_contains_scenes_and_words(api: APIClient, video: Video) -> None:
    data = api.get(f"/v1/videos/{video.pk}/transcript.json").json()
    assert (data["video_id"], data["title"], data["language"]) == (str(video.pk), "At sea", "en")
    first, silent, _ = data["scenes"]
    assert (first["index"], first["start_s"], first["end_s"], first["text"], first["edited"]) == (0, 0.0, 5.0, "A boat & a <sea>.", False)
    assert first["words"][1] == {"start_s": 0.1, "end_s": 0.19, "text": "boat"}
    assert (silent["text"], silent["words"]) == ("", [])


def test_an_edit_appears_at_once_and_without_word_times_spans_its_scene(api: APIClient, owner: User, video: Video) -> None:
    scene = Scene.objects.get(video=video, index=2)
    edit_transcript(owner, video.pk, scene.pk, "Nothing of what was heard.")
    assert Scene.objects.get(pk=scene.pk).words == []
    assert (
        "00:00:10,000 --> 00:00:15,000\nNothing of what was heard.\n" in api.get(f"/v1/videos/{video.pk}/transcript.srt").content.decode()
    )
    assert api.get(f"/v1/videos/{video.pk}/transcript.json").json()["scenes"][2]["edited"]


@pytest.mark.parametrize("form", ["srt", "vtt", "json"])
def test_a_video_that_is_not_ready_has_no_file(api: APIClient, video: Video, form: str) -> None:
    Video.objects.update(state=Video.State.PROCESSING)
    answer = api.get(f"/v1/videos/{video.pk}/transcript.{form}", headers={"Accept": "text/vtt"})
    assert answer.status_code == 409
    assert answer.json() == {"detail": "This video is processing. Its transcript is available once the video is ready."}
    assert api.get(f"/v1/videos/{video.owner_id}/transcript.{form}").status_code == 404
