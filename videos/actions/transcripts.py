"""Edit the transcript of a scene, with the times of its words and everything that is derived from them."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.errors import WrongState
from videos.channels import CHAPTERS, SUMMARY, TRANSCRIPT
from videos.input_hashes import refresh_input_hashes
from videos.models import Scene, Video
from videos.registry import notify_edited
from videos.search.lexical.handler import get_lexical_backend
from videos.summaries import extract_chapters, extract_summary
from videos.word_alignment import align_words

TRANSCRIPT_MAX_LENGTH = 100_000
# The sources that an edit changes.
_EDITED = (TRANSCRIPT, SUMMARY, CHAPTERS)
NOT_INDEXED = "This video is {state}. Its transcript can be edited once the video is ready."
CHANGED = "The transcript was changed since you opened it. Review the current text, then save again."


class TranscriptChanged(Exception):
    """The edit is based on an outdated text. `scene` has the current one."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(CHANGED)
        self.scene = scene


def edit_transcript(owner: User, video_id: UUID, scene_id: UUID, text: str, *, version: str | None = None) -> Scene:
    """Set a scene's transcript and queue the update of the vectors that depend on it, in one transaction.

    `version` is the `Scene.transcript_version` that the edit is based on; None overwrites any text. An empty text means that there is no
    speech. The same text again changes nothing. Raise TranscriptChanged when another edit came first, WrongState for a video that is not
    indexed, and Video.DoesNotExist or Scene.DoesNotExist for those of another owner.
    """
    with transaction.atomic():
        video = Video.objects.select_for_update(no_key=True).get(pk=video_id, owner=owner)
        # Workers lock in the order of the keys too, so there is no deadlock.
        locked = Scene.objects.select_for_update(no_key=True).filter(video=video).order_by("pk")
        scenes = sorted(locked, key=lambda scene: scene.index)
        scene = next((scene for scene in scenes if scene.pk == scene_id), None)
        if scene is None:
            raise Scene.DoesNotExist
        if video.state != Video.State.INDEXED:
            raise WrongState(NOT_INDEXED.format(state=video.state))
        if version not in (None, scene.transcript_version):
            raise TranscriptChanged(scene)
        transcript = " ".join(text.split())
        if transcript != scene.transcript:
            _apply_edit(video, scenes, scene, transcript)
    return scene


def _apply_edit(video: Video, scenes: list[Scene], scene: Scene, transcript: str) -> None:
    is_extracted = video.summary == extract_summary(scenes)
    scene.words = [list(word) for word in align_words(scene.words, transcript)]
    scene.transcript, scene.transcript_edited_at = transcript, timezone.now()
    scene.save(update_fields=["transcript", "words", "transcript_edited_at"])
    if is_extracted:
        # A summary from another source stays.
        video.summary = extract_summary(scenes)
    video.chapters = extract_chapters(scenes)
    video.updated_at = timezone.now()
    video.save(update_fields=["summary", "chapters", "updated_at"])
    refresh_input_hashes(video, *_EDITED)
    get_lexical_backend().index([scene.pk])
    # Vectors belong to a package above this one, which has registered a function that updates them.
    notify_edited(video, *_EDITED)
