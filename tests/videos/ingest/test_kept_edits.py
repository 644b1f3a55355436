"""Edited transcripts survive when a video is processed again."""

import pytest
from django.utils import timezone

from heimdex.accounts.models import User
from tests import media
from tests.library import get_stored_hash, make_video
from tests.videos.ingest.conftest import AddArrivedVideo, UseStages, read_state
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import retry_video
from videos.ingest.pipeline import ingest
from videos.ingest.stages.scenes import _restore_edits
from videos.models import Scene, Video
from videos.registry import list_stages
from videos.search.word_conditions import contains_word

KEPT = "Words that a silent film does not contain."


@pytest.fixture(autouse=True)
def skip_vectors(use_stages: UseStages) -> None:
    use_stages(*(stage.name for stage in list_stages() if stage.name != "embed"))


def test_a_retry_keeps_an_edited_transcript_and_transcribes_the_others_again(add_arrived_video: AddArrivedVideo) -> None:
    video = add_arrived_video(media.build_video((50, 60)))
    ingest(video.pk)
    assert read_state(video) == ("indexed", "")
    edited, other = video.scenes.order_by("index")
    edit_transcript(video.owner, video.pk, edited.pk, KEPT)
    Scene.objects.filter(pk=other.pk).update(transcript="Something that was misheard.")
    Video.objects.filter(pk=video.pk).update(state=Video.State.FAILED)

    retry_video(video.owner, video.pk)
    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    edited, other = video.scenes.order_by("index")
    assert (edited.transcript, other.transcript) == (KEPT, "")
    assert edited.transcript_edited_at is not None
    assert get_stored_hash(edited, "transcript")
    assert KEPT in video.summary
    assert video.scenes.filter(contains_word(video.owner_id, "silent")).get() == edited


@pytest.mark.parametrize(("shift_s", "is_kept"), [(0.0, True), (0.099, True), (0.1, False), (0.3, False)])
@pytest.mark.parametrize("moved", ["start_s", "end_s"])
def test_an_edit_is_kept_if_the_cuts_move_by_less_than_a_tenth_of_a_second(owner: User, moved: str, shift_s: float, is_kept: bool) -> None:
    video = make_video(owner, ["Edited."])
    video.scenes.update(start_s=0.0, end_s=1.0, transcript_edited_at=timezone.now())
    times = {"start_s": 0.0, "end_s": 1.0}
    scene = Scene(video=video, owner=owner, index=0, **(times | {moved: times[moved] + shift_s}))
    _restore_edits(video, [scene])
    assert bool(scene.transcript) == is_kept
