"""The transcript as a file that players and programs read."""

import pytest
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_video
from videos.actions.transcripts import edit_transcript
from videos.models import Scene, Video, VideoMetadata


@pytest.fixture
def video(owner: User) -> Video:
    video = make_video(owner, ["A boat & a <sea>.", "", "Tomatoes grow."], title="At sea")
    Video.objects.filter(pk=video.pk).update(filename="../Ärger\r\nX-Evil: 1/at “sea”.final.mp4")
    facts = {"container": "mp4", "duration_s": 15, "width": 1, "height": 1, "fps": 25, "video_codec": "h264", "language": "en"}
    VideoMetadata.objects.create(video=video, owner=owner, **facts)
    return video


def test_subrip_and_webvtt(api: APIClient, video: Video) -> None:
    srt = api.get(f"/v1/videos/{video.pk}/transcript.srt")
    assert srt.status_code == 200
    assert srt["Content-Type"] == "application/x-subrip; charset=utf-8"
    assert srt["Content-Disposition"] == "attachment; filename*=utf-8''at%20%E2%80%9Csea%E2%80%9D.final.srt"
    assert srt["Cache-Control"] == "private, no-cache"
    assert srt["X-Content-Type-Options"] == "nosniff"
    assert srt.content.decode() == (
        "1\n00:00:00,000 --> 00:00:01,000\nA boat & a ‹sea›.\n\n2\n00:00:10,000 --> 00:00:11,000\nTomatoes grow.\n"
    )
    # As a browser's <track> may ask.
    vtt = api.get(f"/v1/videos/{video.pk}/transcript.vtt", headers={"Accept": "text/vtt"})
    assert vtt["Content-Type"] == "text/vtt; charset=utf-8"
    assert vtt.content.decode().startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nA boat &amp; a &lt;sea&gt;.\n")


def test_json_tells_scenes_and_words(api: APIClient, video: Video) -> None:
    held = api.get(f"/v1/videos/{video.pk}/transcript.json").json()
    assert (held["video_id"], held["title"], held["language"]) == (str(video.pk), "At sea", "en")
    first, silent, _ = held["scenes"]
    assert (first["index"], first["start_s"], first["end_s"], first["text"], first["edited"]) == (0, 0.0, 5.0, "A boat & a <sea>.", False)
    assert first["words"][1] == {"start_s": 0.1, "end_s": 0.19, "text": "boat"}
    assert (silent["text"], silent["words"]) == ("", [])


def test_an_edit_shows_at_once_and_without_times_takes_its_scenes_span(api: APIClient, owner: User, video: Video) -> None:
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
