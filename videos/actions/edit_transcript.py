"""Correct what is said in a scene: the text, its words' times, and the hashes of every text that is composed of it."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from heimdex.accounts.models import User
from videos.actions.errors import WrongState
from videos.models import Scene, Video
from videos.retiming import retime
from videos.scene_inputs import refresh_input_hashes
from videos.summaries import extracted_chapters, extracted_summary

LONGEST_TRANSCRIPT = 100_000
NOT_INDEXED = "This video is {state}. Its transcript can be edited once the video is ready."
CHANGED = "The transcript was changed since you opened it. Look at it as it is now, then save again."


class Outdated(Exception):
    """The change was made to a text that is not there any more; `scene` holds the one that is."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(CHANGED)
        self.scene = scene


def edit_transcript(owner: User, video_id: UUID, scene_id: UUID, text: str, *, version: str | None = None) -> Scene:
    """Set what is said in a scene, and have the vectors that depend on it renewed; all of it in one transaction.

    `version` is the `Scene.transcript_version` that the change was made to; None overwrites whatever is there. An empty text says that
    nothing is said. The same text again changes nothing. Outdated when another change came first; WrongState for a video that is not
    indexed; Video.DoesNotExist or Scene.DoesNotExist for another owner's.
    """
    with transaction.atomic():
        video = Video.objects.select_for_update(no_key=True).defer("search_vector").get(pk=video_id, owner=owner)
        # In key order, as workers lock them too, so that neither waits for the other.
        locked = Scene.objects.select_for_update(no_key=True).filter(video=video).defer("search_vector").order_by("pk")
        scenes = sorted(locked, key=lambda scene: scene.index)
        scene = next((scene for scene in scenes if scene.pk == scene_id), None)
        if scene is None:
            raise Scene.DoesNotExist
        if video.state != Video.State.INDEXED:
            raise WrongState(NOT_INDEXED.format(state=video.state))
        if version not in (None, scene.transcript_version):
            raise Outdated(scene)
        said = " ".join(text.split())
        if said != scene.transcript:
            _change(video, scenes, scene, said)
    return scene


def _change(video: Video, scenes: list[Scene], scene: Scene, said: str) -> None:
    extracted = video.summary == extracted_summary(scenes)
    scene.words = [list(word) for word in retime(scene.words, said)]
    scene.transcript, scene.transcript_edited_at = said, timezone.now()
    scene.save(update_fields=["transcript", "words", "transcript_edited_at"])
    if extracted:
        # A summary that is not made of the scenes' words says what somebody else wrote, and stays.
        video.summary = extracted_summary(scenes)
    video.chapters = extracted_chapters(scenes)
    video.updated_at = timezone.now()
    video.save(update_fields=["summary", "chapters", "updated_at"])
    refresh_input_hashes(video)
    # Vectors belong to a package above this one, so what renews them is named, not imported.
    import_string(settings.TRANSCRIPT_EDITED)(video)
