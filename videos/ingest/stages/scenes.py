"""Stage `scenes`: cut the video into scenes, and keep pictures of each and of the whole."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from uuid import uuid5

import structlog
from django.conf import settings

from heimdex.backends import cut_network
from heimdex.media.damage import Decoded, damage_notice
from heimdex.media.scenes import DetectedScene, iter_scenes
from heimdex.media.stamps import iter_stamps
from heimdex.media.timeline import Picture, sheet
from heimdex.storage import media_storage
from videos.composition import input_hash
from videos.ingest.stage import StageContext
from videos.models import Scene, Video, VideoMetadata

log = structlog.get_logger(__name__)

# Cuts that lie no further apart are the same cut (seconds).
_SAME_CUT = 0.1


def run(context: StageContext) -> None:
    """Replace the video's scenes by what one pass over the file finds; scenes keep their ids when the stage runs again."""
    scenes: list[Scene] = []
    tiles: list[Picture] = []
    decoded = Decoded()
    for detected in _detected(context):
        scenes.append(_keep(context.video, len(scenes), detected))
        tiles += detected.tiles
        decoded += detected.decoded
    info = context.source.info
    if tiles:
        media_storage().save(context.video.timeline_key, sheet(tiles, info.duration_s), "image/jpeg")
    earlier = Scene.objects.filter(video=context.video)
    replaced, faces = _keys(earlier), [scene.faces_prefix for scene in earlier]
    with context.writing():
        _keep_edits(context.video, scenes)
        earlier.delete()
        Scene.objects.bulk_create(scenes, batch_size=500)
        VideoMetadata.objects.filter(video=context.video).update(
            has_timeline=bool(tiles), damage_notice=damage_notice(decoded, info.duration_s, info.stated_s)
        )
    for key in replaced - _keys(scenes):
        media_storage().delete(key)
    for prefix in faces:
        media_storage().delete_prefix(prefix)


def _detected(context: StageContext) -> Iterator[DetectedScene]:
    """Yield the scenes. A network, where one is configured, finds the cuts in a pass of its own, which takes most of the time."""
    network = cut_network()
    if network is None:
        return context.decoded(iter_scenes, context.progress, settings.LONGEST_SCENE_SECONDS, None)
    cuts = tuple(network.cuts(context.decoded(iter_stamps, _part(context, 0.0, 0.9))))
    return context.decoded(iter_scenes, _part(context, 0.9, 1.0), settings.LONGEST_SCENE_SECONDS, cuts)


def _part(context: StageContext, begin: float, end: float) -> Callable[[float], None]:
    return lambda share: context.progress(begin + share * (end - begin))


def _keys(scenes: Iterable[Scene]) -> set[str]:
    return {key for scene in scenes for pair in scene.pictures for key in pair}


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
    if detected.keyframes:
        first, *others = detected.keyframes
        scene.keyframe_time_s = first.time_s
        scene.clip_hash = input_hash(first.jpeg)
        scene.other_keyframes_s = [keyframe.time_s for keyframe in others]
        scene.pictures_hash = input_hash(b"".join(keyframe.jpeg for keyframe in detected.keyframes))
        scene.person_hash = scene.pictures_hash if video.owner.find_faces else ""
    for (key, thumbnail_key), keyframe in zip(scene.pictures, detected.keyframes, strict=True):
        media_storage().save(key, keyframe.jpeg, "image/jpeg")
        media_storage().save(thumbnail_key, keyframe.thumbnail, "image/jpeg")
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
