"""What an owner has written stays when a video is processed again."""

import pytest
from django.conf import LazySettings

from tests import media
from tests.videos.ingest.conftest import Arrived, standing
from videos.actions.edit_transcript import edit_transcript
from videos.actions.retry_video import retry_video
from videos.ingest.pipeline import ingest
from videos.models import Scene, Video

KEPT = "What nobody could have heard in a silent film."


@pytest.fixture(autouse=True)
def without_vectors(settings: LazySettings) -> None:
    settings.INGEST_STAGES = {name: path for name, path in settings.INGEST_STAGES.items() if name != "embed"}


def test_a_retry_keeps_an_edited_transcript_and_hears_the_others_anew(arrived: Arrived) -> None:
    video = arrived(media.video((50, 60)))
    ingest(video.pk)
    assert standing(video) == ("indexed", "")
    edited, other = video.scenes.order_by("index")
    edit_transcript(video.owner, video.pk, edited.pk, KEPT)
    Scene.objects.filter(pk=other.pk).update(transcript="Something that was misheard.")
    Video.objects.filter(pk=video.pk).update(state=Video.State.FAILED)

    retry_video(video.owner, video.pk)
    ingest(video.pk)

    assert standing(video) == ("indexed", "")
    edited, other = video.scenes.order_by("index")
    assert (edited.transcript, other.transcript) == (KEPT, "")
    assert edited.transcript_edited_at is not None
    assert edited.transcript_hash
    assert KEPT in video.summary
    assert video.scenes.filter(search_vector="silent").get() == edited
