"""A scene's transcript is edited on its video's page, or on a separate page."""

import re

import pytest
from django.test import Client

from heimdex.accounts.models import User
from tests.library import make_video
from tests.videos.pages.conftest import extract_text, read
from videos.actions.transcripts import edit_transcript
from videos.models import Scene, Video, VideoMetadata


@pytest.fixture
def scene(owner: User) -> Scene:
    return make_video(owner, ["A boat at <sea>.", ""], title="At sea").scenes.get(index=0)


def get_page_url(scene: Scene) -> str:
    return f"/videos/{scene.video_id}/scenes/{scene.pk}/transcript/"


def find_version(page: str) -> str:
    return re.findall(r'name="version" value="([0-9a-f]+)"', page)[0]


def test_each_scene_of_a_ready_video_links_to_its_form(browser: Client, scene: Scene) -> None:
    page = read(browser, f"/videos/{scene.video_id}/")
    assert extract_text(page).count("Edit transcript of scene") == 2
    assert f'href="{get_page_url(scene)}"' in page
    assert f'data-api-url="/v1{get_page_url(scene)[:-1]}" data-version="{scene.transcript_version}"' in page
    Video.objects.update(state=Video.State.PROCESSING)
    assert "Edit transcript" not in read(browser, f"/videos/{scene.video_id}/")


def test_an_edit_is_saved_and_shown_on_the_videos_page(browser: Client, scene: Scene) -> None:
    page = read(browser, get_page_url(scene))
    assert "A boat at &lt;sea&gt;." in page
    answer = browser.post(get_page_url(scene), {"text": "A goat at sea.", "version": find_version(page)})
    assert answer["Location"] == f"/videos/{scene.video_id}/?t=0.00"
    shown = extract_text(read(browser, answer["Location"]))
    for expected in ("Saved the transcript of scene 1.", "A goat at sea.", "Edited by you"):
        assert expected in shown
    assert "A goat at sea." in read(browser, "/search/?q=goat").replace("<mark>goat</mark>", "goat")


def test_a_conflicting_edit_is_shown_beside_the_users_text(browser: Client, owner: User, scene: Scene) -> None:
    before = find_version(read(browser, get_page_url(scene)))
    edit_transcript(owner, scene.video_id, scene.pk, "A ship.")
    answer = browser.post(get_page_url(scene), {"text": "A goat.", "version": before})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "It now says: A ship." in extract_text(page)
    assert "A goat.</textarea>" in page
    assert Scene.objects.get(pk=scene.pk).transcript == "A ship."
    assert browser.post(get_page_url(scene), {"text": "A goat.", "version": find_version(page)}).status_code == 302
    assert Scene.objects.get(pk=scene.pk).transcript == "A goat."


def test_a_rejected_text_stays_in_the_form(browser: Client, scene: Scene) -> None:
    version = scene.transcript_version
    assert "at most 100000 characters" in browser.post(get_page_url(scene), {"text": "a" * 100_001, "version": version}).content.decode()
    Video.objects.update(state=Video.State.PROCESSING)
    page = browser.post(get_page_url(scene), {"text": "A goat.", "version": version}).content.decode()
    assert "can be edited once the video is ready" in page
    assert "A goat.</textarea>" in page


def test_the_player_has_captions_and_the_transcript_can_be_downloaded(browser: Client, scene: Scene) -> None:
    page = read(browser, f"/videos/{scene.video_id}/")
    (captions,) = re.findall(r'<track kind="captions" src="([^"]+)"', page)
    assert "A boat at &lt;sea&gt;." in browser.get(captions).content.decode()
    for form in ("srt", "vtt", "json"):
        assert f'href="/v1/videos/{scene.video_id}/transcript.{form}" download' in page
    Scene.objects.update(transcript="", words=[])
    assert "transcript.srt" not in read(browser, f"/videos/{scene.video_id}/")


def test_speech_that_was_not_transcribed_is_explained(browser: Client, owner: User, scene: Scene) -> None:
    facts = {"container": "mp4", "duration_s": 10, "width": 1, "height": 1, "fps": 25, "video_codec": "h264"}
    VideoMetadata.objects.create(video=scene.video, owner=owner, speech_notice="The speech was not transcribed: no German here.", **facts)
    assert "Language The speech was not transcribed: no German here." in extract_text(read(browser, f"/videos/{scene.video_id}/"))
