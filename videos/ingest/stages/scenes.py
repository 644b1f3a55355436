"""Stage `scenes`: cut the video into scenes and keep a picture of each."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import uuid5

import structlog

from heimdex.media.scenes import DetectedScene, iter_scenes
from heimdex.storage import media_storage
from videos.composition import input_hash
from videos.ingest.stage import StageContext
from videos.models import Scene, Video

if TYPE_CHECKING:
    from PIL.Image import Image

log = structlog.get_logger(__name__)

_THUMBNAIL_WIDTH = 320
_QUALITY = 88
# Cuts that lie no further apart are the same cut (seconds).
_SAME_CUT = 0.1


def run(context: StageContext) -> None:
    """Replace the video's scenes by what one pass over the file finds; scenes keep their ids when the stage runs again."""
    found = context.decoded(iter_scenes, context.progress)
    scenes = [_keep(context.video, index, detected) for index, detected in enumerate(found)]
    with context.writing():
        _keep_edits(context.video, scenes)
        Scene.objects.filter(video=context.video).delete()
        Scene.objects.bulk_create(scenes, batch_size=500)


def _keep(video: Video, index: int, detected: DetectedScene) -> Scene:
    """Store a scene's pictures and return its row; pictures are not held, so memory does not grow with the video."""
    scene = Scene(
        pk=uuid5(video.pk, str(index)),
        video=video,
        owner_id=video.owner_id,
        index=index,
        start_s=detected.span.start_s,
        end_s=detected.span.end_s,
    )
    if detected.keyframe is not None:
        jpeg = _jpeg(detected.keyframe.image)
        media_storage().save(scene.keyframe_key, jpeg, "image/jpeg")
        media_storage().save(scene.thumbnail_key, _thumbnail(detected.keyframe.image), "image/jpeg")
        scene.keyframe_time_s = detected.keyframe.time_s
        scene.clip_hash = input_hash(jpeg)
    return scene


def _keep_edits(video: Video, scenes: Sequence[Scene]) -> None:
    """Take over what the owner wrote, into the scene that lies where the edited one lay."""
    for edited in Scene.objects.filter(video=video, transcript_edited_at__isnull=False):
        same = (one for one in scenes if abs(one.start_s - edited.start_s) < _SAME_CUT and abs(one.end_s - edited.end_s) < _SAME_CUT)
        if scene := next(same, None):
            scene.transcript, scene.words = edited.transcript, edited.words
            scene.transcript_edited_at = edited.transcript_edited_at
        else:
            log.warning("An edited transcript is lost: the video is cut in other places now", scene=edited.index, text=edited.transcript)


def _thumbnail(image: "Image") -> bytes:
    small = image.copy()
    small.thumbnail((_THUMBNAIL_WIDTH, _THUMBNAIL_WIDTH))
    return _jpeg(small)


def _jpeg(image: "Image") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
