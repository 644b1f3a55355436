"""Stage `scenes`: cut the video into scenes and keep a picture of each."""

import io
from typing import TYPE_CHECKING
from uuid import uuid5

from heimdex.media.probe import probe
from heimdex.media.scenes import analyse_video

from heimdex.storage import media_storage
from videos.composition import input_hash
from videos.ingest.stage import StageContext
from videos.models import Scene

if TYPE_CHECKING:
    from PIL.Image import Image

_THUMBNAIL_WIDTH = 320
_QUALITY = 88


def run(context: StageContext) -> None:
    """Replace the video's scenes by what one pass over the file finds; scenes keep their ids when the stage runs again."""
    video = context.video
    spans, keyframes = analyse_video(context.file, probe(context.file), context.progress)
    storage = media_storage()
    scenes = []
    for index, (span, keyframe) in enumerate(zip(spans, keyframes, strict=True)):
        scene = Scene(
            pk=uuid5(video.pk, str(index)), video=video, owner_id=video.owner_id, index=index, start_s=span.start_s, end_s=span.end_s
        )
        if keyframe is not None:
            jpeg = _jpeg(keyframe.image)
            storage.save(scene.keyframe_key, jpeg, "image/jpeg")
            storage.save(scene.thumbnail_key, _thumbnail(keyframe.image), "image/jpeg")
            scene.keyframe_time_s = keyframe.time_s
            scene.clip_hash = input_hash(jpeg)
        scenes.append(scene)
        context.progress(1.0)
    with context.writing():
        Scene.objects.filter(video=video).delete()
        Scene.objects.bulk_create(scenes, batch_size=500)


def _thumbnail(image: "Image") -> bytes:
    small = image.copy()
    small.thumbnail((_THUMBNAIL_WIDTH, _THUMBNAIL_WIDTH))
    return _jpeg(small)


def _jpeg(image: "Image") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
